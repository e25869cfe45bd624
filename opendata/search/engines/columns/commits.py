"""Which segments, and which deletions in them, make up an index: one small file that is replaced as a whole.

A commit writes new files beside the old ones, then the list of what counts, then removes what counts no more; a
writer that dies leaves files that nobody lists. Small segments are joined with each commit, so that a search
asks few of them: all up to 256 documents into one, and four of about a size into the next size, up to MOST_JOINED.
"""

from __future__ import annotations

import json
import uuid
import weakref
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.kernel.durable import replace_file
from opendata.search.analysis import View
from opendata.search.engines.columns.arrays_file import open_arrays, verify_file, write_arrays
from opendata.search.engines.columns.builder import Lengths, SegmentBuilder
from opendata.search.engines.columns.merging import merged_arrays
from opendata.search.engines.columns.postings import MOST_BOOSTS
from opendata.search.engines.columns.segment import Segment
from opendata.search.engines.columns.snapshot import ColumnsSnapshot, Held
from opendata.search.fields import scoring_fields
from opendata.search.folder import DamagedIndexError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from pathlib import Path

    from opendata.search.engines.columns.listed import Flags
    from opendata.search.port import IndexSchema, PreparedDocument

_COMMIT: Final = "commit.json"
# A segment being built takes about 25 KB of memory a document.
BUILT_AT_ONCE: Final = 1 << 14
# Joining that many documents takes about a second; larger segments stay as they are.
MOST_JOINED: Final = 1 << 14
_SMALL: Final = 256
_TIER: Final = 4
# From so many documents it is seen in which texts a word is rare; fewer ask a larger segment.
_TELLING: Final = 256


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
        # A new commit keeps most segments of the one before it.
        self._opened: weakref.WeakValueDictionary[str, Segment] = weakref.WeakValueDictionary()

    def write(
        self, path: Path, upserts: Iterable[PreparedDocument], deletes: Iterable[str], position: int
    ) -> None:
        commit = self._read(path) if (path / _COMMIT).exists() else _Commit()
        commit.position = position
        _delete(commit.entries, list(deletes))
        self._add(commit, upserts, path)
        self._join(commit)
        self._store(commit, path)

    def stamp(self, path: Path) -> Hashable:
        status = (path / _COMMIT).stat()
        return status.st_ino, status.st_mtime_ns, status.st_size

    def verify(self, path: Path) -> None:
        for listed in _listed(path)["segments"]:
            verify_file(path / f"{listed['name']}.seg")
            if listed["deletions"]:
                verify_file(path / listed["deletions"])

    def snapshot(self, path: Path) -> ColumnsSnapshot:
        commit = self._read(path)
        held = [Held(entry.segment, entry.alive) for entry in commit.entries]
        return ColumnsSnapshot(self.schema, held, commit.position)

    def _read(self, path: Path) -> _Commit:
        listed = _listed(path)
        return _Commit(listed["position"], [self._entry(path, each) for each in listed["segments"]])

    def _entry(self, path: Path, listed: dict[str, Any]) -> _Entry:
        segment = self._opened.get(listed["name"])
        if segment is None:
            segment = Segment.open(self.schema, path / f"{listed['name']}.seg")
            self._opened[listed["name"]] = segment
        alive = np.ones(segment.count, bool)
        if listed["deletions"]:
            alive[open_arrays(path / listed["deletions"])["deleted"]] = False
        return _Entry(segment, alive, listed["lengths"], listed["deletions"])

    def _add(self, commit: _Commit, upserts: Iterable[PreparedDocument], path: Path) -> None:
        """New segments for documents, of which those of the same id go; of two with one id the last one stays."""
        builder, inside = SegmentBuilder(self.schema), dict[str, int]()
        gone: list[int] = []

        def finish() -> None:
            entry = self._built(commit, builder, path)
            entry.delete(gone)
            _delete(commit.entries, list(inside))
            commit.entries.append(entry)

        for document in upserts:
            if document.id in inside:
                gone.append(inside[document.id])
            inside[document.id] = len(builder)
            builder.add(document)
            if len(builder) >= BUILT_AT_ONCE:
                finish()
                builder, inside, gone = SegmentBuilder(self.schema), {}, []
        if len(builder):
            finish()

    def _built(self, commit: _Commit, builder: SegmentBuilder, path: Path) -> _Entry:
        """A segment of what a builder holds; a large one is in its file at once and takes no memory."""
        lengths, count = builder.lengths(), len(builder)
        documents = count + sum(entry.segment.count for entry in commit.entries)
        averages = {
            name: (lengths[name] + sum(entry.lengths[name] for entry in commit.entries)) / documents
            for name in self._names
        }
        largest = max((entry.segment for entry in commit.entries), key=lambda one: one.count, default=None)
        usual = largest.usual if largest and count < _TELLING < largest.count else None
        arrays, name = builder.arrays(averages, documents, usual), uuid.uuid4().hex
        if count <= _SMALL:
            segment = Segment(self.schema, name, dict(arrays))
        else:
            write_arrays(path / f"{name}.seg", arrays)
            segment = Segment.open(self.schema, path / f"{name}.seg")
        return _Entry(segment, np.ones(count, bool), lengths, is_fresh=count <= _SMALL)

    def _join(self, commit: _Commit) -> None:
        commit.entries = [entry for entry in commit.entries if entry.left]
        small = [entry for entry in commit.entries if entry.left <= _SMALL]
        half_empty = [
            [entry]
            for entry in commit.entries
            if entry.left > _SMALL and 2 * entry.left < entry.segment.count
        ]
        if len(small) > 1:
            self._replace(commit, small)
        for group in half_empty:
            self._replace(commit, group)
        limit = _SMALL
        while limit < MOST_JOINED:
            alike = [entry for entry in commit.entries if limit < entry.left <= limit * _TIER]
            if len(alike) >= _TIER and sum(entry.left for entry in alike) <= MOST_JOINED:
                self._replace(commit, alike)
            limit *= _TIER

    def _replace(self, commit: _Commit, group: Sequence[_Entry]) -> None:
        """Some entries by one that holds what is left of them."""
        arrays = merged_arrays(self.schema, [(entry.segment, entry.alive) for entry in group])
        segment = Segment(self.schema, uuid.uuid4().hex, arrays)
        lengths = {
            name: sum(entry.lengths[name] * entry.left // entry.segment.count for entry in group)
            for name in self._names
        }
        commit.entries = [entry for entry in commit.entries if entry not in group]
        commit.entries.append(_Entry(segment, np.ones(segment.count, bool), lengths, is_fresh=True))

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
            if file.name not in counting:
                file.unlink()


def _delete(entries: Iterable[_Entry], ids: Sequence[str]) -> None:
    for entry in entries:
        entry.delete(entry.segment.numbers_of(ids))


def _listed(path: Path) -> dict[str, Any]:
    checksum, _, content = (path / _COMMIT).read_bytes().partition(b"\n")
    if b"%08x" % zlib.crc32(content) != checksum:
        raise DamagedIndexError("the list of segments is not what was written")
    read: dict[str, Any] = json.loads(content)
    return read
