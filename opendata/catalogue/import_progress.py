"""How far an import that is indexed while it is stored has come: which outbox rows are whole in the index.

Used by `IndexDatasets.run_beside`. A commit of the index ends between two batches, so that it holds all datasets of a row
or none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opendata.catalogue.import_batch import WrittenBatch


class ImportProgress:
    """`is_full` is asked, before a further batch joins a commit, with how many are in it."""

    def __init__(self, written: Iterator[WrittenBatch], is_full: Callable[[int], bool]) -> None:
        self._written = written
        self._is_full = is_full
        self.rows: list[int] = []
        """Of batches that are stored and whose rows are not yet ended, in order."""
        self.at_end = False

    def of_one_commit(self) -> Iterator[Sequence[str]]:
        """The datasets of each batch, once it is stored, of those that belong together; call again until `at_end`."""
        batches = 0
        while not (batches and self._is_full(batches)):
            batch = next(self._written, None)
            if batch is None:
                self.at_end = True
                return
            batches += 1
            self.rows.append(batch.row_id)
            yield batch.dataset_ids
