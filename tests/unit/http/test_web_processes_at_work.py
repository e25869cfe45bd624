"""How many requests are worked on at once, what holds no place, and who is sent to another process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Response

from opendata.http.neighbours import WebProcesses
from opendata.http.turns import AtWork, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

PATIENCE = 30.0
OTHER = """
import contextlib, pathlib, sys
from opendata.http.neighbours import WebProcesses
processes, held = WebProcesses(pathlib.Path(sys.argv[1])), contextlib.ExitStack()
for line in sys.stdin:
    held.close()
    for _ in range(int(line)):
        held.enter_context(processes.working())
    print("done", flush=True)
"""


class Neighbourhood:
    """Says what it was told to."""

    def __init__(self, *, idle: bool = False) -> None:
        self._idle = idle

    def working(self) -> AbstractContextManager[None]:
        return nullcontext()

    def have_time(self) -> bool:
        return self._idle


@pytest.mark.parametrize(
    ("short", "order"),
    [
        ([False] * 8, [0, 1, 2, 3, 4, 5, 6, 7]),
        ([True] * 8, [0, 1, 2, 3, 4, 5, 6, 7]),
        ([False, False, True, True], [2, 3, 0, 1]),
        # Three go before a long one, then it is its turn.
        ([False, True, True, True, True, False, True], [1, 2, 3, 0, 4, 6, 5]),
    ],
)
def test_places_are_given_in_the_order_of_asking_to_short_ones_first(
    short: list[bool], order: list[int]
) -> None:
    places, came_in, threads = Places(1), list[int](), []

    def enter(number: int) -> None:
        with places.place(short=short[number]):
            came_in.append(number)

    with places.place():
        for number in range(len(short)):
            threads.append(threading.Thread(target=enter, args=(number,)))
            threads[-1].start()
            while places.waiting() <= number:
                time.sleep(0.001)
        assert came_in == []
    for thread in threads:
        thread.join(PATIENCE)
    assert came_in == order


def test_as_many_work_at_once_as_there_are_places() -> None:
    came_in, ends = threading.Semaphore(0), threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        came_in.release()
        assert ends.wait(PATIENCE)
        start_response("200 OK", [])
        return [b""]

    client = Client(AtWork(app, 2, Neighbourhood()), Response)
    threads = [threading.Thread(target=client.get, args=("/",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert came_in.acquire(timeout=PATIENCE)
    assert came_in.acquire(timeout=PATIENCE)
    assert not came_in.acquire(timeout=0.1)
    ends.set()
    assert came_in.acquire(timeout=PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_long_answer_holds_no_place_while_it_leaves(method: str) -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield from (b"a", b"b")

        def close(self) -> None:
            closed.append(True)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        size = environ["QUERY_STRING"]
        start_response("200 OK", [("Content-Length", size)] if size else [])
        return Body()

    at_work = AtWork(app, 1, Neighbourhood())

    def asked(size: str) -> object:
        environ = EnvironBuilder(method=method, query_string=size).get_environ()
        return at_work(environ, lambda *_started: lambda _written: None)

    without_end, long = asked(""), asked("90000000")
    assert isinstance(without_end, Body)
    assert isinstance(long, Body)
    assert not closed
    assert asked("2") == [b"a", b"b"]
    assert closed == [True]


def test_an_app_that_fails_gives_its_place_away() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        raise LookupError

    client = Client(AtWork(app, 1, Neighbourhood()), Response)
    for _ in range(2):
        with pytest.raises(LookupError):
            client.get("/")


@pytest.mark.parametrize("idle", [True, False])
def test_the_connection_ends_where_another_process_has_time(idle: bool) -> None:
    client = Client(AtWork(Response("x"), 1, Neighbourhood(idle=idle)), Response)
    assert client.get("/").headers.get("Connection") == ("close" if idle else None)


@pytest.fixture
def works_on(tmp_path: Path) -> Iterator[Callable[[int], None]]:
    """Tells another process, which shares the file, how many requests it works on."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path / "shared")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:

        def told(count: int) -> None:
            assert other.stdin is not None
            assert other.stdout is not None
            print(count, file=other.stdin, flush=True)
            assert other.stdout.readline() == "done\n"

        told(0)
        yield told
        other.kill()


def test_a_process_with_much_more_work_sends_one_in_a_few_away(
    tmp_path: Path, works_on: Callable[[int], None]
) -> None:
    ours = WebProcesses(tmp_path / "shared")
    with ours.working(), ours.working(), ours.working():
        works_on(2)
        assert not any(ours.have_time() for _ in range(9))
        works_on(1)
        assert sum(ours.have_time() for _ in range(9)) == 3
    assert not any(ours.have_time() for _ in range(9))


def test_a_process_that_died_is_not_waited_for(tmp_path: Path, works_on: Callable[[int], None]) -> None:
    (tmp_path / "shared").write_bytes((5).to_bytes(4, sys.byteorder) * 64)
    ours = WebProcesses(tmp_path / "shared")
    works_on(1)
    works_on(0)
    with ours.working(), ours.working():
        assert sum(ours.have_time() for _ in range(9)) == 3
    works_on(1)
    with ours.working(), ours.working():
        assert not any(ours.have_time() for _ in range(9))


def test_a_process_alone_keeps_its_readers(tmp_path: Path) -> None:
    alone = WebProcesses(tmp_path / "shared")
    with alone.working(), alone.working(), alone.working(), alone.working():
        assert not any(alone.have_time() for _ in range(9))
