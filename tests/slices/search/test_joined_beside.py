"""Segments joined in another process while others search and write: nothing is lost, nothing comes back."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from opendata.search import folder
from opendata.search.port import IndexBusyError, SearchRequest
from opendata.search.preparing import PreparingError, called_elsewhere
from opendata.search.service import SearchService
from opendata.search.tidying import Tidying
from tests.contract.search.conftest import EVERYONE, SCHEMA, document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opendata.search.engines.columns.snapshot import ColumnsSnapshot

PARTS, EACH = 4, 300
NEVER = threading.Event()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SearchService]:
    """Of four segments that the commits leave apart."""
    monkeypatch.setattr("opendata.search.engines.columns.commits._TIER", PARTS + 1)
    made = SearchService(f"columns://{tmp_path}/index", SCHEMA)
    made.rebuild([document(f"p0d{number}", "Dân số") for number in range(EACH)], 0)
    for part in range(1, PARTS):
        made.index([document(f"p{part}d{number}", "Dân số") for number in range(EACH)], [], part)
    yield made
    made.close()


def segments(service: SearchService) -> list[int]:
    snapshot: ColumnsSnapshot = service._engine._usable()  # type: ignore[attr-defined]
    return [one.segment.count for one in snapshot._held]


def generation(service: SearchService) -> Path:
    root: Path = service._engine._root  # type: ignore[attr-defined]
    return root / (root / "CURRENT").read_text()


def found(service: SearchService, text: str = "") -> list[str]:
    response = service.search(SearchRequest(access=EVERYONE, text=text, limit=2000))
    assert response.total == len(response.hits)
    return sorted(hit.id for hit in response.hits)


def here(meanwhile: Callable[[], object]) -> Callable[..., object]:
    """In this process, and then something else before it is put in its place."""

    def called(action: Callable[[], object], _stopping: threading.Event) -> object:
        made = action()
        meanwhile()
        return made

    return called


def test_another_process_joins_them_and_every_answer_stays(service):
    before, position = found(service), service.position()
    assert segments(service) == [EACH] * PARTS
    assert service.tidy(NEVER)
    assert segments(service) == [EACH * PARTS]
    assert (found(service), service.position()) == (before, position)
    assert found(service, "dân số") == before
    assert not service.tidy(NEVER)
    again = SearchService(f"columns://{service._engine._root}", SCHEMA)
    assert found(again) == before
    assert [path.suffix for path in generation(service).iterdir() if path.name != "commit.json"] == [".seg"]


def test_what_is_written_meanwhile_is_there_and_what_is_removed_stays_away(service, monkeypatch):
    before = found(service)
    service.index([], ["p0d0", "p2d7"], 10)

    def write() -> None:
        service.index([document("new", "Giá đất"), document("p1d1", "Giá đất")], ["p3d3", "p0d1"], 11)

    monkeypatch.setattr(folder, "called_elsewhere", here(write))
    assert service.tidy(NEVER)
    gone = {"p0d0", "p2d7", "p3d3", "p0d1"}
    assert found(service) == sorted({*before, "new"} - gone)
    assert found(service, "đất") == ["new", "p1d1"]
    assert service.position() == 11
    assert len(segments(service)) == 2
    service.index([], ["p1d2"], 12)
    assert found(service) == sorted({*before, "new"} - gone - {"p1d2"})


def test_what_was_joined_is_of_no_use_after_a_rebuild(service, monkeypatch):
    monkeypatch.setattr(
        folder, "called_elsewhere", here(lambda: service.rebuild([document("only", "Dân số")], 20))
    )
    assert not service.tidy(NEVER)
    assert found(service) == ["only"]
    assert [path.suffix for path in generation(service).glob("*.*") if path.name != "commit.json"] == [".seg"]


def test_what_was_joined_is_of_no_use_where_a_commit_has_removed_a_part(service, monkeypatch):
    before = found(service)
    gone = [f"p1d{number}" for number in range(EACH)]
    monkeypatch.setattr(folder, "called_elsewhere", here(lambda: service.index([], gone, 20)))
    assert not service.tidy(NEVER)
    assert found(service) == sorted({*before} - {*gone})
    assert not list(generation(service).glob("*.beside"))
    monkeypatch.setattr(folder, "called_elsewhere", here(lambda: None))
    assert service.tidy(NEVER)
    assert found(service) == sorted({*before} - {*gone})


def test_a_part_that_is_gone_before_it_begins_is_no_error(service, monkeypatch):
    gone = [f"p1d{number}" for number in range(EACH)]

    def begun_too_late(action: Callable[[], object], _stopping: threading.Event) -> object:
        service.index([], gone, 20)
        # As in a process of its own, which holds no part.
        monkeypatch.setattr("opendata.search.engines.columns.joining.open_segment", opened_anew)
        return action()

    def opened_anew(_schema: object, path: Path) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr(folder, "called_elsewhere", begun_too_late)
    assert not service.tidy(NEVER)
    assert len(found(service)) == EACH * (PARTS - 1)


def test_the_commits_leave_a_file_in_the_making_and_the_next_joining_one_that_was_left(service):
    left = generation(service) / "killed.beside"
    left.write_bytes(b"half written")
    service.index([document("new", "Giá đất")], [], 10)
    assert left.exists()
    assert service.tidy(NEVER)
    assert not left.exists()


def test_half_of_a_large_segment_gone_it_is_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("opendata.search.engines.columns.commits.MOST_JOINED", 100)
    monkeypatch.setattr(folder, "called_elsewhere", here(lambda: None))
    service = SearchService(f"columns://{tmp_path}/index", SCHEMA)
    service.rebuild([document(f"d{number}", "Dân số") for number in range(700)], 0)
    service.index([], [f"d{number}" for number in range(400)], 1)
    assert segments(service) == [700]
    assert service.tidy(NEVER)
    assert segments(service) == [300]
    assert found(service) == sorted(f"d{number}" for number in range(400, 700))


def test_one_process_at_a_time(service, monkeypatch):
    other = SearchService(f"columns://{service._engine._root}", SCHEMA)
    refused: list[bool] = []

    def at_the_same_time() -> None:
        with pytest.raises(IndexBusyError):
            other.tidy(NEVER)
        refused.append(True)

    monkeypatch.setattr(folder, "called_elsewhere", here(at_the_same_time))
    assert service.tidy(NEVER)
    assert refused == [True]


def test_a_missing_index_has_nothing_to_join(tmp_path):
    service = SearchService(f"columns://{tmp_path}/index", SCHEMA)
    assert not service.tidy(NEVER)
    assert not (tmp_path / "index").exists()


def test_what_is_called_elsewhere_is_ended_when_told_to_stop():
    stopping = threading.Event()
    threading.Timer(0.3, stopping.set).start()
    started = time.monotonic()
    assert called_elsewhere(partial(time.sleep, 60), stopping) is None
    assert time.monotonic() - started < 30
    assert called_elsewhere(partial(pow, 2, 10), NEVER) == 1024
    with pytest.raises(PreparingError):
        called_elsewhere(partial(os._exit, 3), NEVER)


_KILLED = """
import os, signal, threading, time
from functools import partial
from opendata.search.preparing import called_elsewhere
threading.Timer(1, os.kill, (os.getpid(), signal.SIGKILL)).start()
called_elsewhere(partial(time.sleep, 3), threading.Event())
"""


def test_what_is_called_elsewhere_ends_quietly_when_nobody_waits_for_it_any_more():
    done = subprocess.run([sys.executable, "-c", _KILLED], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, b"", b"")


def test_a_thread_joins_them_by_itself_and_ends_when_told(service, caplog):
    caplog.set_level(logging.INFO)
    with Tidying(service, seconds=0.01):
        for _ in range(600):
            if len(segments(service)) == 1:
                break
            time.sleep(0.05)
    assert segments(service) == [EACH * PARTS]
    assert "parts of the search index were joined" in caplog.text


class Failing:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = threading.Event()

    def tidy(self, _stopping: threading.Event) -> bool:
        if not self.errors:
            self.asked.set()
            return False
        raise self.errors.pop(0)


def test_the_thread_survives_failures(caplog):
    caplog.set_level(logging.INFO)
    failing = Failing(IndexBusyError(), PreparingError(), ValueError("broken"))
    with Tidying(failing, seconds=0.01):  # type: ignore[arg-type]
        assert failing.asked.wait(20)
    assert "tidied later" in caplog.text
    assert "broken" in caplog.text


def test_the_thread_survives_days_of_failures():
    failing = Failing(*[IndexBusyError() for _ in range(1100)])
    with Tidying(failing, seconds=0.0):  # type: ignore[arg-type]
        assert failing.asked.wait(20)


def test_changed_documents_count_once(service, monkeypatch):
    monkeypatch.setattr(folder, "called_elsewhere", here(lambda: None))
    changed = [replace(document(f"p{part}d5", "Giá đất"), stored={"n": part}) for part in range(PARTS)]
    service.index(changed, [], 30)
    assert service.tidy(NEVER)
    assert service.count() == EACH * PARTS
    assert found(service, "đất") == sorted(one.id for one in changed)
