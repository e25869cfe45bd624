"""Who is asking, and what they may: the acting person and the rules about agencies.

Every service takes an `Actor` first. The rules here are the only place where roles are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from opendata.kernel.errors import ForbiddenError, UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    EDITOR = "editor"
    ADMIN = "admin"


class Permission(StrEnum):
    """Everything that can be allowed. The first group is about one agency, the second about the portal."""

    EDIT_DATASETS = "edit-datasets"
    PUBLISH_DATASETS = "publish-datasets"
    WITHDRAW_DATASETS = "withdraw-datasets"
    RELEASE_PERSONAL_DATA = "release-personal-data"
    MANAGE_MEMBERS = "manage-members"

    MANAGE_PORTAL = "manage-portal"
    ANSWER_REQUESTS = "answer-requests"


_ROLE_PERMISSIONS = {
    Role.EDITOR: {Permission.EDIT_DATASETS, Permission.PUBLISH_DATASETS},
    Role.ADMIN: {
        Permission.EDIT_DATASETS,
        Permission.PUBLISH_DATASETS,
        Permission.WITHDRAW_DATASETS,
        Permission.RELEASE_PERSONAL_DATA,
        Permission.MANAGE_MEMBERS,
    },
}


@dataclass(frozen=True, slots=True)
class Actor:
    """`person_id` is None for visitors and for the system itself; `via` is web, token, cli or system."""

    person_id: str | None
    name: str
    via: str
    is_platform_admin: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        return self.person_id is not None or self.is_platform_admin

    def may(self, permission: Permission, agency_code: str | None = None) -> bool:
        if self.is_platform_admin:
            return True
        role = self.roles.get(agency_code) if agency_code else None
        return role is not None and permission in _ROLE_PERMISSIONS[role]

    def require(self, permission: Permission, agency_code: str | None = None) -> None:
        """Raises UnauthenticatedError for visitors, ForbiddenError for people without the right."""
        if self.may(permission, agency_code):
            return
        raise ForbiddenError if self.is_known else UnauthenticatedError

    def agencies_allowing(self, permission: Permission) -> frozenset[str]:
        """Codes of agencies where this person has the permission by role (a platform admin has all)."""
        return frozenset(code for code in self.roles if self.may(permission, code))


VISITOR = Actor(person_id=None, name="visitor", via="web")
SYSTEM = Actor(person_id=None, name="system", via="system", is_platform_admin=True)
COMMAND_LINE = Actor(person_id=None, name="command line", via="cli", is_platform_admin=True)
