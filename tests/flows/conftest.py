"""A portal as a person starts it: `opendata quickstart` in a process of its own, watched from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 90  # seconds, far more than anything here takes; nothing is measured


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(reached: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


def descendants(pid: int) -> set[int]:
    """Processes started by `pid`, directly or not."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    """Those that still run; one that ended and was not collected yet does not."""
    running = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            running.add(pid)
    return running


class Quickstart:
    """One run of `opendata quickstart`. `lines` is everything it has said so far."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, **environment: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OPENDATA_")}
        self.process = subprocess.Popen(
            self.command(f"--data-dir={folder}", f"--port={self.port}", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**clean, "LC_ALL": "C.UTF-8", **environment},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @staticmethod
    def command(*options: str) -> list[str]:
        return [sys.executable, "-m", "opendata.cli", "quickstart", *options]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str) -> None:
        def reached() -> bool:
            assert self.process.poll() is None or text in self.said, self.said
            return text in self.said

        wait_until(reached, text)

    def children(self) -> set[int]:
        return descendants(self.process.pid)

    def child(self, command: str) -> int:
        """The process of `opendata serve` or `opendata worker` that the supervisor started."""
        own = f"\0{command}\0".encode()
        for pid in sorted(alive(self.children())):
            if own in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        raise AssertionError(f"no {command} runs")

    def end(self, how: int = signal.SIGTERM) -> int:
        """Send a signal, wait, and see that nothing that was started outlives it; the exit code."""
        started = self.children()
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        try:
            wait_until(lambda: not alive(started), f"{started} to end")
            self._reader.join(PATIENCE)  # whoever else was started holds the other end of the pipe
            assert not self._reader.is_alive(), "something that was started outlives the portal"
        finally:
            for pid in alive(started):
                os.kill(pid, signal.SIGKILL)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of an address."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=PATIENCE) as answer:  # noqa: S310 - http
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None
