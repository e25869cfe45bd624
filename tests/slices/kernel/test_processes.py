"""Child processes end with their parent, however it ends, and so do theirs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from opendata.kernel.processes import SUPERVISED, start_child, stop_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUPERVISOR = """
import os, sys, time
from opendata.kernel.processes import start_child
child = start_child(["supervised_child"], dict(os.environ))
time.sleep(600)
"""
CHILD = """
import os, signal, sys, time
from opendata.kernel.processes import end_with_parent
end_with_parent()
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
os.write(1, b"%d\\n" % os.getpid())
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


def ends(pid: int) -> bool:
    """Whether the process ends; a minute is far more than it takes."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a Python program that can import `supervised_child`; it is killed at the end of the test."""
    (tmp_path / "supervised_child.py").write_text(CHILD)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **environment},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def pids(process: subprocess.Popen[str], count: int) -> set[int]:
    """What `count` processes print of themselves."""
    assert process.stdout is not None
    return {int(process.stdout.readline()) for _ in range(count)}


def test_a_killed_supervisor_takes_its_children_and_theirs_along(start) -> None:
    supervisor = start("-c", SUPERVISOR)
    started = pids(supervisor, 2)
    supervisor.kill()
    assert all(ends(pid) for pid in started)


def test_what_a_killed_child_has_forked_ends_too(start) -> None:
    child = start("-m", "supervised_child", **{SUPERVISED: str(os.getpid())})
    (forked,) = pids(child, 2) - {child.pid}
    child.kill()
    assert ends(forked)


def test_a_child_whose_supervisor_died_first_does_not_stay(start) -> None:
    child = start("-m", "supervised_child", **{SUPERVISED: "999999999"})
    assert child.wait(60) == -signal.SIGTERM


def test_stopping_asks_first_and_kills_who_does_not_listen() -> None:
    polite = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    stubborn = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert stubborn.stdout is not None
    assert stubborn.stdout.readline() == b"ready\n"
    stop_children([polite, stubborn], patience=1.0)
    assert (polite.returncode, stubborn.returncode) == (-signal.SIGTERM, -signal.SIGKILL)
    stop_children([polite, stubborn], patience=1.0)
    stubborn.stdout.close()


def test_a_child_gets_its_environment_and_its_supervisor(tmp_path: Path) -> None:
    (tmp_path / "telling.py").write_text(
        "import os, sys; open(sys.argv[1], 'w').write(repr(dict(os.environ)))"
    )
    child = start_child(
        ["telling", str(tmp_path / "told")], {**os.environ, "PYTHONPATH": str(tmp_path), "WORD": "đ"}
    )
    assert child.wait(60) == 0
    told = (tmp_path / "told").read_text()
    assert "'WORD': 'đ'" in told
    assert f"'{SUPERVISED}': '{os.getpid()}'" in told
