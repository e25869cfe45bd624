"""The other side of `limits`: the server that forks children, the keeper beside each, and the child itself.

Started as `python -m opendata.resources.ingest.nursery FD`. The server loads what ingest needs, the lists that
values are held to among it, and then only forks: it never opens a file or starts a thread, which keeps forking
safe. For each run it forks a keeper, which forks the child, watches its memory and the clock, kills it when a
limit or the caller is gone, and says how it ended. Reading the request is the only unpickling, and the request
comes from the caller alone.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import importlib
import importlib.abc
import json
import os
import pickle
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from opendata.resources.ingest.isolation import cut_off

if TYPE_CHECKING:
    import io

    from opendata.resources.ingest.result import Progress

PRELOADED: Final = (
    "opendata.resources.ingest.pipeline",
    "opendata.resources.ingest.inspection",
    "frictionless",
    "frictionless.resources",
)
# Called once they are loaded: a module and its function without arguments.
PREPARED: Final = (("opendata.resources.meanings.registry", "load_lists"),)
WATCH_SECONDS: Final = 0.05
KEPT_WORDS: Final = 16_384
# Address space is reserved far beyond what is used (allocator arenas, thread stacks): the limit on it is a
# last resort beside the watch on memory really in use.
RESERVED: Final = 4 << 30
_PR_SET_PDEATHSIG: Final = 1
_NO_SPACE: Final = frozenset({errno.EFBIG, errno.ENOSPC, errno.EDQUOT})


class _WithoutPandas(importlib.abc.MetaPathFinder):
    """pyarrow imports pandas, where it is installed, to make an array of a list: a second and 60 MB for nothing."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        if fullname.partition(".")[0] == "pandas":
            raise ModuleNotFoundError("pandas is not wanted here", name=fullname)


def serve(control: socket.socket) -> None:
    """Fork a keeper for every channel received, until the caller's end of `control` is closed."""
    sys.meta_path.insert(0, _WithoutPandas())
    for module in PRELOADED:
        importlib.import_module(module)
    for module, function in PREPARED:
        getattr(importlib.import_module(module), function)()
    gc.collect()
    gc.freeze()  # what is loaded stays: collecting in a child would only copy its pages
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the keepers
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        with socket.socket(fileno=descriptors[0]) as channel:
            if os.fork() == 0:
                control.close()
                _keep(channel)


def _keep(channel: socket.socket) -> NoReturn:
    """The keeper of one child. Never returns."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        request = _request(channel)
        last_words = os.memfd_create("stderr")
        child = os.fork()
        if child == 0:
            _work(channel, request, last_words)
        ended = _watch(channel, child, request["limits"]) | {"said": _said(last_words)}
        # A child that was killed may have left half a line: end it first.
        channel.sendall(b"\n" + json.dumps(ended).encode() + b"\n")
        status = 0
    finally:
        # Whatever happened, a keeper must not go on as a second server.
        os._exit(status)


def _said(descriptor: int) -> str:
    """What the child wrote to standard error: native code says there why it gives up, traces follow."""
    return os.pread(descriptor, KEPT_WORDS, 0).decode("utf-8", "replace")


def _request(channel: socket.socket) -> dict[str, Any]:
    with channel.makefile("rb", buffering=0) as raw:
        (length,) = struct.unpack("!Q", _exactly(raw, 8))
        request: dict[str, Any] = pickle.loads(_exactly(raw, length))  # noqa: S301 - written by the caller
        return request


def _exactly(raw: io.RawIOBase, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = raw.read(count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def _watch(channel: socket.socket, child: int, limits: dict[str, int]) -> dict[str, Any]:
    """Wait for the child, or kill it; how it ended."""
    deadline = time.monotonic() + limits["wall_seconds"]
    base = _memory(os.getpid())
    killed = ""
    exit_signal = os.pidfd_open(child)
    poller = select.poll()
    poller.register(exit_signal, select.POLLIN)
    poller.register(channel, select.POLLIN | select.POLLHUP | select.POLLERR)
    while True:
        ready = {descriptor for descriptor, _ in poller.poll(WATCH_SECONDS * 1000)}
        if exit_signal in ready:
            break
        if channel.fileno() in ready:  # the caller never writes again: it is gone
            killed = "abandoned"
        elif time.monotonic() > deadline:
            killed = "time"
        elif _memory(child) > base + limits["memory_bytes"]:
            killed = "memory"
        if killed:
            os.kill(child, signal.SIGKILL)
            break
    _, status = os.waitpid(child, 0)
    os.close(exit_signal)
    if killed:
        return {"ended": killed}
    if os.WIFSIGNALED(status):
        return {"ended": "signal", "signal": os.WTERMSIG(status)}
    return {"ended": "exit", "status": os.WEXITSTATUS(status)}


def _memory(process: int) -> int:
    """Bytes of memory of its own that a process holds now; file pages do not count."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def _work(channel: socket.socket, request: dict[str, Any], last_words: int) -> NoReturn:
    """The child: limits, no network, then the function, then its result. Never returns."""
    status = 1
    try:
        _confine(request["limits"], last_words)
        cut_off()
        value = _call(channel, request)
        encoded = value.to_json() if hasattr(value, "to_json") else value
        _send(channel, {"result": encoded})
        status = 0
    except MemoryError:
        _send(channel, {"raised": "memory"})
    except BaseException as error:  # noqa: BLE001 - the caller is told of everything, panics included
        _send(channel, {"raised": _named(error), "trace": traceback.format_exc()})
    finally:
        # Not sys.exit: threads of libraries and exit handlers of the server are none of the child's.
        os._exit(status)


def _named(error: BaseException) -> str:
    """What the caller has a Problem for, else the error itself. DuckDB wraps both in classes of its own."""
    if type(error).__name__ == "OutOfMemoryException":
        return "memory"
    is_space = isinstance(error, OSError) and error.errno in _NO_SPACE
    if is_space or any(os.strerror(number) in str(error) for number in _NO_SPACE):
        return "space"
    return repr(error)


def _call(channel: socket.socket, request: dict[str, Any]) -> Any:
    def report(progress: Progress) -> None:
        _send(channel, {"progress": progress.to_json()})

    found: Any = importlib.import_module(request["module"])
    for part in request["name"].split("."):
        found = getattr(found, part)
    extra = {"report": report} if request["reports"] else {}
    return found(*request["args"], **request["kwargs"], **extra)


def _send(channel: socket.socket, message: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):
        channel.sendall(json.dumps(message, ensure_ascii=False).encode() + b"\n")


def _confine(limits: dict[str, int], last_words: int) -> None:
    """Limits of the kernel, which hold whatever a library does, and no life beyond the keeper's."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    sink = os.open(os.devnull, os.O_RDWR)
    for stream, target in enumerate((sink, sink, last_words)):
        os.dup2(target, stream)
    reserved = _address_space() + RESERVED + limits["memory_bytes"]
    for kind, most in (
        (resource.RLIMIT_AS, reserved),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard if kind == resource.RLIMIT_CPU else soft))


def _address_space() -> int:
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 0


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
    os._exit(0)  # frozen objects are not torn down, and libraries would call that a leak
