"""Keeps the search index in step with the database: the batch job behind `dataset.changed`.

The index is a cache. It is rebuilt whole, beside the one that answers, whenever it is missing, outdated
or damaged; a change is a fresh document made from the database, so running it twice does no harm.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from opendata.catalogue.events import DATASET_CHANGED
from opendata.catalogue.models import Dataset
from opendata.kernel.outbox import last_position, settled_after
from opendata.search.port import IndexState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opendata.catalogue.documents import DocumentBuilder
    from opendata.kernel.db import Database
    from opendata.search.port import SearchDocument
    from opendata.search.service import SearchService

log = logging.getLogger(__name__)

CHUNK = 500


class IndexDatasets:
    def __init__(self, database: Database, builder: DocumentBuilder, search: SearchService) -> None:
        self._database = database
        self._builder = builder
        self._search = search

    def run_batch(self, payloads: Sequence[Mapping[str, Any]], position: int) -> None:
        """Index the datasets named; those no longer in the database are removed. One commit.

        An index that was lost or damaged meanwhile is made again whole: begun anew with these few it would
        look ready and hide all others.
        """
        if self._search.status().state is not IndexState.READY:
            log.warning("the search index cannot be used any more: rebuilding")
            self.rebuild()
            return
        ids = list(dict.fromkeys(payload["dataset_id"] for payload in payloads))
        with self._database.reading() as session:
            documents = self._builder.build(session, ids)
        gone = set(ids) - {document.id for document in documents}
        self._search.index(documents, sorted(gone), position)

    def ensure_index(self) -> bool:
        """Rebuild when the index cannot be used as it is, else catch up; whether it was rebuilt."""
        state = self._search.status().state
        if state is IndexState.READY:
            self._catch_up(self._search.position() or 0)
            return False
        log.info("the search index is %s: rebuilding", state)
        self.rebuild()
        return True

    def rebuild(self) -> int:
        """Make the index again from the database, beside the one that answers; the number of documents."""
        with self._database.reading() as session:
            position = last_position(session)
        count = self._search.rebuild(self._everything(), position)
        self._catch_up(position)
        return count

    def _catch_up(self, position: int) -> None:
        """Index again what was settled after `position`: an index swapped in, or restored, may lack it."""
        with self._database.reading() as session:
            rows = settled_after(session, DATASET_CHANGED, position)
        for start in range(0, len(rows), CHUNK):
            batch = rows[start : start + CHUNK]
            self.run_batch([row.payload for row in batch], batch[-1].id)

    def _everything(self) -> Iterator[SearchDocument]:
        last = ""
        while True:
            with self._database.reading() as session:
                chosen = select(Dataset.id).where(Dataset.id > last).order_by(Dataset.id).limit(CHUNK)
                ids = list(session.scalars(chosen))
                if not ids:
                    return
                yield from self._builder.build(session, ids)
            last = ids[-1]
