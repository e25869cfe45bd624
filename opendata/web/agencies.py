"""For which agencies a person may publish, as choices of a form, in the order of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opendata.accounts.policy import Permission
from opendata.http.context import services, speak
from opendata.kernel.text import sort_key

if TYPE_CHECKING:
    from opendata.accounts.policy import Actor


def publisher_choices(actor: Actor) -> tuple[tuple[str, str], ...]:
    """(code, name) of the agencies where this person may edit; agencies that are no more are left out."""
    found = [
        (agency.code, speak().pick(agency.name))
        for agency in services().account_queries.agencies()
        if actor.may(Permission.EDIT_DATASETS, agency.code) and agency.valid_to is None
    ]
    return tuple(sorted(found, key=lambda choice: sort_key(choice[1])))
