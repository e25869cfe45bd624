"""The table of what was asked for most recently, against a plain list kept in the order of use."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from opendata.kernel.recent import MostRecent

MOST = 4


@given(st.lists(st.tuples(st.sampled_from(["put", "get", "drop"]), st.integers(0, 7)), max_size=60))
def test_the_value_asked_for_longest_ago_is_dropped(steps: list[tuple[str, int]]) -> None:
    kept: MostRecent[int, str] = MostRecent(MOST)
    used: list[tuple[int, str]] = []
    for number, (step, key) in enumerate(steps):
        held = dict(used)
        if step == "put":
            kept.put(key, f"{key}-{number}")
            held[key] = f"{key}-{number}"
        elif step == "drop":
            kept.drop(key)
            held.pop(key, None)
            used = list(held.items())
        else:
            assert kept.get(key) == held.get(key)
        if key in held:
            used = [*((k, v) for k, v in used if k != key), (key, held[key])][-MOST:]
        assert len(kept) == len(used)
    assert [kept.get(key) for key in range(8)] == [dict(used).get(key) for key in range(8)]


def test_threads_share_it() -> None:
    kept: MostRecent[int, int] = MostRecent(8)
    wrong: list[object] = []

    def use(start: int) -> None:
        for number in range(start, start + 3000):
            key = number % 20
            kept.put(key, key * 10)
            found = kept.get((key + 3) % 20)
            if found not in {None, (key + 3) % 20 * 10}:
                wrong.append(found)

    threads = [threading.Thread(target=use, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(kept) == 8


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 12)), max_size=40))
def test_values_may_count_for_what_they_take(steps: list[tuple[int, int | None]]) -> None:
    """No size: it is dropped."""
    kept: MostRecent[int, str] = MostRecent(20, len)
    held: list[tuple[int, str]] = []
    for key, size in steps:
        held = [(k, v) for k, v in held if k != key]
        if size is None:
            kept.drop(key)
        else:
            kept.put(key, "x" * size)
            held.append((key, "x" * size))
        while sum(len(value) for _, value in held) > 20:
            del held[0]
    assert [kept.get(key) for key in range(6)] == [dict(held).get(key) for key in range(6)]


def test_a_value_that_takes_more_than_all_is_not_kept() -> None:
    kept: MostRecent[str, str] = MostRecent(4, len)
    kept.put("small", "xx")
    kept.put("large", "xxxxx")
    assert kept.get("large") is None
    assert len(kept) == 0
    kept.put("small", "xx")
    assert kept.get("small") == "xx"
