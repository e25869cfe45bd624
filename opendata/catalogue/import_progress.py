"""How far an import that is indexed while it is stored has come: which outbox rows are whole in the index.

Used by `IndexDatasets.run_beside`. Documents come in the order of their batches, some batches after these were
stored, and a commit of the index ends between two batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opendata.catalogue.import_batch import WrittenBatch
    from opendata.search.port import PreparedDocument


class ImportProgress:
    """`is_full` is asked, before a further batch joins a commit, with how many are in it."""

    def __init__(self, written: Iterator[WrittenBatch], is_full: Callable[[int], bool]) -> None:
        self._written = written
        self._is_full = is_full
        self._row_of: dict[str, int] = {}
        self._reached = 0
        self._next: PreparedDocument | None = None
        self.rows: list[int] = []
        """Of batches that are stored and not yet settled, in order."""
        self.at_end = False

    def ids(self) -> Iterator[Sequence[str]]:
        """The datasets of each batch, once it is stored."""
        for batch in self._written:
            self.rows.append(batch.row_id)
            for dataset_id in batch.dataset_ids:
                self._row_of.setdefault(dataset_id, batch.row_id)  # twice where lines named it in two ways
            yield batch.dataset_ids

    def of_one_commit(self, documents: Iterator[PreparedDocument]) -> Iterator[PreparedDocument]:
        """Those of the batches that belong together; call again until `at_end`."""
        batches = 0
        while (document := self._next or next(documents, None)) is not None:
            self._next = None
            row = self._row_of.get(document.id, 0)
            if row > self._reached:
                if batches and self._is_full(batches):
                    self._next = document
                    return
                self._reached = row
                batches += 1
            self._row_of.pop(document.id, None)
            yield document
        self.at_end = True

    def whole(self) -> list[int]:
        """The rows of which all documents were given out."""
        return [row for row in self.rows if self.at_end or row <= self._reached]

    def settle(self, rows: Sequence[int]) -> None:
        settled = set(rows)
        self.rows = [row for row in self.rows if row not in settled]
