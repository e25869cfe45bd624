"""No network for the child that parses files: neither a library nor the file in it can reach another machine.

Called by `nursery` in the child, after the libraries are loaded. The kernel refuses every call that makes, connects
or accepts a socket, local ones included (databases listen there too), and io_uring, which could make them as well;
the channel to the caller is open already. A process cannot take such a filter off again. Where the kernel has no
filters (not Linux, or another processor than those below), Python's own sockets are refused instead, which holds
for Python code only. Layout of the filter: Linux kernel, Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import Any, Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_LOAD_WORD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_NOT_LESS: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EACCES
_CALL_AT, _MACHINE_AT = 0, 4
_IO_URING: Final = (425, 426, 427)
# By `platform.machine()`: the number of the machine in linux/audit.h, and those of the calls socket, connect,
# accept, bind, listen, socketpair and accept4.
_MACHINES: Final = {
    "x86_64": (0xC000003E, (41, 42, 43, 49, 50, 53, 288)),
    "aarch64": (0xC00000B7, (198, 203, 202, 200, 201, 199, 242)),
}
_X32: Final = 0x40000000
_SOCKET_EVENTS: Final = (
    "socket.__new__",
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "socket.sendto",
)


def cut_off() -> bool:
    """Take the network from this process, for good. Whether the kernel holds it, not only Python."""
    if (
        sys.platform == "linux"
        and platform.machine() in _MACHINES
        and _filter(*_MACHINES[platform.machine()])
    ):
        return True
    sys.addaudithook(_refuse_sockets)
    return False


def _filter(machine: int, calls: tuple[int, ...]) -> bool:
    program = _program(machine, (*calls, *_IO_URING))
    code = ctypes.create_string_buffer(program)
    whole = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.c_ulong(0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), nothing, nothing, nothing):
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), whole, nothing, nothing) == 0)


def _program(machine: int, calls: tuple[int, ...]) -> bytes:
    """Another machine's calls (32 bit, x32) are refused whole: their numbers mean something else."""
    refuse, allow = len(calls) + 2, len(calls) + 1
    steps = [
        (_LOAD_WORD, 0, 0, _MACHINE_AT),
        (_JUMP_EQUAL, 0, refuse + 1, machine),
        (_LOAD_WORD, 0, 0, _CALL_AT),
        (_JUMP_NOT_LESS, refuse - 1, 0, _X32),
    ]
    steps += [(_JUMP_EQUAL, allow - at, 0, number) for at, number in enumerate(calls, start=1)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _refuse_sockets(event: str, _: tuple[Any, ...]) -> None:
    if event in _SOCKET_EVENTS:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
