"""Lines of a grouped answer: walks the hits in their order and joins those with the same key.

Called by both engines. How far it walks grows with the page asked for, so a first page reads some hundred
keys; what no walk reaches (beyond MOST_WALKED hits) is not on any page. Since a longer walk begins with the
shorter one, every document is on exactly one line over all pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

T = TypeVar("T")

MOST_WALKED: Final = 100_000
_FIRST_WALK: Final = 500
_STEP: Final = 4
# Editions of one series differ in a word or two, and so does their score in the last digits.
_EQUALLY_GOOD: Final = 0.995


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """A hit before it is read: `key` None where the document belongs to no group."""

    at: T
    score: float
    key: Hashable
    edition: float


@dataclass(frozen=True, slots=True)
class Lines(Generic[T]):
    """`count` is None where the walk ended before the hits did."""

    total: int
    shown: tuple[Candidate[T], ...]
    count: int | None
    more: bool


def read_lines(
    walk: Callable[[int], tuple[int, Iterable[Candidate[T]]]], offset: int, limit: int
) -> Lines[T]:
    """`walk(n)` gives the total and the first n hits."""
    reach = min(max(_FIRST_WALK, _STEP * (offset + limit)), MOST_WALKED)
    while True:
        total, candidates = walk(reach)
        lines = _joined(candidates)
        if len(lines) > offset + limit or reach >= min(total, MOST_WALKED):
            break
        reach = min(reach * _STEP, MOST_WALKED)
    count = len(lines) if reach >= total else None
    return Lines(total, tuple(lines[offset : offset + limit]), count, len(lines) > offset + limit)


def _joined(candidates: Iterable[Candidate[T]]) -> list[Candidate[T]]:
    lines: dict[Hashable, Candidate[T]] = {}
    best: dict[Hashable, float] = {}
    for number, candidate in enumerate(candidates):
        name = (candidate.key,) if candidate.key is not None else number
        held = lines.get(name)
        if held is None:
            lines[name] = candidate
            best[name] = candidate.score
        elif 0 < best[name] * _EQUALLY_GOOD <= candidate.score and candidate.edition > held.edition:
            lines[name] = candidate
    return list(lines.values())
