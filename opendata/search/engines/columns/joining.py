"""Larger segments joined beside the commits: in a process of its own, while others go on searching and writing.

A search asks each segment anew, which takes a fifth of a millisecond however little is in it: a commit is fast to search
where it has few. Joining 50,000 documents takes seconds, more than a publication may wait for.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.search.engines.columns.arrays_file import write_arrays
from opendata.search.engines.columns.merging import merged_arrays
from opendata.search.engines.columns.writing import BUILT_AT_ONCE, SMALL, open_segment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opendata.search.engines.columns.listed import Flags
    from opendata.search.port import IndexSchema

# A process that joins so many documents takes 240 MB.
LARGEST: Final = BUILT_AT_ONCE
# Of segments that are not yet half as large so many stay apart: with fewer each document would be written more often.
_MOST_APART: Final = 2
# What is larger than so many times all smaller ones together is left alone.
_ALIKE: Final = 2
# Of a file that no commit lists yet, and that commits leave where it is.
BESIDE: Final = ".beside"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A segment, and which of its documents were left when joining began."""

    name: str
    alive: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Joining:
    """Parts of an index in the folder `path` that are to be one segment. Called in a process of its own."""

    schema: IndexSchema
    path: Path
    parts: tuple[Part, ...]

    def __call__(self) -> str | None:
        """The name of the segment made, in the file `beside`; None where a commit has removed a part meanwhile."""
        for left in self.path.glob(f"*{BESIDE}"):  # by one that was killed
            left.unlink()
        name = uuid.uuid4().hex
        try:
            held = [
                (open_segment(self.schema, self.path / f"{part.name}.seg"), part.alive) for part in self.parts
            ]
        except FileNotFoundError:
            return None
        write_arrays(beside(self.path, name), merged_arrays(self.schema, held, self.path))
        return name


def beside(path: Path, name: str) -> Path:
    return path / f"{name}{BESIDE}"


def to_join(segments: Sequence[tuple[int, int]]) -> list[int]:
    """Which of some segments are to be one, empty for none. Of each is given how many documents it has left, of how many.

    Those of SMALL are left to the commits. What is half empty is written anew, whatever else there is.
    """
    sizes = {
        number: left for number, (left, _) in enumerate(segments) if left > SMALL and 2 * left <= LARGEST
    }
    for number, left in sizes.items():
        if 2 * left < segments[number][1]:
            return [number]
    if len(sizes) <= _MOST_APART:
        return []
    chosen: list[int] = []
    total = 0
    for number, left in sorted(sizes.items(), key=lambda one: one[1]):
        if total + left > LARGEST or (len(chosen) > 1 and left > _ALIKE * total):
            break
        chosen.append(number)
        total += left
    return sorted(chosen)
