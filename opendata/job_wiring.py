"""The jobs of a portal put together: what reads files is loaded here, so that web processes do without it.

Called by the worker, and by the command line where no worker runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opendata.catalogue.events import DATASET_CHANGED
from opendata.kernel.jobs import JobRunner, open_queue
from opendata.resources.events import RESOURCE_RECEIVED
from opendata.resources.ingest.limits import Limits
from opendata.resources.jobs import IngestJob
from opendata.wiring import MB

if TYPE_CHECKING:
    from opendata.wiring import Services


def build_job_runner(services: Services) -> JobRunner:
    """The worker's engine, also used by the CLI to finish its own work where no worker runs."""
    settings = services.settings
    limits = Limits(
        memory_bytes=settings.ingest_memory_mb * MB,
        cpu_seconds=settings.ingest_seconds,
        wall_seconds=settings.ingest_seconds,
    )
    ingest = IngestJob(services.database, services.store, settings.data_dir / "work", limits)
    return JobRunner(
        services.database,
        open_queue(services.database.url, settings.data_dir),
        jobs={RESOURCE_RECEIVED: ingest},
        batches={DATASET_CHANGED: services.indexing},
    )
