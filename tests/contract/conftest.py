"""The databases of the contract suites: each test that asks for `database` runs on SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from opendata.kernel.db import Database
from opendata.migrations import migrate
from tests.contract.postgres import empty_postgres_url, postgres_server, postgres_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["empty_postgres_url", "postgres_server", "postgres_url"]

BACKENDS = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated, empty database, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "portal.sqlite"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.checkpoint()
    database.close()
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    shutil.copy(migrated_sqlite, tmp_path / "portal.sqlite")
    return f"sqlite:///{tmp_path / 'portal.sqlite'}"


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database of its own for this test."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that does not exist yet, or has no table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.sqlite'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
def empty_database(empty_url: str) -> Iterator[Database]:
    opened = Database(empty_url)
    yield opened
    opened.close()
