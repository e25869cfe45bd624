"""The schema goes up, down and up again on both databases, and is what the models say."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from opendata.accounts.models import Agency
from opendata.kernel.db import Database
from opendata.kernel.ids import utc_now
from opendata.migrations import METADATA, current_revision, head_revision, migrate

if TYPE_CHECKING:
    from collections.abc import Callable

KILLED = """
import os, signal, sys
from sqlalchemy import text
from opendata.kernel.db import Database

with Database(sys.argv[1]).schema_change() as connection:
    connection.execute(text("CREATE TABLE half_made (id integer)"))
    os.kill(os.getpid(), signal.SIGKILL)
"""
MIGRATE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from opendata.kernel.db import Database
from opendata.migrations import migrate

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(3) as pool:
    for done in [pool.submit(lambda: migrate(Database(sys.argv[1]))) for _ in range(3)]:
        done.result()
"""


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_up_down_and_up_again(empty_database) -> None:
    assert current_revision(empty_database) is None
    migrate(empty_database)
    assert current_revision(empty_database) == head_revision() != ""
    assert tables(empty_database) == set(METADATA.tables)
    migrate(empty_database, "base")
    assert current_revision(empty_database) is None
    assert tables(empty_database) == set()
    migrate(empty_database)
    assert tables(empty_database) == set(METADATA.tables)


def test_the_models_are_the_migrated_schema(empty_database) -> None:
    migrate(empty_database)
    with empty_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_migrating_again_keeps_what_is_there(database) -> None:
    with database.bookkeeping() as unit:
        unit.session.add(Agency(code="BKHCN", name={"vi": "Bộ Khoa học và Công nghệ"}))
    migrate(database)
    with database.reading() as session:
        assert session.get_one(Agency, "BKHCN").name == {"vi": "Bộ Khoa học và Công nghệ"}


def test_going_down_with_rows_in_the_tables(database, fill: Callable[[Database], None]) -> None:
    fill(database)
    migrate(database, "base")
    assert tables(database) == set()


def test_a_migration_that_is_killed_leaves_nothing_and_can_be_repeated(empty_url: str) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, empty_url], check=False)
    assert ended.returncode == -9
    database = Database(empty_url)
    assert tables(database) == set()
    migrate(database)
    assert tables(database) == set(METADATA.tables)
    database.close()


def test_who_migrates_a_new_database_at_once_takes_turns(empty_url: str) -> None:
    """Threads of two processes. SQLite switches a new file to its log under a lock that nobody waits for."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in started:
        process.communicate(b"go\n")
    assert [process.returncode for process in started] == [0, 0]
    database = Database(empty_url)
    assert current_revision(database) == head_revision()
    database.close()


@pytest.fixture
def fill() -> Callable[[Database], None]:
    from opendata.catalogue.models import Dataset
    from opendata.resources.models import Resource, ResourceVersion

    def add(database: Database) -> None:
        now = utc_now()
        with database.bookkeeping() as unit:
            unit.session.add(Agency(code="BYT", name={"vi": "Bộ Y tế"}))
            unit.session.flush()
            unit.session.add(
                Dataset(id="d", slug="d", fields={}, agency_code="BYT", created_at=now, modified_at=now)
            )
            unit.session.flush()
            resource = Resource(id="r", dataset_id="d", title={}, description={}, position=1, created_at=now)
            unit.session.add(resource)
            unit.session.flush()
            unit.session.add(
                ResourceVersion(
                    id="v",
                    resource_id="r",
                    number=1,
                    filename="f",
                    sha256="0" * 64,
                    size=1,
                    created_at=now,
                    created_by="me",
                )
            )
            unit.session.flush()
            resource.current_version_id = "v"

    return add
