"""The job composition root: what runs in the worker process until it is told to stop."""

from __future__ import annotations

import datetime as dt
import logging
import signal
import threading
import time
from typing import TYPE_CHECKING

from opendata.job_wiring import build_job_runner
from opendata.kernel.ids import utc_now
from opendata.search.tidying import Tidying
from opendata.wiring import build_services

if TYPE_CHECKING:
    from opendata.kernel.jobs import JobRunner
    from opendata.settings import Settings
    from opendata.wiring import Services

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 60.0
KEEP_DONE = dt.timedelta(days=7)
# A large load writes 1.5 GB in a minute; nobody writes while that is moved, which took up to four seconds at once.
LOOK_SECONDS = 1.0
MOST_LOG_BYTES = 64 << 20


def run_worker(settings: Settings, stop: threading.Event | None = None) -> None:
    """Take jobs until SIGTERM, SIGINT or `stop`; what runs is finished first."""
    stopping = stop or threading.Event()
    if stop is None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_details: stopping.set())
    services = build_services(settings)
    services.store.prepare()
    services.indexing.ensure_index()
    runner = build_job_runner(services)
    runner.start(settings.job_workers)
    log.info("worker ready")
    with Tidying(services.search):
        _keep_house(services, runner, stopping)
    runner.stop()
    services.database.checkpoint()
    services.close()
    log.info("worker stopped")


def _keep_house(services: Services, runner: JobRunner, stopping: threading.Event) -> None:
    due = time.monotonic() + HOUSEKEEPING_SECONDS
    while not stopping.wait(LOOK_SECONDS):
        is_due = time.monotonic() >= due
        if is_due or services.database.log_bytes() > MOST_LOG_BYTES:
            services.database.checkpoint()
        if is_due:
            due = time.monotonic() + HOUSEKEEPING_SECONDS
            runner.forget_done(utc_now() - KEEP_DONE)
            services.partial_uploads.sweep()
