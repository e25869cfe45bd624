"""Child processes that end with their parent, and stop in order."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PR_SET_PDEATHSIG = 1  # prctl(2)
_INIT = 1  # who becomes the parent of an orphan
SUPERVISED = "OPENDATA_SUPERVISED_BY"
POLL_SECONDS = 0.05


def start_child(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start `python -m …` with the environment given; the child is to call `end_with_parent`."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", *arguments],
        env={**environment, SUPERVISED: str(os.getpid())},
        start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the children in order
    )


def end_with_parent() -> None:
    """In a supervised child: ask the kernel for SIGTERM when the supervisor dies, however it dies.

    Processes that this one forks follow it the same way: a killed web server must not leave behind those that
    answer for it, on a port that the next one needs.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    ours = os.getpid()

    def follow(parent: int) -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call above
            os.kill(os.getpid(), signal.SIGTERM)

    def follow_in_child() -> None:
        if os.getppid() in {ours, _INIT}:  # what our children fork in turn is theirs to end
            follow(ours)

    if supervisor := os.environ.get(SUPERVISED):
        follow(int(supervisor))
    os.register_at_fork(after_in_child=follow_in_child)


def stop_children(children: Sequence[subprocess.Popen[bytes]], patience: float) -> None:
    """SIGTERM to all, `patience` seconds for them to finish, then SIGKILL."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    end = time.monotonic() + patience
    while any(child.poll() is None for child in children) and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    for child in children:
        if child.poll() is None:
            child.kill()
        child.wait()
