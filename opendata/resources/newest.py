"""Which version of a file is its newest upload: one condition for reads and writes.

The number decides, not the moment: two uploads of one second are still one after the other. Readers may get an
older one (`Resource.current_version_id`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from opendata.resources.models import ResourceVersion

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select


def is_newest() -> ColumnElement[bool]:
    """For any statement over versions: this one is the last that was sent of its file."""
    other = aliased(ResourceVersion)
    last = select(func.max(other.number)).where(other.resource_id == ResourceVersion.resource_id)
    return ResourceVersion.number == last.correlate(ResourceVersion).scalar_subquery()


def newest_version(resource_id: str) -> Select[ResourceVersion]:
    """The newest upload of one file; every file has one."""
    return select(ResourceVersion).where(ResourceVersion.resource_id == resource_id, is_newest())
