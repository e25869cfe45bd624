"""What the officer's pages say of files that wait for a person: why, and where to decide.

Called by the list of datasets and by the workbench of one. A file in order is not listed; one in work is counted by the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opendata.http.context import speak
from opendata.kernel.errors import N_
from opendata.web import addresses
from opendata.web.reading_form import columns_asked_about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.resources.queries import ResourceView, ShelfFile


@dataclass(frozen=True, slots=True)
class Waiting:
    """`reason` in a few words, and the page where the person decides, mends or answers."""

    filename: str
    reason: str
    invitation: str
    link: str
    is_fault: bool = False


def files_waiting(slug: str, files: Sequence[ShelfFile]) -> tuple[Waiting, ...]:
    return tuple(found for file in files if (found := waiting(slug, file)) is not None)


def waiting(slug: str, file: ShelfFile | ResourceView) -> Waiting | None:
    """None for a file in order, or in work."""
    say, latest = speak(), file.latest
    link = addresses.page("publishing_files.progress", slug=slug, resource_id=file.id)
    if latest.is_held:
        found = say.ngettext(
            "Personal data: %(count)s finding", "Personal data: %(count)s findings", len(latest.findings)
        )
        return Waiting(latest.filename, found, say.gettext(N_("Decide")), link)
    if latest.has_faulty_rows:
        reason = say.gettext(N_("Rows with errors"))
        return Waiting(latest.filename, reason, say.gettext(N_("Decide")), link, is_fault=True)
    if latest.is_settled and not latest.is_public:
        reason = say.gettext(N_("Not published"))
        return Waiting(latest.filename, reason, say.gettext(N_("See why")), link, is_fault=True)
    asked = columns_asked_about(file) if latest.is_settled else 0
    if asked:
        link = addresses.page("publishing_decisions.reading", slug=slug, resource_id=file.id)
        found = say.ngettext("%(count)s ambiguous column", "%(count)s ambiguous columns", asked)
        return Waiting(latest.filename, found, say.gettext(N_("Choose which is right")), link)
    return None
