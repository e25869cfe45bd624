"""Reads of files, their versions and tables, each behind the rule of the dataset it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, select

from opendata.catalogue.models import Dataset, DatasetState
from opendata.catalogue.policy import can_edit_dataset, can_view_dataset, visible_datasets
from opendata.kernel.errors import NotFoundError
from opendata.resources.ingest.problems import Problem
from opendata.resources.models import IN_WORK, PublishedTable, Resource, ResourceVersion, VersionState
from opendata.resources.newest import is_newest, newest_version

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from opendata.accounts.policy import Actor
    from opendata.kernel.db import Database


TABLES_KEPT: Final = 256
_NOT_SET_ASIDE: Final = frozenset({"every-row-set-aside", "too-uneven-to-set-aside"})


class NoTableError(NotFoundError):
    """A file that is kept as it is; `reason` says why it has no table."""

    code = "no-table"

    def __init__(self, reason: Problem) -> None:
        self.reason = reason
        super().__init__()

    def message(self, translate: Callable[[str], str] = str) -> str:
        return self.reason.message(translate)


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A CSV file kept beside a table; `size` in bytes, `rows` how many rows it is about."""

    sha256: str
    size: int
    rows: int


@dataclass(frozen=True, slots=True)
class TableView:
    """A table of a version. `columns`, `profile`, `report` in the shapes of resources.ingest.result.

    `quarantine` lists the rows set aside, `changed_rows` those that differ from the version before, for which
    `differences` has the counts (shape of `ingest.differences`).
    """

    name: str
    title: str
    row_count: int
    column_count: int
    columns: tuple[dict[str, Any], ...]
    table_schema: dict[str, Any]
    profile: dict[str, Any]
    report: dict[str, Any]
    problems: tuple[Problem, ...]
    parquet_sha256: str
    parquet_size: int
    quarantine: AttachedFile | None
    differences: dict[str, Any] | None
    changed_rows: AttachedFile | None


@dataclass(frozen=True, slots=True)
class VersionView:
    """`progress_*` count bytes or rows, as `progress_unit` says, of the stage that runs.

    `is_compared` is told by lists of versions only: whether it was held against the one before.
    """

    id: str
    number: int
    state: str
    stage: str
    progress_done: int
    progress_total: int
    progress_unit: str
    filename: str
    format: str
    media_type: str
    size: int
    sha256: str
    created_at: dt.datetime
    created_by: str
    finished_at: dt.datetime | None
    problems: tuple[Problem, ...]
    no_table: Problem | None
    identification: dict[str, Any]
    given_schema: dict[str, Any] | None
    faulty_rows: str
    findings: tuple[dict[str, Any], ...]
    decided_by: str | None
    is_compared: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether the work on it is done; one that is held waits for a person."""
        return self.state not in IN_WORK

    @property
    def is_public(self) -> bool:
        return self.state == VersionState.PUBLISHED

    @property
    def is_held(self) -> bool:
        return self.state == VersionState.HELD

    @property
    def has_faulty_rows(self) -> bool:
        """Whether it failed for rows that its publisher may set aside or keep as text."""
        return self.state == VersionState.FAILED and any(problem.row for problem in self.problems)

    @property
    def leaves_only_text(self) -> bool:
        """Whether setting the faulty rows aside was tried and cannot be done; their columns can still be text."""
        return self.state == VersionState.FAILED and any(
            problem.code in _NOT_SET_ASIDE for problem in self.problems
        )


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A file with the version readers get (`current`), the newest upload (`latest`) and current tables."""

    id: str
    dataset_id: str
    dataset_slug: str
    dataset_title: dict[str, str]
    title: dict[str, str]
    description: dict[str, str]
    created_at: dt.datetime
    current: VersionView | None
    latest: VersionView
    tables: tuple[TableView, ...]
    may_edit: bool
    corrections: dict[str, Any] | None

    def table(self, name: str | None) -> TableView:
        """The table of that name, the first one without. Raises NoTableError, NotFoundError."""
        for table in self.tables:
            if name is None or table.name == name:
                return table
        if self.current is not None and self.current.no_table is not None:
            raise NoTableError(self.current.no_table)
        raise NotFoundError


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns of a current table, in the shape of `TableView.columns`."""

    name: str
    title: str
    columns: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ShelfFile:
    """A file as the list of an officer's datasets needs it: its newest upload and its current columns."""

    id: str
    latest: VersionView
    corrections: dict[str, Any] | None
    tables: tuple[TableColumns, ...]


