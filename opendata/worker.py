"""The job composition root: what runs in the worker process until it is told to stop."""

from __future__ import annotations

import datetime as dt
import logging
import signal
import threading
from typing import TYPE_CHECKING

from opendata.job_wiring import build_job_runner
from opendata.kernel.ids import utc_now
from opendata.search.tidying import Tidying
from opendata.wiring import build_services

if TYPE_CHECKING:
    from opendata.settings import Settings

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 60.0
KEEP_DONE = dt.timedelta(days=7)


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
        while not stopping.wait(HOUSEKEEPING_SECONDS):
            services.database.checkpoint()
            runner.forget_done(utc_now() - KEEP_DONE)
            services.partial_uploads.sweep()
    runner.stop()
    services.database.checkpoint()
    services.close()
    log.info("worker stopped")
