"""Which segments, and which deletions in them, make up an index: one small file that is replaced as a whole.

A commit writes new files beside the old ones, then the list of what counts, then removes what counts no more; a
writer that dies leaves files that nobody lists. Small segments are joined with each commit, so that a search
asks few of them: all up to 256 documents into one, and four of about a size into the next size, up to MOST_JOINED.
"""

from __future__ import annotations

import json
import os
import uuid
import zlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.kernel.durable import replace_file
from opendata.search.analysis import View
from opendata.search.engines.columns.arrays_file import open_arrays, verify_file, write_arrays
from opendata.search.engines.columns.joining import BESIDE, Joining, Part, beside, to_join
from opendata.search.engines.columns.merging import merged_arrays
from opendata.search.engines.columns.postings import MOST_BOOSTS
from opendata.search.engines.columns.segment import Segment
from opendata.search.engines.columns.snapshot import ColumnsSnapshot, Held
from opendata.search.engines.columns.writing import SMALL, Before, SegmentWriter, in_memory, open_segment
from opendata.search.fields import scoring_fields
from opendata.search.folder import DamagedIndexError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from pathlib import Path

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.word_columns import Lengths
    from opendata.search.engines.columns.writing import Written
    from opendata.search.port import Documents, IndexSchema

_COMMIT: Final = "commit.json"
# Joining that many documents takes a quarter of a second; larger segments are joined beside the commits.
MOST_JOINED: Final = 1 << 12
_TIER: Final = 4


@dataclass(slots=True, eq=False)
class _Entry:
    """A segment of a commit; `fresh` ones are written with it. `deletions` names their file, empty for none."""

    segment: Segment
    alive: Flags
    lengths: Lengths
    deletions: str = ""
    is_fresh: bool = False

    @property
    def left(self) -> int:
        return int(np.count_nonzero(self.alive))

    def delete(self, documents: Sequence[int]) -> None:
        if any(self.alive[documents]):
            self.alive = self.alive.copy()
            self.alive[documents] = False
            self.deletions = ""


@dataclass(slots=True)
class _Commit:
    position: int = 0
    entries: list[_Entry] = field(default_factory=list)


