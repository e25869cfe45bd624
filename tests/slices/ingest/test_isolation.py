"""The child that parses files has no network, whoever asks for it: Python, a library, or native code."""

from __future__ import annotations

import importlib
import platform
import queue
import socket
import subprocess
import sys
import threading

import pytest

from opendata.resources.ingest.limits import run_limited, stop_nursery

REACHING = '''
import ctypes, errno, os, socket, urllib.request

def attempt(what, *args):
    try:
        return ACTIONS[what](*args)
    except OSError as error:
        inner = getattr(error, "reason", error)
        return errno.errorcode.get(getattr(inner, "errno", None), repr(error))

def connect(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as channel:
        channel.sendall(b"x")
    return "reached"

def native(family):
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.socket(family, socket.SOCK_STREAM, 0)
    return "reached" if number >= 0 else errno.errorcode[ctypes.get_errno()]

def by_number(number):
    """Past the C library: the call itself, as native code may make it."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(ctypes.c_long(number), 2, 1, 0)
    return "reached" if found >= 0 else errno.errorcode[ctypes.get_errno()]

def fetch(port): return urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).status
def unix(path):
    socket.socket(socket.AF_UNIX).connect(path)
    return "reached"
def pair():
    socket.socketpair()
    return "reached"
def sub(port):
    """A program that the child starts is cut off as well."""
    import subprocess, sys
    code = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    return "EACCES" if b"PermissionError" in done.stderr else "reached"

ACTIONS = {name: globals()[name] for name in ("connect", "native", "by_number", "fetch", "unix", "pair", "sub")}
'''
PYTHON_ONLY = """
import socket, sys
from opendata.resources.ingest import isolation
isolation._MACHINES = {}
assert isolation.cut_off() is False
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])))
except PermissionError:
    print("refused")
"""


@pytest.fixture(scope="module")
def reaching(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reaching")
    (folder / "reaching_functions.py").write_text(REACHING)
    stop_nursery()
    sys.path.insert(0, str(folder))
    yield importlib.import_module("reaching_functions")
    sys.path.remove(str(folder))
    stop_nursery()


@pytest.fixture
def server():
    """A server of this process; its port, and the connections it has had."""
    accepted: queue.Queue[object] = queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    channel, _ = listening.accept()
                except OSError:
                    return
                accepted.put(None)
                channel.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], accepted
        listening.shutdown(socket.SHUT_RDWR)


def test_nothing_is_reached_from_a_child(reaching, server, tmp_path) -> None:
    port, accepted = server
    assert reaching.connect(port) == "reached", "this process may"
    accepted.get(timeout=20)
    attempts = [
        ("connect", port),
        ("fetch", port),
        ("native", socket.AF_INET),
        ("native", socket.AF_INET6),
        ("native", socket.AF_UNIX),
        ("native", socket.AF_NETLINK),
        ("unix", str(tmp_path / "x")),
        ("pair",),
        ("sub", port),
    ]
    if sys.platform == "linux" and platform.machine() == "x86_64":
        attempts += [("by_number", 41), ("by_number", 41 | 0x40000000), ("by_number", 425)]
    answers = {attempt: run_limited(reaching.attempt, attempt) for attempt in attempts}
    assert set(answers.values()) == {"EACCES"}, answers
    assert accepted.empty()


def test_where_the_kernel_has_no_filter_python_is_refused(server) -> None:
    port, _ = server
    done = subprocess.run(
        [sys.executable, "-c", PYTHON_ONLY, str(port)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "refused\n"
