"""Which segments are joined beside the commits: until few are left, and seldom the same documents again."""

from __future__ import annotations

import random

import pytest

from opendata.search.engines.columns.joining import LARGEST, to_join

SMALL = 256
Segments = list[tuple[int, int]]


def joined(segments: Segments, chosen: list[int]) -> Segments:
    total = sum(segments[number][0] for number in chosen)
    return [one for number, one in enumerate(segments) if number not in chosen] + [(total, total)]


def tidied(segments: Segments) -> tuple[Segments, int]:
    """What is left in the end, and how many documents were written on the way."""
    written = 0
    while chosen := to_join(segments):
        written += sum(segments[number][0] for number in chosen)
        segments = joined(segments, chosen)
    return segments, written


def whole(*counts: int) -> Segments:
    return [(count, count) for count in counts]


@pytest.mark.parametrize(
    ("segments", "chosen"),
    [
        (whole(), []),
        (whole(100, 200, 250), []),
        (whole(50_000, 50_000, 300, 200), []),
        (whole(50_000, 50_000, 300, 200, 400), []),
        (whole(50_000, 50_000, 300, 500, 400), [2, 3, 4]),
        (whole(20_000, 300, 500, 400), [1, 2, 3]),
        (whole(20_000, 10_000, 300, 300), [2, 3]),
        (whole(20_000, 20_000, 20_000), [0, 1]),
        ([(20_000, 50_000)], [0]),
        ([(30_000, 50_000), (300, 300)], []),
        ([(100, 50_000), (300, 300)], []),
    ],
)
def test_what_is_joined(segments, chosen):
    assert to_join(segments) == chosen


@pytest.mark.parametrize("seed", range(20))
def test_few_segments_are_left_whatever_there_was(seed):
    rng = random.Random(seed)
    segments = [
        (rng.randint(1, count), count) for count in (rng.choice((300, 3000, 51_200)) for _ in range(30))
    ]
    total = sum(left for left, _ in segments)
    left, written = tidied(segments)
    assert sum(count for count, _ in left) == total
    assert max(count for count, _ in left) <= LARGEST
    between = [count for count, _ in left if SMALL < count <= LARGEST // 2]
    assert len(between) <= 2
    assert written <= 6 * total


def test_a_catalogue_that_grows_by_publications_is_written_a_few_times():
    """Each 257th publication leaves a segment that the commits do not join any more."""
    segments: Segments = []
    published, written = 100_000, 0
    for _ in range(published // 257):
        segments, more = tidied([*segments, (257, 257)])
        written += more
        assert len(segments) <= 2 + published // (LARGEST // 2)
    assert written / published < 20
