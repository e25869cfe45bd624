"""Accounts on a real database, with a clock that the test moves."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from opendata.accounts.models import AuditRow
from opendata.accounts.policy import COMMAND_LINE
from opendata.accounts.service import AccountService
from opendata.kernel.db import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LAN = "lan@example.org"
PASSWORD = "một mật khẩu dài"


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime(2025, 7, 1, 8, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += dt.timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(prepared_folder: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(prepared_folder / "portal.sqlite", tmp_path / "portal.sqlite")
    opened = Database(f"sqlite:///{tmp_path / 'portal.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def accounts(database: Database, clock: Clock) -> AccountService:
    service = AccountService(database, clock)
    service._hasher = PasswordHasher(
        time_cost=1, memory_cost=8, parallelism=1
    )  # the full cost is tested once
    return service


@pytest.fixture
def dump(database: Database) -> Callable[[], str]:
    """Everything the database holds, as SQL."""

    def read() -> str:
        connection = sqlite3.connect(str(database.url.database))
        try:
            return "\n".join(connection.iterdump())
        finally:
            connection.close()

    return read


@pytest.fixture
def lan(accounts: AccountService) -> str:
    """The id of a person without any role."""
    return accounts.add_person(COMMAND_LINE, email=LAN, name="Nguyễn Thị Lan", password=PASSWORD)


@pytest.fixture
def audited(database: Database) -> Callable[[], list[tuple[str, str, str, str]]]:
    """(who, via, action, subject) of every audit row since the fixture was asked for."""

    def rows() -> list[AuditRow]:
        with database.reading() as session:
            return list(session.scalars(select(AuditRow).order_by(AuditRow.id)))

    before = len(rows())
    return lambda: [
        (row.actor_name, row.via, row.action, f"{row.subject_type}/{row.subject_id}")
        for row in rows()[before:]
    ]
