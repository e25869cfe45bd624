"""Keeps an index of its own in step on another machine, by reading the outbox and never writing to it.

Run by `opendata follow-index` beside the web of a node: the worker indexes for its own folder and marks the rows
as done, a follower reads the same rows after it. A follower that was away longer than done rows are kept
makes its index again from the database.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from opendata.catalogue.events import DATASET_CHANGED
from opendata.kernel.outbox import first_position, rows_after
from opendata.kernel.rests import doubled
from opendata.search.port import IndexState

if TYPE_CHECKING:
    import threading

    from opendata.catalogue.indexing import IndexDatasets
    from opendata.kernel.db import Database
    from opendata.search.service import SearchService

log = logging.getLogger(__name__)

# PostgreSQL gives out ids before it commits: a row may appear below one that was seen already.
OVERLAP: Final = 1000
BATCH: Final = 500
POLL_SECONDS: Final = 0.25
LONGEST_REST: Final = 30.0


class IndexFollower:
    def __init__(self, database: Database, search: SearchService, indexing: IndexDatasets) -> None:
        self._database = database
        self._search = search
        self._indexing = indexing
        self._done: set[int] = set()

    def follow(self, stopping: threading.Event) -> None:
        """Until told to stop; a database or an index that is away for a while is waited for."""
        failures = 0
        while not stopping.is_set():
            try:
                busy = self.follow_once()
                failures = 0
            except Exception:
                log.exception("the index cannot follow the outbox")
                busy, failures = False, failures + 1
            if not busy:
                stopping.wait(doubled(POLL_SECONDS, failures, LONGEST_REST))

    def follow_once(self) -> bool:
        """Index what is new in the outbox; whether there was any. Rebuilds an index that cannot catch up."""
        if self._search.status().state is not IndexState.READY or self._is_too_old():
            log.warning("the index cannot catch up with the outbox: rebuilding")
            self._indexing.rebuild()
            return True
        position = self._search.position() or 0
        with self._database.reading() as session:
            rows = rows_after(session, DATASET_CHANGED, position - OVERLAP)
        fresh = [row for row in rows if row.id not in self._done][:BATCH]
        if not fresh:
            return False
        self._indexing.run_batch([row.payload for row in fresh], max(position, fresh[-1].id))
        self._done = {row.id for row in rows if row.id in self._done or row.id <= fresh[-1].id}
        return True

    def _is_too_old(self) -> bool:
        with self._database.reading() as session:
            first = first_position(session)
        return first is not None and first > (self._search.position() or 0) + 1
