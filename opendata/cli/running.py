"""Starting and looking after a portal: quickstart, serve, worker, migrate, seed, check, reindex."""

from __future__ import annotations

import dataclasses
import logging
import os
import resource
import signal
import sqlite3
import threading
from pathlib import Path

import click

from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue.index_comparison import compare_index
from opendata.catalogue.index_follower import IndexFollower
from opendata.kernel.bundled import bundled
from opendata.kernel.db import sqlite_has_wal_fix
from opendata.kernel.processes import end_with_parent
from opendata.migrations import current_revision, head_revision, migrate
from opendata.search.tidying import Tidying
from opendata.settings import Settings, load_settings, require_secret
from opendata.wiring import build_services, readiness

MOST_WEB = 4
# Threads beside those that work, for bodies that leave, or come in, at the pace of a slow line.
SLOW_READERS = 60
MOST_CONNECTIONS = 1024
IDLE_SECONDS = 75  # longer than a proxy keeps a connection that nobody uses, usually 60
STOP_SECONDS = 8  # for answers under way; quickstart waits longer
# A third of the processor's time beside a web process that has enough to do; a publication needs a tenth of a second.
GIVES_WAY = 5
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder that keeps everything.")
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (8000).")
@click.option("--no-seed", is_flag=True, help="Start without the seed datasets.")
def quickstart(data_dir: Path | None, host: str | None, port: int | None, no_seed: bool) -> None:
    """Create, migrate, seed once, then serve web and worker until Ctrl-C.

    \b
    Example:  opendata quickstart --data-dir /srv/opendata --port 8080
    """
    from opendata.cli.quickstart import Wishes, echo, run_quickstart

    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    run_quickstart(Wishes(data_dir, host, port, seed=not no_seed), echo)


@click.command()
def serve() -> None:
    """Serve the web alone (granian); settings come from OPENDATA_* variables.

    \b
    Example:  OPENDATA_SECRET_KEY=… OPENDATA_PORT=8080 opendata serve
    """
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    end_with_parent()
    settings = load_settings()
    require_secret(settings)
    Granian(
        "opendata.cli.serving:load_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers or one_each_core(),
        blocking_threads=settings.web_threads + SLOW_READERS,
        # Of connections, not of requests: with 64 as many idle browsers kept everyone else out, for half a minute.
        backpressure=_open_connections(),
        # In its mode for HTTP 1 and 2 a connection that never says a word is kept for ever.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_SECONDS * 1000),
        websockets=False,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.error,
        log_access=False,
    ).serve()


def _open_connections() -> int:
    """How many each web process takes; half of the files it may open, which it is allowed more of where it can be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(MOST_CONNECTIONS, soft // 2)


def one_each_core() -> int:
    """Web processes on this machine: Python uses one core in each. More than MOST_WEB cost memory first."""
    return min(len(os.sched_getaffinity(0)), MOST_WEB)


@click.command()
def worker() -> None:
    """Run jobs alone: take uploads in, keep the index in step.

    \b
    Example:  opendata worker
    """
    from opendata.worker import run_worker

    end_with_parent()
    os.nice(GIVES_WAY)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("huey").setLevel(logging.WARNING)  # the outbox says what was run
    run_worker(load_settings())


@click.command(name="migrate")
def migrate_command() -> None:
    """Bring the database schema to the newest version.

    \b
    Example:  OPENDATA_DATABASE_URL=postgresql+psycopg://portal@db/portal opendata migrate
    """
    settings = load_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    services = build_services(settings)
    before = current_revision(services.database)
    migrate(services.database)
    click.echo(f"Schema: {before or 'empty'} → {current_revision(services.database)}")
    services.close()


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
def seed(folder: Path | None) -> None:
    """Load the seed datasets, or the data packages of FOLDER, through the upload pipeline.

    \b
    Example:  opendata seed ./my-packages
    """
    from opendata.catalogue.seed_packages import read_packages
    from opendata.resources.seeding import SeedLoader

    services = build_services(load_settings())
    loader = SeedLoader(
        services.catalogue, services.catalogue_queries, services.resources, services.resource_queries
    )
    waiting = loader.load(COMMAND_LINE, read_packages(folder or bundled("seed_datasets")), click.echo)
    click.echo(f"{len(waiting)} files are waiting for the worker (opendata worker).")
    services.close()


@click.command()
@click.option("--settings", "list_settings", is_flag=True, help="List every setting instead.")
def check(list_settings: bool) -> None:
    """A doctor's report: settings, database, store, index, worker. Exit code 1 when something is wrong.

    \b
    Example:  opendata check
    """
    settings = load_settings()
    if list_settings:
        _list_settings(settings)
        return
    services = build_services(settings)
    parts = readiness(services)
    if parts["database"] == "ok":
        revision = current_revision(services.database)
        parts["schema"] = "ok" if revision == head_revision() else f"at {revision}: run “opendata migrate”"
    if parts["database"] == parts["search"] == "ok":
        found = compare_index(services.database, services.search)
        parts["index"] = "ok" if found.is_equal else f"{found}: run “opendata reindex”"
    for name, state in parts.items():
        click.echo(f"{name:10} {state}")
    if services.database.is_sqlite and not sqlite_has_wal_fix(sqlite3.sqlite_version_info):
        click.echo(
            f"note       SQLite {sqlite3.sqlite_version} has a known fault when its log is reset while another "
            "program writes; the portal checkpoints only under its write lock. 3.51.3 or newer has the fix."
        )
    services.close()
    if any(state != "ok" for state in parts.values()):
        raise click.exceptions.Exit(1)


@click.command()
def reindex() -> None:
    """Make the search index again from the database, beside the one that answers, then swap.

    \b
    Example:  opendata reindex
    """
    services = build_services(load_settings())
    count = services.indexing.rebuild()
    click.echo(f"{count} datasets are in the index.")
    services.close()


@click.command(name="follow-index")
def follow_index() -> None:
    """Keep this machine's own search index in step with a database elsewhere, until Ctrl-C.

    Run it beside “opendata serve” on every machine whose OPENDATA_SEARCH_URL names a folder of its own.

    \b
    Example:  OPENDATA_SEARCH_URL=columns:///var/lib/opendata/search opendata follow-index
    """
    end_with_parent()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    services = build_services(load_settings())
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_details: stopping.set())
    with Tidying(services.search):
        IndexFollower(services.database, services.search, services.indexing).follow(stopping)
    services.close()


def _list_settings(settings: Settings) -> None:
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        shown = "(set)" if item.name == "secret_key" and value else value
        click.echo(f"OPENDATA_{item.name.upper()}={shown}\n    {item.metadata['meaning']}")


COMMANDS = (quickstart, serve, worker, migrate_command, seed, check, reindex, follow_index)