class ResourceQueries:
    """The tables of a published version never change, so they are read and decoded once and kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = lru_cache(maxsize=TABLES_KEPT)(self._read_tables)

    def resource(self, actor: Actor, resource_id: str) -> ResourceView:
        """Raises NotFoundError, also for what the actor may not see or what has no published version yet."""
        with self._database.reading() as session:
            resource, dataset = _visible(session, actor, resource_id)
            view = self._resource_view(session, actor, resource, dataset)
        if view.current is None and not view.may_edit:
            raise NotFoundError
        return view

    def resources_of(self, actor: Actor, dataset_id: str) -> tuple[ResourceView, ...]:
        """The files of a dataset in order; readers see those with a published version."""
        with self._database.reading() as session:
            dataset = session.get(Dataset, dataset_id)
            if dataset is None or not can_view_dataset(actor, dataset):
                raise NotFoundError
            chosen = (
                select(Resource)
                .where(Resource.dataset_id == dataset_id)
                .order_by(Resource.position, Resource.id)
            )
            views = [self._resource_view(session, actor, found, dataset) for found in session.scalars(chosen)]
        return tuple(view for view in views if view.current is not None or view.may_edit)

    def shelf_files(self, actor: Actor, dataset_ids: Sequence[str]) -> dict[str, tuple[ShelfFile, ...]]:
        """The files of many datasets in one query, for those who edit them; by dataset id, none left out."""
        chosen = (
            select(
                Dataset,
                Resource,
                ResourceVersion,
                PublishedTable.name,
                PublishedTable.title,
                PublishedTable.columns,
            )
            .join(Resource, Resource.dataset_id == Dataset.id)
            .join(ResourceVersion, and_(ResourceVersion.resource_id == Resource.id, is_newest()))
            .outerjoin(PublishedTable, PublishedTable.version_id == Resource.current_version_id)
            .where(Dataset.id.in_(dataset_ids), visible_datasets(actor))
            .order_by(Resource.position, Resource.id, PublishedTable.position)
        )
        found: dict[str, dict[str, ShelfFile]] = {key: {} for key in dataset_ids}
        with self._database.reading() as session:
            for dataset, file, latest, name, title, columns in session.execute(chosen):
                if not can_edit_dataset(actor, dataset):
                    continue
                files = found[dataset.id]
                shown = files.get(file.id) or ShelfFile(file.id, _version_view(latest), file.corrections, ())
                table = (TableColumns(name, title, tuple(columns)),) if name is not None else ()
                files[file.id] = replace(shown, tables=(*shown.tables, *table))
        return {key: tuple(files.values()) for key, files in found.items()}

    def versions(self, actor: Actor, resource_id: str) -> tuple[VersionView, ...]:
        """Newest first; readers see those that were published."""
        with self._database.reading() as session:
            _, dataset = _visible(session, actor, resource_id)
            chosen = (
                select(ResourceVersion)
                .where(ResourceVersion.resource_id == resource_id)
                .order_by(ResourceVersion.number.desc())
            )
            views = [_version_view(version) for version in session.scalars(chosen)]
            compared = set(
                session.scalars(
                    select(PublishedTable.version_id).where(
                        PublishedTable.version_id.in_([view.id for view in views]),
                        PublishedTable.differences.is_not(None),
                    )
                )
            )
            everything = can_edit_dataset(actor, dataset)
        return tuple(
            replace(view, is_compared=view.id in compared)
            for view in views
            if everything or view.state == VersionState.PUBLISHED
        )

    def version(self, actor: Actor, resource_id: str, number: int | None) -> VersionView:
        """A published version by number, or the one readers get. Raises NotFoundError."""
        if number is None:
            view = self.resource(actor, resource_id).current
            if view is None:
                raise NotFoundError
            return view
        for version in self.versions(actor, resource_id):
            if version.number == number:
                return version
        raise NotFoundError

    def tables_of_version(self, actor: Actor, version_id: str) -> tuple[TableView, ...]:
        """The tables of a published version, also an older one. Raises NotFoundError."""
        with self._database.reading() as session:
            version = session.get(ResourceVersion, version_id)
            if version is None or version.state != VersionState.PUBLISHED:
                raise NotFoundError
            _visible(session, actor, version.resource_id)
        return self._tables(version_id)

    def states(self, version_ids: Sequence[str]) -> dict[str, str]:
        """The state of each version by id: how far a batch of uploads is. For the operator, not for pages."""
        chosen = select(ResourceVersion.id, ResourceVersion.state).where(ResourceVersion.id.in_(version_ids))
        with self._database.reading() as session:
            return {row.id: row.state for row in session.execute(chosen)}

    def _resource_view(
        self, session: Session, actor: Actor, resource: Resource, dataset: Dataset
    ) -> ResourceView:
        latest = session.scalars(newest_version(resource.id)).one()
        current_id = resource.current_version_id
        current = session.get(ResourceVersion, current_id) if current_id else None
        return ResourceView(
            id=resource.id,
            dataset_id=dataset.id,
            dataset_slug=dataset.slug,
            dataset_title=dataset.fields.get("title", {}),
            title=resource.title,
            description=resource.description,
            created_at=resource.created_at,
            current=_version_view(current) if current else None,
            latest=_version_view(latest),
            tables=self._tables(current_id) if current_id else (),
            may_edit=can_edit_dataset(actor, dataset),
            corrections=resource.corrections,
        )

    def _read_tables(self, version_id: str) -> tuple[TableView, ...]:
        chosen = (
            select(PublishedTable)
            .where(PublishedTable.version_id == version_id)
            .order_by(PublishedTable.position)
        )
        with self._database.reading() as session:
            rows = list(session.scalars(chosen))
        return tuple(
            TableView(
                name=table.name,
                title=table.title,
                row_count=table.row_count,
                column_count=table.column_count,
                columns=tuple(table.columns),
                table_schema=table.table_schema,
                profile=table.profile,
                report=table.report,
                problems=tuple(Problem.from_json(problem) for problem in table.problems),
                parquet_sha256=table.parquet_sha256,
                parquet_size=table.parquet_size,
                quarantine=_attached(
                    table.quarantine_sha256, table.quarantine_size, table.quarantine_rows or 0
                ),
                differences=table.differences,
                changed_rows=_attached(
                    table.differences_sha256, table.differences_size, _changed(table.differences)
                ),
            )
            for table in rows
        )

    def row_total(self) -> int:
        """Rows that can be queried now, over all public tables."""
        counted = (
            select(func.coalesce(func.sum(PublishedTable.row_count), 0))
            .join(Resource, Resource.current_version_id == PublishedTable.version_id)
            .join(Dataset, Dataset.id == Resource.dataset_id)
            .where(Dataset.state == DatasetState.PUBLISHED)
        )
        with self._database.reading() as session:
            return int(session.scalar(counted) or 0)


def _visible(session: Session, actor: Actor, resource_id: str) -> tuple[Resource, Dataset]:
    resource = session.get(Resource, resource_id)
    dataset = session.get(Dataset, resource.dataset_id) if resource else None
    if resource is None or dataset is None or not can_view_dataset(actor, dataset):
        raise NotFoundError
    return resource, dataset


def _attached(sha256: str | None, size: int | None, rows: int) -> AttachedFile | None:
    return AttachedFile(sha256, size or 0, rows) if sha256 else None


def _changed(differences: dict[str, Any] | None) -> int:
    return sum(differences[kind] for kind in ("added", "removed", "changed")) if differences else 0


def _version_view(version: ResourceVersion) -> VersionView:
    return VersionView(
        id=version.id,
        number=version.number,
        state=version.state,
        stage=version.stage,
        progress_done=version.progress_done,
        progress_total=version.progress_total,
        progress_unit=version.progress_unit,
        filename=version.filename,
        format=version.format,
        media_type=version.media_type,
        size=version.size,
        sha256=version.sha256,
        created_at=version.created_at,
        created_by=version.created_by,
        finished_at=version.finished_at,
        problems=tuple(Problem.from_json(problem) for problem in version.problems),
        no_table=Problem.from_json(version.no_table) if version.no_table else None,
        identification=version.identification or {},
        given_schema=version.given_schema,
        faulty_rows=version.faulty_rows,
        findings=tuple(version.findings or ()),
        decided_by=version.decided_by,
    )
