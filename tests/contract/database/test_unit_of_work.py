"""One commit: the change, its audit row and its outbox rows together, or nothing at all."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from opendata.accounts import audit
from opendata.accounts.models import Agency, AuditRow
from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue.models import Dataset
from opendata.kernel.db import Database, Event, UnauditedChangeError, UnstorableValueError
from opendata.kernel.errors import ConflictError
from opendata.kernel.ids import utc_now
from opendata.kernel.outbox import OutboxRow
from opendata.migrations import METADATA
from opendata.resources.models import Resource, ResourceVersion

CHANGE = Event("agency.added", {"code": "BYT"})

KILLED = """
import sys
from opendata.accounts import audit
from opendata.accounts.models import Agency
from opendata.accounts.policy import COMMAND_LINE
from opendata.kernel.db import Database, Event

with Database(sys.argv[1]).unit_of_work() as unit:
    unit.session.add(Agency(code="BYT", name={"vi": "Bộ Y tế"}))
    audit.record(unit, COMMAND_LINE, "agency.add", ("agency", "BYT"))
    unit.emit(Event("agency.added", {"code": "BYT"}))
    unit.session.flush()
    print("written", flush=True)
    sys.stdin.read()  # until it is killed
"""


class StopHereError(Exception):
    """Raised by these tests inside a unit of work."""


def counts(database: Database) -> tuple[int, int, int]:
    """(agencies, audit rows, outbox rows)"""
    with database.reading() as session:
        return (
            session.scalar(select(func.count()).select_from(Agency)) or 0,
            session.scalar(select(func.count()).select_from(AuditRow)) or 0,
            session.scalar(select(func.count()).select_from(OutboxRow)) or 0,
        )


def add_agency(database: Database, code: str = "BYT", name: str = "Bộ Y tế") -> None:
    with database.unit_of_work() as unit:
        unit.session.add(Agency(code=code, name={"vi": name}))
        audit.record(unit, COMMAND_LINE, "agency.add", ("agency", code), {"name": name})
        unit.emit(Event("agency.added", {"code": code}))


def test_change_audit_and_outbox_are_committed_together(database) -> None:
    before = utc_now()
    add_agency(database)
    assert counts(database) == (1, 1, 1)
    with database.reading() as session:
        told = session.scalars(select(OutboxRow)).one()
        witness = session.scalars(select(AuditRow)).one()
    assert (told.topic, told.payload, told.state) == ("agency.added", {"code": "BYT"}, "pending")
    assert (witness.action, witness.subject_type, witness.subject_id) == ("agency.add", "agency", "BYT")
    assert (witness.actor_id, witness.actor_name, witness.via) == (None, "command line", "cli")
    assert before <= told.created_at <= utc_now()


def test_an_exception_takes_everything_back(database) -> None:
    def begin_and_stop() -> None:
        with database.unit_of_work() as unit:
            unit.session.add(Agency(code="BYT", name={"vi": "Bộ Y tế"}))
            audit.record(unit, COMMAND_LINE, "agency.add", ("agency", "BYT"))
            unit.emit(CHANGE)
            unit.session.flush()
            raise StopHereError

    with pytest.raises(StopHereError):
        begin_and_stop()
    assert counts(database) == (0, 0, 0)


def test_a_kill_in_the_middle_leaves_nothing(database, database_url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        assert counts(database) == (0, 0, 0)
        process.kill()
    assert counts(database) == (0, 0, 0)
    add_agency(database)  # and whoever was killed holds nothing any more
    assert counts(database) == (1, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.add(Agency(code="BTC", name={})),
        lambda session: setattr(session.get(Agency, "BYT"), "kind", "ministry"),
        lambda session: session.delete(session.get(Agency, "BYT")),
        lambda session: session.execute(update(Agency).values(kind="ministry")),
        lambda session: session.execute(delete(Agency)),
        lambda session: session.execute(insert(Agency).values(code="BTC", name={}, kind="x")),
        lambda session: session.execute(update(METADATA.tables["agencies"]).values(kind="ministry")),
    ],
    ids=["add", "set", "delete", "update", "delete-where", "insert", "update-table"],
)
def test_a_change_without_an_audit_row_is_refused(database, change) -> None:
    add_agency(database)
    with pytest.raises(UnauditedChangeError), database.unit_of_work() as unit:
        change(unit.session)
    assert counts(database) == (1, 1, 1)
    with database.reading() as session:
        assert session.get_one(Agency, "BYT").kind == "agency"


def test_an_event_without_an_audit_row_is_refused(database) -> None:
    with pytest.raises(UnauditedChangeError), database.unit_of_work() as unit:
        unit.emit(CHANGE)
    assert counts(database) == (0, 0, 0)


def test_changing_nothing_needs_no_audit_row(database) -> None:
    with database.unit_of_work() as unit:
        assert unit.session.get(Agency, "BYT") is None
    assert counts(database) == (0, 0, 0)


def test_bookkeeping_needs_no_audit_row(database) -> None:
    with database.bookkeeping() as unit:
        unit.session.add(Agency(code="BYT", name={}))
    assert counts(database) == (1, 0, 0)


@pytest.mark.parametrize("outer", ["unit_of_work", "bookkeeping"])
@pytest.mark.parametrize("inner", ["unit_of_work", "bookkeeping"])
def test_one_inside_another_is_refused(database, outer: str, inner: str) -> None:
    """It would wait for itself: on SQLite at once, on PostgreSQL as soon as both touch a row."""
    with (
        pytest.raises(RuntimeError, match="inside another"),
        getattr(database, outer)(),
        getattr(database, inner)(),
    ):
        pass
    add_agency(database)
    assert counts(database) == (1, 1, 1)


def test_reading_inside_a_unit_sees_what_was_committed(database) -> None:
    with database.unit_of_work() as unit:
        unit.session.add(Agency(code="BYT", name={}))
        audit.record(unit, COMMAND_LINE, "agency.add", ("agency", "BYT"))
        unit.session.flush()
        assert counts(database) == (0, 0, 0)
    assert counts(database) == (1, 1, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.execute(update(Agency).values(kind="ministry")),
        lambda session: session.execute(text("DELETE FROM agencies")),
        lambda session: (session.add(Agency(code="BTC", name={})), session.flush()),
    ],
    ids=["update", "delete", "add"],
)
def test_a_reading_session_cannot_write(database, change) -> None:
    add_agency(database)
    with pytest.raises(DBAPIError, match=r"(?i)read-?only"), database.reading() as session:
        change(session)
    with database.reading() as session:
        session.get_one(Agency, "BYT").kind = "changed in memory"
    with database.reading() as session:
        assert [agency.kind for agency in session.scalars(select(Agency))] == ["agency"]
    add_agency(database, "BTC")  # and the connection it used can write again
    assert counts(database) == (2, 2, 2)


def test_what_someone_else_added_first_is_a_conflict(database) -> None:
    add_agency(database)
    with pytest.raises(ConflictError):
        add_agency(database)
    assert counts(database) == (1, 1, 1)


def add_row(database: Database, row: object) -> None:
    with database.unit_of_work() as unit:
        unit.session.add(row)
        audit.record(unit, COMMAND_LINE, "add", ("row", "x"))


def test_what_someone_else_took_away_is_a_conflict(database) -> None:
    now = utc_now()
    dataset = Dataset(slug="x", fields={}, agency_code="NONE", created_at=now, modified_at=now)
    with pytest.raises(ConflictError):
        add_row(database, dataset)


def test_a_missing_value_is_a_fault_of_ours(database) -> None:
    with pytest.raises(IntegrityError):
        add_row(database, Agency(code="BYT"))


@pytest.mark.postgres
@pytest.mark.parametrize("code", ["B\x00Y", "B" * 36])
def test_what_postgresql_cannot_keep_is_said(postgres_url: str, code: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(UnstorableValueError):
        add_agency(database, code)
    with pytest.raises(UnstorableValueError), database.reading() as session:
        session.scalar(select(Agency).where(Agency.code == "\x00"))
    database.close()


# -- column types ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [
        dt.datetime(2025, 7, 1, 0, 0, 0, 1, tzinfo=dt.UTC),
        dt.datetime(2025, 7, 1, 7, 30, tzinfo=dt.timezone(dt.timedelta(hours=7))),
        dt.datetime(1945, 9, 2, 14, 0, tzinfo=dt.timezone(dt.timedelta(hours=-9, minutes=-30))),
        dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
    ],
)
def test_moments_come_back_as_utc(database, moment: dt.datetime) -> None:
    with database.bookkeeping() as unit:
        unit.session.add(OutboxRow(topic="x", payload={}, created_at=moment))
    with database.reading() as session:
        kept = session.scalars(select(OutboxRow.created_at)).one()
        assert session.scalar(select(func.count()).where(OutboxRow.created_at == moment)) == 1
        later = moment.astimezone(dt.UTC) - dt.timedelta(microseconds=1)
        assert session.scalar(select(func.count()).where(OutboxRow.created_at > later)) == 1
    assert kept == moment
    assert kept.utcoffset() == dt.timedelta(0)


def test_moments_without_a_time_zone_are_refused(database) -> None:
    with pytest.raises(StatementError, match="without a time zone"), database.bookkeeping() as unit:
        unit.session.add(OutboxRow(topic="x", payload={}, created_at=dt.datetime(2025, 7, 1)))  # noqa: DTZ001 - the point
    with pytest.raises(StatementError, match="without a time zone"), database.reading() as session:
        session.scalar(select(OutboxRow).where(OutboxRow.created_at > dt.datetime(2025, 7, 1)))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({}, {}),
        (
            {"tên": "Đắk Lắk", "n": [1, 2.5, None, True, {"x": []}]},
            {"tên": "Đắk Lắk", "n": [1, 2.5, None, True, {"x": []}]},
        ),
        ({"big": 2**63, "tiny": 1e-300, "😀": "𝔘"}, {"big": 2**63, "tiny": 1e-300, "😀": "𝔘"}),
        ({"nul": "a\x00b"}, {"nul": "a\ufffdb"}),
        ({"text": "\\u0000 \\\\u0000"}, {"text": "\\u0000 \\\\u0000"}),
        ({"slashed": "\\\x00"}, {"slashed": "\\\ufffd"}),
        ({"half": "\ud800"}, {"half": "?"}),
        (
            {"mean": float("nan"), "top": [float("inf"), (-float("inf"),)]},
            {"mean": None, "top": [None, [None]]},
        ),
    ],
    ids=["empty", "nested", "wide", "nul", "written-nul", "slash-nul", "surrogate", "not-finite"],
)
def test_json_comes_back(database, value, kept) -> None:
    with database.bookkeeping() as unit:
        unit.session.add(OutboxRow(topic="x", payload=value, created_at=utc_now()))
    with database.reading() as session:
        assert session.scalars(select(OutboxRow.payload)).one() == kept


def test_json_none_is_sql_null(database) -> None:
    now = utc_now()
    with database.bookkeeping() as unit:
        session = unit.session
        session.add(Agency(code="BYT", name={}))
        session.flush()
        session.add(Dataset(id="d", slug="d", fields={}, agency_code="BYT", created_at=now, modified_at=now))
        session.flush()
        session.add(Resource(id="r", dataset_id="d", title={}, description={}, position=1, created_at=now))
        session.flush()
        for number, schema in ((1, None), (2, {"fields": []})):
            session.add(
                ResourceVersion(
                    resource_id="r",
                    number=number,
                    filename="f",
                    sha256="0" * 64,
                    size=2**40,
                    created_at=now,
                    created_by="me",
                    given_schema=schema,
                )
            )
    with database.reading() as session:
        found = session.execute(
            text("SELECT number, size FROM resource_versions WHERE given_schema IS NULL")
        ).all()
    assert [tuple(row) for row in found] == [(1, 2**40)]