class ColumnsFormat:
    """An IndexFormat. One writer at a time, which the folder's lock sees to."""

    name = "columns1"

    def __init__(self, schema: IndexSchema) -> None:
        if len(schema.boosts()) > MOST_BOOSTS:
            raise ValueError(f"texts have at most {MOST_BOOSTS} different boosts")
        if {"access", "suggestions"} & set(schema.facets):
            raise ValueError("access and suggestions cannot be names of facets")
        self.schema = schema
        self._names = [name for view, _, name in scoring_fields(schema) if view is not View.PAIRS]

    def write(self, path: Path, upserts: Documents, deletes: Iterable[str], position: int) -> None:
        commit = self._read(path) if (path / _COMMIT).exists() else _Commit()
        commit.position = position
        _delete(commit.entries, list(deletes))
        self._add(commit, upserts, path)
        self._join(commit, path)
        self._store(commit, path)

    def stamp(self, path: str) -> Hashable:
        status = os.stat(f"{path}/{_COMMIT}")  # noqa: PTH116 - see FolderEngine
        return status.st_ino, status.st_mtime_ns, status.st_size

    def verify(self, path: Path) -> None:
        """Each file once: a commit that removes one meanwhile is no reason to read all others again."""
        verified: set[str] = set()
        while missing := [name for name in _files_of(_listed(path)) if name not in verified]:
            for name in missing:
                try:
                    verify_file(path / name)
                except FileNotFoundError:
                    if name in _files_of(_listed(path)):
                        raise
                verified.add(name)

    def snapshot(self, path: Path) -> ColumnsSnapshot:
        commit = self._read(path)
        held = [Held(entry.segment, entry.alive, entry.left > SMALL) for entry in commit.entries]
        return ColumnsSnapshot(self.schema, held, commit.position)

    def joining(self, path: Path) -> Joining | None:
        """What is to be joined beside the commits. FileNotFoundError where one is written just now."""
        entries = self._read(path).entries
        chosen = [entries[number] for number in to_join([(one.left, one.segment.count) for one in entries])]
        parts = tuple(Part(one.segment.name, one.alive) for one in chosen)
        return Joining(self.schema, path, parts) if parts else None

    def put_in_place(self, path: Path, joining: Joining, name: str) -> bool:
        """A commit with what was joined, without what was deleted from its parts since; False where a part is gone."""
        commit = self._read(path)
        entries = {entry.segment.name: entry for entry in commit.entries}
        if not all(part.name in entries for part in joining.parts):
            beside(path, name).unlink()
            return False
        beside(path, name).rename(path / f"{name}.seg")
        group = [entries[part.name] for part in joining.parts]
        joined = _Entry(
            open_segment(self.schema, path / f"{name}.seg"),
            np.concatenate([one.alive[part.alive] for one, part in zip(group, joining.parts, strict=True)]),
            self._lengths_of(group),
        )
        commit.entries = [joined, *(entry for entry in commit.entries if entry not in group)]
        self._store(commit, path)
        return True

    def _read(self, path: Path) -> _Commit:
        listed = _listed(path)
        return _Commit(listed["position"], [self._entry(path, each) for each in listed["segments"]])

    def _entry(self, path: Path, listed: dict[str, Any]) -> _Entry:
        segment = open_segment(self.schema, path / f"{listed['name']}.seg")
        alive = np.ones(segment.count, bool)
        if listed["deletions"]:
            alive[open_arrays(path / listed["deletions"])["deleted"]] = False
        return _Entry(segment, alive, listed["lengths"], listed["deletions"])

    def _add(self, commit: _Commit, upserts: Documents, path: Path) -> None:
        """New segments for documents, of which those of the same id go; of two with one id the last one stays."""
        earlier = list(commit.entries)
        fresh: list[tuple[_Entry, Array]] = []
        largest = max(
            ((one.segment.name, one.segment.count) for one in earlier),
            key=lambda one: one[1],
            default=("", 0),
        )
        before = Before(
            sum(one.segment.count for one in earlier),
            {name: sum(one.lengths[name] for one in earlier) for name in self._names},
            largest,
        )
        for written in upserts.made_by(partial(SegmentWriter, self.schema, path, before)):
            entry = self._written(written, path)
            ids = [name.decode() for name in entry.segment.ids.all()]
            _delete(earlier, ids)
            for other, chunks in fresh:
                _keep_last(other, chunks, entry, written.chunks, other.segment.numbers_of(ids))
            fresh.append((entry, written.chunks))
            commit.entries.append(entry)

    def _written(self, written: Written, path: Path) -> _Entry:
        """A large segment is in its file already and takes no memory."""
        if written.arrays is None:
            segment = open_segment(self.schema, path / f"{written.name}.seg")
        else:
            segment = Segment(self.schema, written.name, written.arrays)
        is_fresh = written.arrays is not None
        entry = _Entry(segment, np.ones(written.count, bool), written.lengths, is_fresh=is_fresh)
        entry.delete(written.gone)
        return entry

    def _join(self, commit: _Commit, path: Path) -> None:
        commit.entries = [entry for entry in commit.entries if entry.left]
        small = [entry for entry in commit.entries if entry.left <= SMALL]
        half_empty = [
            [entry]
            for entry in commit.entries
            if SMALL < entry.left <= MOST_JOINED and 2 * entry.left < entry.segment.count
        ]
        if len(small) > 1:
            self._replace(commit, small, path)
        for group in half_empty:
            self._replace(commit, group, path)
        limit = SMALL
        while limit < MOST_JOINED:
            alike = [entry for entry in commit.entries if limit < entry.left <= limit * _TIER]
            if len(alike) >= _TIER and sum(entry.left for entry in alike) <= MOST_JOINED:
                self._replace(commit, alike, path)
            limit *= _TIER

    def _replace(self, commit: _Commit, group: Sequence[_Entry], path: Path) -> None:
        """Some entries by one that holds what is left of them."""
        name, count = uuid.uuid4().hex, sum(entry.left for entry in group)
        arrays = merged_arrays(self.schema, [(entry.segment, entry.alive) for entry in group], path)
        if count <= SMALL:
            segment = Segment(self.schema, name, in_memory(arrays))
        else:
            write_arrays(path / f"{name}.seg", arrays)
            segment = open_segment(self.schema, path / f"{name}.seg")
        joined = _Entry(segment, np.ones(count, bool), self._lengths_of(group), is_fresh=count <= SMALL)
        commit.entries = [*(entry for entry in commit.entries if entry not in group), joined]

    def _lengths_of(self, group: Sequence[_Entry]) -> Lengths:
        """About how many words are left in each scoring field."""
        return {
            name: sum(entry.lengths[name] * entry.left // entry.segment.count for entry in group)
            for name in self._names
        }

    def _store(self, commit: _Commit, path: Path) -> None:
        listed = []
        for entry in commit.entries:
            name = entry.segment.name
            if entry.is_fresh:
                write_arrays(path / f"{name}.seg", entry.segment.arrays.items())
            if not entry.deletions and not entry.alive.all():
                entry.deletions = f"{name}.{uuid.uuid4().hex}.del"
                deleted = np.flatnonzero(~entry.alive).astype(np.uint16)
                write_arrays(path / entry.deletions, [("deleted", deleted)])
            listed.append({"name": name, "deletions": entry.deletions, "lengths": entry.lengths})
        content = json.dumps({"position": commit.position, "segments": listed}).encode()
        replace_file(path / _COMMIT, b"%08x\n" % zlib.crc32(content) + content)
        counting = {
            _COMMIT,
            *(f"{each['name']}.seg" for each in listed),
            *(each["deletions"] for each in listed),
        }
        for file in path.iterdir():
            if file.name not in counting and file.suffix != BESIDE:
                file.unlink()


def _keep_last(
    one: _Entry, chunks: Array, later: _Entry, later_chunks: Array, numbers: Sequence[int]
) -> None:
    """Of two documents with one id in segments made beside each other that of the later chunk stays. `numbers`: of the
    documents of `one` with an id of `later`, which was finished later.
    """
    for number in numbers:
        same = later.segment.numbers_of([one.segment.id(number)])
        if later_chunks[same].max() >= chunks[number]:
            one.delete([number])
        else:
            later.delete(same)


def _delete(entries: Iterable[_Entry], ids: Sequence[str]) -> None:
    for entry in entries:
        entry.delete(entry.segment.numbers_of(ids))


def _files_of(listed: Mapping[str, Any]) -> list[str]:
    names = [(f"{each['name']}.seg", each["deletions"]) for each in listed["segments"]]
    return [name for both in names for name in both if name]


def _listed(path: Path) -> dict[str, Any]:
    checksum, _, content = (path / _COMMIT).read_bytes().partition(b"\n")
    if b"%08x" % zlib.crc32(content) != checksum:
        raise DamagedIndexError("the list of segments is not what was written")
    read: dict[str, Any] = json.loads(content)
    return read
