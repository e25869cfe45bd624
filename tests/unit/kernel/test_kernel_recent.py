"""The table of what was asked for most recently, against a plain list kept in the order of use."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from opendata.kernel.recent import MostRecent

MOST = 4


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 7)), max_size=60))
def test_the_value_asked_for_longest_ago_is_dropped(steps: list[tuple[bool, int]]) -> None:
    kept: MostRecent[int, str] = MostRecent(MOST)
    used: list[tuple[int, str]] = []
    for number, (is_put, key) in enumerate(steps):
        held = dict(used)
        if is_put:
            kept.put(key, f"{key}-{number}")
            held[key] = f"{key}-{number}"
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
