"""The limited child: results and progress come back, and whatever it does, only it ends."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest

from opendata.resources.ingest.identify import identify
from opendata.resources.ingest.limits import ChildError, Limits, run_limited, stop_nursery
from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.ingest.problems import Problem
from opendata.resources.ingest.result import Identification, IngestResult, Progress

HOSTILE = '''
import ctypes, os, resource, signal, sys, time
from pathlib import Path
from opendata.resources.ingest.result import Progress

def echo(*args, **kwargs): return {"args": list(args), "kwargs": kwargs}
def hog(step):
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1024)) * (step // 1024))
        time.sleep(0.001)
def one_block(size): return len(bytearray(size))
def spin():
    while True: pass
def sleep(): time.sleep(600)
def crash(): ctypes.string_at(0)
def leave(): os._exit(7)
def fill(path):
    with open(path, "wb") as target:
        while True: target.write(b"x" * 65536); target.flush()
def open_many(path): return len([open(path) for _ in range(10_000)])
def fail(): raise ValueError("our own fault")
def modules(): return sorted(name for name in ("pandas", "pyarrow", "frictionless", "duckdb") if name in sys.modules)
def reports(count, report):
    for number in range(count): report(Progress("convert", number, count, "rows"))
    return count
def report_then_sleep(path, report):
    Path(path).write_text(str(os.getpid()))
    report(Progress("convert", 1, 2, "rows"))
    time.sleep(600)
def noise():
    print("noise on stdout"); print("noise on stderr", file=sys.stderr); os.write(1, b"raw"); return "quiet"
def garbage():
    """Half a line on the channel, then a sudden end."""
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket"):
                os.write(int(descriptor), b'{"result": {"a": ')
        except OSError: pass
    os.kill(os.getpid(), signal.SIGKILL)
def limits(): return [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)]
'''
MEGABYTE = 1 << 20
SMALL = Limits(memory_bytes=300 * MEGABYTE, cpu_seconds=20, wall_seconds=20, file_bytes=2 * MEGABYTE)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A module of functions that misbehave, which the children can import."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile_functions.py").write_text(HOSTILE)
    stop_nursery()
    sys.path.insert(0, str(folder))
    yield importlib.import_module("hostile_functions")
    sys.path.remove(str(folder))
    stop_nursery()


def children_of(process: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_results_come_back(hostile) -> None:
    assert run_limited(hostile.echo, (1, "ệ"), {"a": [None]}) == {"args": [1, "ệ"], "kwargs": {"a": [None]}}


def test_results_of_our_classes_come_back_as_such(tmp_path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    found = run_limited(identify, (path, "x.csv"))
    assert isinstance(found, Identification)
    assert found == identify(path, "x.csv")


def test_a_file_is_ingested_in_a_child_as_in_this_process(tmp_path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n3,x\n")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    seen: list[Progress] = []
    result = run_limited(
        ingest_file, (path, "x.csv", there), {"table_schema": None}, limits=Limits(), on_progress=seen.append
    )
    assert isinstance(result, IngestResult)
    own = ingest_file(path, "x.csv", here)
    assert result.tables[0].parquet_path.read_bytes() == own.tables[0].parquet_path.read_bytes()
    assert result.tables[0].profile == own.tables[0].profile
    assert {progress.stage for progress in seen} == {"identify", "validate", "convert", "profile"}


def test_progress_arrives_in_order(hostile) -> None:
    seen: list[Progress] = []
    assert run_limited(hostile.reports, (500,), on_progress=seen.append) == 500
    assert [progress.done for progress in seen] == list(range(500))


def test_heavy_libraries_are_loaded_but_pandas_is_not(hostile) -> None:
    assert run_limited(hostile.modules) == ["duckdb", "frictionless", "pyarrow"]


def test_what_a_child_prints_goes_nowhere(hostile, capfd) -> None:
    assert run_limited(hostile.noise) == "quiet"
    assert capfd.readouterr() == ("", "")


def test_limits_of_the_kernel_are_set(hostile) -> None:
    assert run_limited(hostile.limits, limits=SMALL) == [20, 256, 0]


@pytest.mark.parametrize(
    ("name", "args", "limits", "code"),
    [
        ("hog", (5 * MEGABYTE,), SMALL, "needs-memory"),
        ("one_block", (100 << 30,), SMALL, "needs-memory"),
        ("spin", (), Limits(cpu_seconds=1, wall_seconds=60), "needs-time"),
        ("sleep", (), Limits(wall_seconds=1), "needs-time"),
        ("crash", (), SMALL, "reader-stopped"),
        ("leave", (), SMALL, "reader-stopped"),
        ("garbage", (), SMALL, "reader-stopped"),
    ],
)
def test_a_child_that_breaks_a_limit_becomes_a_problem(name, args, limits, code, hostile) -> None:
    problem = run_limited(getattr(hostile, name), args, limits=limits)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.severity) == (code, "error")
    assert problem.message()
    assert run_limited(hostile.echo) == {"args": [], "kwargs": {}}, "the next child is not harmed"


def test_a_file_that_grows_too_large(hostile, tmp_path) -> None:
    problem = run_limited(hostile.fill, (str(tmp_path / "x"),), limits=SMALL)
    assert problem == Problem("needs-space")
    assert (tmp_path / "x").stat().st_size <= SMALL.file_bytes


def test_problems_say_the_limit(hostile) -> None:
    assert run_limited(hostile.hog, (5 * MEGABYTE,), limits=SMALL).params == {"limit": 300}
    assert run_limited(hostile.sleep, limits=Limits(wall_seconds=1)).params == {"limit": 1}
    assert run_limited(hostile.crash, limits=SMALL).params == {"reason": "SIGSEGV"}


def test_an_exception_of_the_function_is_a_fault(hostile, caplog) -> None:
    with pytest.raises(ChildError, match="our own fault"):
        run_limited(hostile.fail)
    assert "ValueError" in caplog.text
    with pytest.raises(ChildError, match="Too many open files"):
        run_limited(hostile.open_many, (__file__,))


def test_an_error_in_the_callback_ends_the_child(hostile, tmp_path) -> None:
    note = tmp_path / "pid"

    def stop(_: Progress) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        run_limited(hostile.report_then_sleep, (str(note),), on_progress=stop)
    wait_until(lambda: not is_running(int(note.read_text())))


def test_children_run_beside_each_other(hostile) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: run_limited(hostile.echo, (number,)), range(12)))
    assert [answer["args"] for answer in found] == [[number] for number in range(12)]


def test_nothing_is_left_when_the_caller_is_killed(hostile, tmp_path) -> None:
    note = tmp_path / "pid"
    program = (
        "import sys; sys.path[:0] = sys.argv[2].split(':')\n"
        "import hostile_functions\n"
        "from opendata.resources.ingest.limits import run_limited\n"
        "run_limited(hostile_functions.report_then_sleep, (sys.argv[1],), on_progress=lambda p: None)\n"
    )
    folders = ":".join([str(Path(hostile.__file__).parent), str(Path.cwd())])
    caller = subprocess.Popen([sys.executable, "-c", program, str(note), folders])
    wait_until(lambda: note.exists() and note.read_text())
    (nursery,) = children_of(caller.pid)
    (keeper,) = children_of(nursery)
    (child,) = children_of(keeper)
    assert child == int(note.read_text())
    caller.kill()
    caller.wait()
    wait_until(lambda: not any(is_running(process) for process in (nursery, keeper, child)))


def test_the_server_is_started_again_when_it_died(hostile) -> None:
    run_limited(hostile.echo)
    (nursery,) = [
        process
        for process in children_of(os.getpid())
        if b"nursery" in Path(f"/proc/{process}/cmdline").read_bytes()
    ]
    os.kill(nursery, 9)
    wait_until(lambda: not is_running(nursery))
    assert run_limited(hostile.echo, (1,))["args"] == [1]


def test_stopping_leaves_no_process(hostile) -> None:
    run_limited(hostile.echo)
    before = [p for p in children_of(os.getpid()) if b"nursery" in Path(f"/proc/{p}/cmdline").read_bytes()]
    assert before
    stop_nursery()
    assert not any(is_running(process) for process in before)


def test_a_cell_at_the_far_corner_of_a_sheet_is_refused_before_it_takes_memory(tmp_path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"], sheet["A2"], sheet["XFD1048576"] = "a", 1, 1
    path = tmp_path / "x.xlsx"
    book.save(path)
    result = run_limited(ingest_file, (path, "x.xlsx", tmp_path), limits=Limits(memory_bytes=512 << 20))
    assert [problem.code for problem in result.problems] == ["cells-far-apart"]


def test_a_pattern_that_takes_too_long_is_stopped(tmp_path) -> None:
    """One whose time grows with the sixth power of the cell; those that grow faster are refused unseen."""
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "a" * 3000 + "!,1\n")
    fields = [
        {"name": "a", "type": "string", "constraints": {"pattern": "a*a*a*a*a*a*b"}},
        {"name": "b", "type": "integer"},
    ]
    problem = run_limited(
        ingest_file,
        (path, "x.csv", tmp_path),
        {"table_schema": {"fields": fields}},
        limits=Limits(cpu_seconds=3, wall_seconds=60),
    )
    assert problem == Problem("needs-time", {"limit": 3})


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(file_bytes=MEGABYTE), "needs-space"),
        (Limits(memory_bytes=20 * MEGABYTE), "needs-memory"),
    ],
)
def test_a_file_beyond_its_limits_is_refused_in_words(limits, code, tmp_path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("số,chữ\n" + "".join(f"{number},{os.urandom(20).hex()}\n" for number in range(500_000)))
    work = tmp_path / "work"
    work.mkdir()
    problem = run_limited(ingest_file, (path, "x.csv", work), limits=limits)
    assert isinstance(problem, Problem)
    assert problem.code == code
