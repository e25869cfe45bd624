"""Runs a function on hostile input in a child process that can be killed, under limits of memory, time and disk.

Called by the ingest job and the CLI. The child is forked from a small server process that has the heavy
libraries loaded already (see `nursery`), so that starting one costs milliseconds, not a second; it never
shares memory, threads or open files with the caller. It reports progress and its result as JSON lines over a
socket: nothing that the child writes is ever unpickled. Whatever happens to it becomes a `Problem`.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.ingest.problems import Problem
from opendata.resources.ingest.result import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

log = logging.getLogger(__name__)

MEGABYTE: Final = 1 << 20
GIGABYTE: Final = 1 << 30
STOP_SECONDS: Final = 5.0
LOGGED: Final = 500
_ATTEMPTS: Final = 3
_NO_MEMORY: Final = ("memory allocation", "bad_alloc")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take. `memory_bytes` on top of the libraries; `file_bytes` for any one file it writes."""

    memory_bytes: int = 2 * GIGABYTE
    cpu_seconds: int = 1800
    wall_seconds: int = 3600
    file_bytes: int = 64 * GIGABYTE
    open_files: int = 256


class ChildError(RuntimeError):
    """The function raised an exception of its own, which is a fault in it, not in the file."""


def run_limited(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Any:
    """Call a module-level `function` in a child; its result, or the Problem that says why there is none.

    Arguments must be picklable, and so must the result be JSON, or of the class that the function's return
    annotation names, with `to_json` and `from_json`. With `on_progress` the function is given `report=`. An
    exception of the function is raised here as ChildError; one of `on_progress` ends the child and is raised.
    """
    limits = limits or Limits()
    request = {
        "module": function.__module__,
        "name": function.__qualname__,
        "args": tuple(args),
        "kwargs": dict(kwargs or {}),
        "reports": on_progress is not None,
        "limits": asdict(limits),
    }
    for _ in range(_ATTEMPTS):
        ended = _run(request, on_progress)
        if ended is not None:
            return _judge(function, *ended, limits)
    return Problem("reader-stopped", {"reason": "lost"})


def _run(
    request: Mapping[str, Any], on_progress: Callable[[Progress], None] | None
) -> tuple[dict[str, Any] | None, dict[str, Any]] | None:
    """What the child sent and how it ended; None where the server or the keeper died and nobody knows."""
    result: dict[str, Any] | None = None
    nursery = _nursery()
    try:
        opened = nursery.begin()
    except ConnectionError:
        _drop(nursery)
        return None
    with opened as channel:
        try:
            for message in _messages(channel, pickle.dumps(request)):
                if "progress" in message and on_progress is not None:
                    on_progress(Progress.from_json(message["progress"]))
                elif "result" in message or "raised" in message:
                    result = message
                elif "ended" in message:
                    return result, message
        finally:
            with suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)  # a child still running ends with it
    return None


def _judge(
    function: Callable[..., Any], result: dict[str, Any] | None, ended: Mapping[str, Any], limits: Limits
) -> Any:
    reason = ended["ended"]
    said = str(ended.get("said", ""))
    # Rust and C++ abort where Python raises MemoryError: a cell at the far corner of a sheet is enough.
    gave_up = ended.get("signal") == signal.SIGABRT and any(words in said for words in _NO_MEMORY)
    if reason == "memory" or gave_up or (result or {}).get("raised") == "memory":
        return Problem("needs-memory", {"limit": limits.memory_bytes // MEGABYTE})
    if reason == "time" or ended.get("signal") == signal.SIGXCPU:
        seconds = limits.wall_seconds if reason == "time" else limits.cpu_seconds
        return Problem("needs-time", {"limit": seconds})
    if (result or {}).get("raised") == "space":
        return Problem("needs-space")
    if result is None:
        number = ended.get("signal")
        shown = signal.Signals(number).name if number else f"exit {ended.get('status')}"
        log.warning("the child for %s ended with %s: %s", function.__qualname__, shown, said[:LOGGED])
        return Problem("reader-stopped", {"reason": shown})
    if "raised" in result:
        log.error("the child for %s failed:\n%s", function.__qualname__, result.get("trace", ""))
        raise ChildError(result["raised"])
    return _decoded(function, result["result"])


def _decoded(function: Callable[..., Any], value: Any) -> Any:
    named = getattr(function, "__annotations__", {}).get("return")
    kind = getattr(sys.modules[function.__module__], named, None) if isinstance(named, str) else named
    decode = getattr(kind, "from_json", None)
    return decode(value) if decode else value


def _messages(channel: socket.socket, request: bytes) -> Iterator[dict[str, Any]]:
    """Send the request; the child's messages, one a line. A line left half written is skipped."""
    with suppress(ConnectionError), channel.makefile("rb") as lines:
        channel.sendall(struct.pack("!Q", len(request)) + request)
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                yield message


class _Nursery:
    """The server process that children are forked from. Ends when this process does."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-P", "-m", "opendata.resources.ingest.nursery", str(theirs.fileno())]
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C at the terminal ends us, and it follows
                env=os.environ
                | {
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    "OPENBLAS_NUM_THREADS": "1",  # numpy starts threads on import, and the server forks
                },
            )
        self._control = ours

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def begin(self) -> socket.socket:
        """A channel to a new child, which waits for its request."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"."], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_lock = threading.Lock()
_running: list[_Nursery] = []


def _nursery() -> _Nursery:
    """The server of this process, started when first needed and again if it died."""
    with _lock:
        if _running and (_running[0].owner != os.getpid() or not _running[0].is_alive):
            dead = _running.pop()
            if dead.owner == os.getpid():
                dead.close()
        if not _running:
            _running.append(_Nursery())
        return _running[0]


def _drop(nursery: _Nursery) -> None:
    """Let go of a server that no longer listens: it is ending, even where the system still lists it."""
    with _lock:
        if nursery in _running:
            _running.remove(nursery)
            nursery.close()


def stop_nursery() -> None:
    """End the server process, if one runs. Called at exit; tests call it to see that nothing is left."""
    with _lock:
        while _running:
            nursery = _running.pop()
            if nursery.owner == os.getpid():
                nursery.close()


atexit.register(stop_nursery)
