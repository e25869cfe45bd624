"""What the page of a dataset says beyond the dataset itself: facts of the profile, and its history in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opendata.http.context import services, speak

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from opendata.catalogue.profile import ProfileField
    from opendata.catalogue.queries import DatasetView, RevisionView

# Fields that have their own place on the page; every other one is listed among the facts by itself.
_PLACED: Final = {
    "title", "description", "keywords", "theme", "publisher", "place", "license", "frequency", "period_start",
    "period_end",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One revision; `fields` are the labels of what it changed, none for the first that this person sees."""

    number: int
    at: dt.datetime
    by: str
    fields: tuple[str, ...]
    is_oldest: bool


def all_fields(dataset: DatasetView) -> dict[str, Any]:
    """The metadata with None for what was not given, so that a page may ask for any field of the profile."""
    return {**dict.fromkeys(services().profile.by_name), **dataset.fields}


def further_fields(dataset: DatasetView) -> tuple[ProfileField, ...]:
    """Given fields without a place of their own: one more in the profile shows up without a change here."""
    return tuple(
        item
        for item in services().profile.fields
        if item.name not in _PLACED and dataset.fields.get(item.name)
    )


def changes(revisions: Sequence[RevisionView]) -> tuple[Change, ...]:
    """Newest first, as given."""
    olders: list[RevisionView | None] = [*revisions[1:], None]
    return tuple(
        Change(revision.number, revision.at, revision.by, _changed(revision, older), older is None)
        for revision, older in zip(revisions, olders, strict=True)
    )


def _changed(revision: RevisionView, older: RevisionView | None) -> tuple[str, ...]:
    if older is None:
        return ()
    known = services().profile.by_name
    names = [n for n in {**older.fields, **revision.fields} if revision.fields.get(n) != older.fields.get(n)]
    return tuple(speak().pick(dict(known[name].labels)) if name in known else name for name in names)
