"""Views marked `in_turn` run one at a time in a process, whatever way each ends."""

from __future__ import annotations

import threading

import pytest

from opendata.http.turns import in_turn

PATIENCE = 30.0


def test_the_second_begins_when_the_first_has_ended() -> None:
    first_is_in, first_may_end, second_is_in = threading.Event(), threading.Event(), threading.Event()

    @in_turn(short=False)
    def first() -> None:
        first_is_in.set()
        assert first_may_end.wait(PATIENCE)
        assert not second_is_in.is_set()

    @in_turn(short=True)
    def second() -> None:
        second_is_in.set()

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert first_is_in.wait(PATIENCE)
    threads[1].start()
    assert not second_is_in.wait(0.1)
    first_may_end.set()
    assert second_is_in.wait(PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)


def test_a_search_that_fails_gives_its_turn_away() -> None:
    @in_turn(short=False)
    def failing(text: str) -> str:
        raise ValueError(text)

    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            failing("x")
    assert in_turn(short=False)(str.upper)("a") == "A"
