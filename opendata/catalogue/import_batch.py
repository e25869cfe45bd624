"""One unit of work of an import: which of its records are new, which changed, and their rows, in bulk.

Made anew by `importing` for each batch, and again when somebody else's change came between. `plan` only asks the
database, `store` only writes; a dry run stops between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from typing import cast as cast_as

from sqlalchemy import (
    Text,
    bindparam,
    cast,
    false,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from opendata.accounts import audit
from opendata.accounts.policy import Permission
from opendata.catalogue.events import datasets_changed
from opendata.catalogue.models import Dataset, DatasetRevision, DatasetState
from opendata.kernel.errors import N_, FieldError
from opendata.kernel.tables import UtcDateTime, stored_json

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Dialect, Insert, Row
    from sqlalchemy.orm import Session

    from opendata.accounts.policy import Actor
    from opendata.kernel.db import UnitOfWork
    from opendata.kernel.outbox import OutboxRow

_TELLS_APART: Final = 8  # letters of the id behind an address that is taken


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """`line` counts from 1; `error.field` is empty where the line as a whole is meant."""

    line: int
    code: str
    error: FieldError


class ImportRecord(NamedTuple):
    """A line that passed the profile. `id` is its own where `has_own_id`, else what its key always gives;
    `slug` the address it names, `wished_slug` that or the one its title gives.
    """

    line: int
    id: str
    has_own_id: bool
    slug: str | None
    wished_slug: str
    fields: dict[str, Any]
    state: DatasetState
    modified_at: dt.datetime


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """Datasets that one unit of work wrote, and the outbox row that names them."""

    row_id: int
    dataset_ids: tuple[str, ...]


class ImportBatch:
    """`may` answers whether the actor has a permission in an agency."""

    def __init__(self, actor: Actor, may: Callable[[Permission, str], bool], now: dt.datetime) -> None:
        self._actor = actor
        self._may = may
        self._now = now
        self.created: list[dict[str, Any]] = []
        self.changed: list[dict[str, Any]] = []
        self.unchanged = 0
        self.problems: list[RecordProblem] = []
        self._event: OutboxRow | None = None

    def plan(self, session: Session, records: Sequence[ImportRecord], *, for_change: bool = False) -> None:
        """Sort the records by what is to be done with them."""
        by_id, by_slug = _existing(session, records, for_change=for_change)
        planned: set[str] = set()
        taken = {slug: found.id for slug, found in by_slug.items()}
        for record in records:
            found = by_id.get(record.id)
            if found is None and record.slug is not None:
                found = by_slug.get(record.slug)
                if found is not None and record.has_own_id:
                    self._refuse(record, "slug-taken", "slug", _TAKEN, slug=record.slug)
                    continue
            dataset_id = found.id if found is not None else record.id
            if dataset_id in planned:
                self._refuse(record, "twice", "", TWICE)
                continue
            planned.add(dataset_id)
            if found is not None:
                self._plan_change(record, found, taken)
            else:
                self._plan_new(record, taken)

    def store(self, unit: UnitOfWork) -> None:
        """Write what was planned with its history, one audit row and one event."""
        session = unit.session
        connection = session.connection()
        if self.created:
            _insertion(connection.dialect).execute(connection, self.created)
        if self.changed:
            session.execute(update(Dataset), self.changed)
        written = [*self.created, *self.changed]
        if not written:
            return
        connection.execute(self._history([row["id"] for row in written], connection.dialect.name))
        details = {
            "created": [row["id"] for row in self.created],
            "changed": [row["id"] for row in self.changed],
        }
        audit.record(unit, self._actor, "catalogue.import", ("catalogue", written[0]["id"]), details)
        self._event = unit.emit(datasets_changed([row["id"] for row in written]))

    def written(self) -> WrittenBatch | None:
        """What was stored, once its unit of work is committed."""
        if self._event is None:
            return None
        return WrittenBatch(self._event.id, tuple(row["id"] for row in (*self.created, *self.changed)))

    def _history(self, ids: Sequence[str], dialect: str) -> Insert:
        """The revisions of datasets just written: copied by the database, which has their metadata already."""
        now, by = literal(self._now, UtcDateTime()), literal(self._actor.name)
        copied = select(Dataset.id, Dataset.revision, now, by, Dataset.fields)
        columns = ["dataset_id", "number", "at", "by", "fields"]
        return insert(DatasetRevision).from_select(columns, copied.where(_is_among(Dataset.id, ids, dialect)))

    def _plan_new(self, record: ImportRecord, taken: dict[str, str]) -> None:
        publisher = record.fields["publisher"]
        if not self._allowed(record, publisher, publishes=record.state != DatasetState.DRAFT):
            return
        slug = record.wished_slug
        if taken.get(slug, record.id) != record.id:
            if record.slug is not None:
                self._refuse(record, "slug-taken", "slug", _TAKEN, slug=slug)
                return
            slug = f"{slug}-{record.id[-_TELLS_APART:]}"
        taken[slug] = record.id
        self.created.append(
            {
                "id": record.id,
                "slug": slug,
                "state": record.state,
                "fields": record.fields,
                "agency_code": publisher,
                "created_at": self._now,
                "modified_at": record.modified_at,
                "published_at": None if record.state == DatasetState.DRAFT else self._now,
            }
        )

    def _plan_change(self, record: ImportRecord, found: Row[Any], taken: dict[str, str]) -> None:
        """Metadata as the record says; a draft may go public, nothing is taken out of sight."""
        publishes = record.state == DatasetState.PUBLISHED and found.state == DatasetState.DRAFT
        slug = record.slug or found.slug
        if (record.fields, slug) == (found.fields, found.slug) and not publishes:
            self.unchanged += 1
            return
        if taken.get(slug, found.id) != found.id:
            self._refuse(record, "slug-taken", "slug", _TAKEN, slug=slug)
            return
        if not (
            self._allowed(record, found.agency_code, publishes=publishes)
            and self._allowed(record, record.fields["publisher"], publishes=publishes)
        ):
            return
        taken[slug] = found.id
        self.changed.append(
            {
                "id": found.id,
                "slug": slug,
                "state": DatasetState.PUBLISHED if publishes else found.state,
                "fields": record.fields,
                "revision": found.revision + 1,
                "agency_code": record.fields["publisher"],
                "modified_at": self._now,
                "published_at": (found.published_at or self._now) if publishes else found.published_at,
            }
        )

    def _allowed(self, record: ImportRecord, agency: str, *, publishes: bool) -> bool:
        wanted = [Permission.EDIT_DATASETS, *([Permission.PUBLISH_DATASETS] if publishes else [])]
        if all(self._may(permission, agency) for permission in wanted):
            return True
        self._refuse(record, "forbidden", "publisher", _FORBIDDEN, agency=agency)
        return False

    def _refuse(self, record: ImportRecord, code: str, field: str, template: str, **params: object) -> None:
        self.problems.append(RecordProblem(record.line, code, FieldError(field, template, params)))


_TAKEN: Final = N_("There is a dataset at the address “%(slug)s” already. Choose another one.")
TWICE: Final = N_("An earlier line is the same dataset; this one was left out.")
_FORBIDDEN: Final = N_("Your account may not change or publish datasets of the agency “%(agency)s”.")


_NEW: Final = ("id", "slug", "state", "agency_code", "created_at", "modified_at", "published_at")


class _Insertion:
    """New datasets by thousands: `fields` goes as JSON already written, everything that all new ones share stands in
    the statement, and the driver is given the values as it takes them. Bound one by one, they took as long as storing.
    """

    def __init__(self, dialect: Dialect) -> None:
        written: ColumnElement[Any] = bindparam("fields", type_=Text())
        statement = insert(Dataset).values(
            **{name: bindparam(name) for name in _NEW},
            fields=written if dialect.name == "sqlite" else cast(written, JSONB),
            publish_when_ready=false(),
            revision=literal_column("1"),
            download_count=literal_column("0"),
            view_count=literal_column("0"),
        )
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._positions = itemgetter(*compiled.positiontup) if compiled.positiontup else None
        to_moment = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
        self._moment = lru_cache(4096)(to_moment) if to_moment else _as_it_is

    def execute(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        moment = self._moment
        values = [
            {
                **row,
                "fields": stored_json(row["fields"]),
                "created_at": moment(row["created_at"]),
                "modified_at": moment(row["modified_at"]),
                "published_at": moment(row["published_at"]),
            }
            for row in rows
        ]
        connection.exec_driver_sql(
            self._sql, values if self._positions is None else list(map(self._positions, values))
        )


_insertion: Final = lru_cache(maxsize=4)(_Insertion)


def _as_it_is(moment: dt.datetime | None) -> dt.datetime | None:
    return moment


def _is_among(column: Any, values: Sequence[str], dialect: str) -> ColumnElement[bool]:
    """On SQLite as one value: a thousand are written into the statement each time, at the cost of a look-up each."""
    if dialect != "sqlite":
        return cast_as("ColumnElement[bool]", column.in_(values))
    given = func.json_each(bindparam(None, stored_json(values), type_=Text())).table_valued("value")
    return cast_as("ColumnElement[bool]", column.in_(select(given.c.value)))


def _existing(
    session: Session, records: Sequence[ImportRecord], *, for_change: bool
) -> tuple[dict[str, Row[Any]], dict[str, Row[Any]]]:
    """What the database has of these ids and addresses: by id, by slug."""
    dialect = session.get_bind().dialect.name
    ids = [record.id for record in records]
    slugs = [record.wished_slug for record in records]
    chosen = select(
        Dataset.id,
        Dataset.slug,
        Dataset.state,
        Dataset.fields,
        Dataset.revision,
        Dataset.agency_code,
        Dataset.published_at,
    ).where(or_(_is_among(Dataset.id, ids, dialect), _is_among(Dataset.slug, slugs, dialect)))
    rows = session.execute(chosen.with_for_update() if for_change else chosen).all()
    return {row.id: row for row in rows}, {row.slug: row for row in rows}
