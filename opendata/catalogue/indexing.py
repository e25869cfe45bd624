"""Keeps the search index in step with the database: the batch job behind `dataset.changed`.

The index is a cache. It is rebuilt whole, beside the one that answers, whenever it is missing, outdated
or damaged; a change is a fresh document made from the database, so running it twice does no harm.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from opendata.catalogue.events import DATASET_CHANGED, changed_ids
from opendata.catalogue.import_progress import ImportProgress
from opendata.catalogue.models import Dataset
from opendata.kernel.errors import UnavailableError
from opendata.kernel.outbox import DONE, last_position, rows_after, settle_unclaimed, settled_after
from opendata.search.port import IndexState
from opendata.search.preparing import Elsewhere, Helpers, worthwhile_children

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opendata.catalogue.documents import DocumentBuilder
    from opendata.catalogue.import_batch import WrittenBatch
    from opendata.kernel.db import Database
    from opendata.kernel.outbox import OutboxRow
    from opendata.search.port import SearchDocument, Upserts
    from opendata.search.preparing import OpenSource
    from opendata.search.service import SearchService

log = logging.getLogger(__name__)

_OPEN_FILES = Path("/proc/self/fd")

CHUNK = 500
# A process takes a second to start and then saves half a millisecond a document.
WORTH_CHILDREN = 4000
# Of an import. The index is fast where it has few large segments, and each process makes one for every commit; nobody
# else writes to the index until then, so where somebody waits it comes sooner.
BATCHES_A_COMMIT = 128
FEWEST_A_COMMIT = 4


class IndexDatasets:
    """`open_source` lets other processes make documents as `builder` does, see search.preparing."""

    def __init__(
        self,
        database: Database,
        builder: DocumentBuilder,
        search: SearchService,
        open_source: OpenSource | None = None,
    ) -> None:
        self._database = database
        self.builder = builder
        self._search = search
        self._open_source = open_source

    def run_batch(self, payloads: Sequence[Mapping[str, Any]], position: int) -> None:
        """Index the datasets named; those no longer in the database are removed. One commit.

        An index that was lost or damaged meanwhile is made again whole: begun anew with these few it would
        look ready and hide all others.
        """
        if self._search.status().state is not IndexState.READY:
            log.warning("the search index cannot be used any more: rebuilding")
            self.rebuild()
            return
        ids = changed_ids(payloads)
        # All are removed first: what is no longer in the database is then not put back.
        self._search.index(self._documents(chunked(ids, CHUNK), len(ids)), ids, position)

    def helpers(self, *, copied: bool = False) -> Helpers | None:
        """Processes for `run_beside`, not yet started; None where they are of no use. A context, which ends them.

        `copied`: as copies of this process, where it has not yet asked the database. (SQLite counts the locks of a
        process, and a copy would take those of its parent for its own.)
        """
        children = worthwhile_children()
        if self._open_source is None or not children:
            return None
        return Helpers(self._open_source, children, copied=copied and not self._database_is_open_here())

    def _database_is_open_here(self) -> bool:
        return self._database.is_sqlite and _is_open_here(Path(self._database.url.database or "").resolve())

    def run_beside(self, written: Iterator[WrittenBatch], helpers: Helpers | None = None) -> bool:
        """Index batches of datasets while `written` goes on storing the next ones; False where that is not possible
        now: their outbox rows then wait as any others do, and what `written` still holds can be stored.

        Other processes make the documents, `helpers` where they are there already: they have the cores that storing leaves. A crash costs work only,
        since rows are ended after the commit that holds their datasets. What others change meanwhile is indexed
        between two commits.
        """
        helpers = helpers or self.helpers()
        if helpers is None or self._search.status().state is not IndexState.READY:
            return False
        progress = ImportProgress(
            written,
            lambda batches: (
                batches >= BATCHES_A_COMMIT
                or (batches >= FEWEST_A_COMMIT and bool(self._rows_of_others(progress)))
            ),
        )
        try:
            with helpers:
                while not progress.at_end:
                    ids = (chunk for ids in progress.of_one_commit() for chunk in chunked(ids, CHUNK))
                    self._search.index(helpers.documents(ids), (), self._search.position() or 0)
                    self._end_commit(progress)
        except UnavailableError as error:
            log.info("indexing beside storing is put off: %s", error)
            return False
        return True

    def _end_commit(self, progress: ImportProgress) -> None:
        """End the rows of an import that the index holds now, after what others did since the first of them.

        A dataset of the import may have been changed, and even indexed, after its document was made; and a
        worker seldom finds the moment at which the index is free.
        """
        whole, others = progress.rows, self._rows_of_others(progress)
        # How far the index has come is known only now.
        position = max([self._search.position() or 0, *whole])
        if others:
            self.run_batch([row.payload for row in others], max(position, others[-1].id))
        else:
            self._search.index((), (), position)
        with self._database.bookkeeping() as unit:
            settle_unclaimed(unit.session, [*whole, *(row.id for row in others)], DONE)
        progress.rows = []

    def _rows_of_others(self, progress: ImportProgress) -> list[OutboxRow]:
        """Changes since the oldest batch that is not settled, whatever became of them."""
        if not progress.rows:
            return []
        with self._database.reading() as session:
            return rows_after(session, DATASET_CHANGED, progress.rows[0], but=progress.rows)

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

    def _everything(self) -> Upserts:
        with self._database.reading() as session:
            count = session.scalar(select(func.count()).select_from(Dataset)) or 0
        return self._documents(self._all_ids(), count)

    def _all_ids(self) -> Iterator[list[str]]:
        last = ""
        while True:
            with self._database.reading() as session:
                chosen = select(Dataset.id).where(Dataset.id > last).order_by(Dataset.id).limit(CHUNK)
                ids = list(session.scalars(chosen))
            if not ids:
                return
            yield ids
            last = ids[-1]

    def _documents(self, chunks: Iterable[Sequence[str]], count: int) -> Upserts:
        """Made here, or by other processes where there are enough to be worth their start."""
        children = worthwhile_children()
        if count >= WORTH_CHILDREN and children and self._open_source is not None:
            return Elsewhere(self._open_source, chunks, children)
        return self._made_here(chunks)

    def _made_here(self, chunks: Iterable[Sequence[str]]) -> Iterator[SearchDocument]:
        for ids in chunks:
            with self._database.reading() as session:
                documents = self.builder.build(session, ids)
            yield from documents


def chunked(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _is_open_here(file: Path) -> bool:
    """Whether this process has `file` open, or a log beside it; True where the system does not tell."""
    if not _OPEN_FILES.is_dir():
        return True
    for link in _OPEN_FILES.iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile, as the list itself
            if str(link.readlink()).startswith(str(file)):
                return True
    return False
