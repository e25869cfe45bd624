"""A web server as `opendata serve` starts it, beside clients that do nothing, read nothing, or send slowly."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from opendata.migrations import migrate
from opendata.settings import load_settings
from opendata.wiring import build_services
from tests.flows.conftest import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

# Far longer than an answer takes, shorter than the server waits for clients.
PATIENCE = 20.0
IDLE = 200


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("served")
    services = build_services(load_settings(data_dir=folder, secret_key="x" * 40))
    migrate(services.database)
    services.indexing.rebuild()
    services.close()
    found = free_port()
    environment = {
        **os.environ,
        "OPENDATA_DATA_DIR": str(folder),
        "OPENDATA_SECRET_KEY": "x" * 40,
        "OPENDATA_PORT": str(found),
        "OPENDATA_WEB_WORKERS": "1",
        "OPENDATA_WEB_THREADS": "2",
    }
    server = subprocess.Popen([sys.executable, "-m", "opendata.cli", "serve"], env=environment)
    try:
        wait_until(lambda: is_open(found), "the web server")
        yield found
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def is_open(port: int) -> bool:
    with contextlib.suppress(OSError), connected(port):
        return True
    return False


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def answer(port: int, address: str = "/api/v1/datasets") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", address)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


@pytest.mark.parametrize(
    "said", [b"", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_connections_without_a_question_keep_nobody_out(port: int, said: bytes) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(IDLE):
            held.enter_context(connected(port)).sendall(said)
        assert answer(port) == 200


def test_bodies_that_come_slowly_keep_nobody_from_working(port: int) -> None:
    start = b"POST /api/v1/datasets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
    with contextlib.ExitStack() as held:
        for _ in range(8):
            held.enter_context(connected(port)).sendall(start)
        assert [answer(port) for _ in range(8)] == [200] * 8


def test_readers_that_leave_before_their_answer_leave_nothing_behind(port: int) -> None:
    for _ in range(3 * IDLE):
        with connected(port) as reader:
            reader.sendall(b"GET /vi/datasets?q=a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [answer(port) for _ in range(8)] == [200] * 8
