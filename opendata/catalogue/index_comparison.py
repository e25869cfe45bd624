"""Proof that the search index says what the database says: `opendata check`.

Every dataset is compared, not a sample: that it is there once, and with the state, address, moment of the last
change and downloads of now. What still waits in the outbox is on its way and no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from opendata.catalogue.events import DATASET_CHANGED, changed_ids
from opendata.catalogue.models import Dataset
from opendata.catalogue.policy import EVERYTHING
from opendata.kernel.outbox import payloads_waiting
from opendata.search.port import SearchRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.kernel.db import Database
    from opendata.search.service import SearchService

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class IndexComparison:
    """Ids: in the database alone, in the index alone, in both but different. `waiting`: on their way."""

    datasets: int
    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    waiting: int = 0

    @property
    def is_equal(self) -> bool:
        return not (self.missing or self.surplus or self.different)

    def __str__(self) -> str:
        """One line for the operator, naming the first few of each kind."""
        kinds = (
            ("missing", self.missing),
            ("no longer in the database", self.surplus),
            ("different", self.different),
        )
        parts = [f"{len(ids)} {what} ({', '.join(ids[:_NAMED])})" for what, ids in kinds if ids]
        return "; ".join(parts) or f"{self.datasets} datasets, {self.waiting} on their way"


def compare_index(database: Database, search: SearchService) -> IndexComparison:
    """Reads both whole: seconds for a hundred thousand datasets. IndexUnusableError."""
    _, matches = search.scan(SearchRequest(access=frozenset({EVERYTHING}), limit=search.count()))
    held = {match.id: _told(match.kept.stored) for match in matches}
    with database.reading() as session:
        waiting = set(changed_ids(payloads_waiting(session, DATASET_CHANGED)))
        columns = (Dataset.id, Dataset.slug, Dataset.state, Dataset.modified_at, Dataset.download_count)
        rows = session.execute(select(*columns).order_by(Dataset.id)).all()
    missing, different = [], []
    for row in rows:
        told = held.pop(row.id, None)
        if row.id in waiting:
            continue
        if told is None:
            missing.append(row.id)
        elif told != (row.slug, row.state, row.modified_at.isoformat(), row.download_count):
            different.append(row.id)
    surplus = sorted(held.keys() - waiting)
    return IndexComparison(len(rows), tuple(missing), tuple(surplus), tuple(different), len(waiting))


def _told(stored: Mapping[str, Any]) -> tuple[object, ...]:
    return stored["slug"], stored["state"], stored["modified_at"], stored["downloads"]
