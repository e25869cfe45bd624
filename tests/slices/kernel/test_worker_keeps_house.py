"""What the worker does beside its jobs: the log of the database does not pile up."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from opendata import worker
from opendata.accounts.policy import COMMAND_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def busy_worker(portal, settings, monkeypatch) -> Iterator[threading.Thread]:
    """It looks a hundred times as often, and is due for the rest in an hour."""
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(worker, "HOUSEKEEPING_SECONDS", 3600.0)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_worker, args=(settings, stop))
    yield thread
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_long_log_is_moved_into_the_file_before_its_time(portal, portal_agency, busy_worker, monkeypatch):
    monkeypatch.setattr(worker, "MOST_LOG_BYTES", 100_000)
    for number in range(30):
        metadata = {"title": f"Lượng mưa {number}", "publisher": portal_agency}
        portal.catalogue.create_dataset(COMMAND_LINE, metadata)
    assert portal.database.log_bytes() > 100_000
    busy_worker.start()
    ends = time.monotonic() + 30
    while portal.database.log_bytes() > 100_000 and time.monotonic() < ends:
        time.sleep(0.05)
    assert portal.database.log_bytes() <= 100_000
