"""The ingest job: from received bytes to a published version, or to a failed one with its reasons.

Runs in the worker. The file itself is opened only in a limited child process; this process copies results
into the store and swings the pointer in one commit. Running it again for a finished version does nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opendata.accounts import audit
from opendata.accounts.policy import SYSTEM
from opendata.catalogue.events import dataset_changed
from opendata.catalogue.models import Dataset
from opendata.catalogue.service import make_public
from opendata.kernel.ids import utc_now
from opendata.kernel.scratch import drop_abandoned, scratch_folder
from opendata.resources.ingest.limits import Limits, run_limited
from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.ingest.problems import Problem
from opendata.resources.models import PublishedTable, Resource, ResourceVersion, VersionState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sqlalchemy.orm import Session

    from opendata.kernel.db import Database, UnitOfWork
    from opendata.kernel.jobs import Attempt
    from opendata.kernel.storage import FileStore
    from opendata.resources.ingest.result import IngestResult, Progress, TableResult

PROGRESS_SECONDS = 0.5
SETTLED = frozenset({VersionState.PUBLISHED, VersionState.FAILED})


@dataclass(frozen=True, slots=True)
class _Task:
    version_id: str
    path: Path
    filename: str
    given_schema: dict[str, Any] | None


class IngestJob:
    """`workspace` is a folder for the child's temporary files, on the same disk as the store."""

    def __init__(
        self,
        database: Database,
        store: FileStore,
        workspace: Path,
        limits: Limits,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._database = database
        self._store = store
        self._workspace = workspace
        self._limits = limits
        self._clock = clock

    def run(self, payload: Mapping[str, Any], attempt: Attempt) -> None:  # noqa: ARG002 - see Job
        task = self._begin(payload["version_id"])
        if task is None:
            return
        if self._workspace.is_dir():
            drop_abandoned(self._workspace)
        with scratch_folder(self._workspace) as folder:
            result = run_limited(
                ingest_file,
                (task.path, task.filename, folder),
                {"table_schema": task.given_schema},
                limits=self._limits,
                on_progress=_Throttled(lambda progress: self._save_progress(task.version_id, progress)),
            )
            if isinstance(result, Problem):
                self._fail(task.version_id, [result], None)
            elif result.failed:
                self._fail(task.version_id, list(result.problems), result)
            else:
                self._publish(task.version_id, result)

    def give_up(self, payload: Mapping[str, Any], error: BaseException | None) -> None:  # noqa: ARG002
        """The last attempt ended without a result: say so on the version."""
        self._fail(payload["version_id"], [Problem("ingest-interrupted")], None)

    def _begin(self, version_id: str) -> _Task | None:
        with self._database.bookkeeping() as unit:
            version = unit.session.get(ResourceVersion, version_id)
            if version is None or version.state in SETTLED:
                return None
            version.state = VersionState.PROCESSING
            version.stage, version.progress_done = "identify", 0
            path = self._store.path(version.sha256)
            return _Task(version.id, path, version.filename, version.given_schema)

    def _save_progress(self, version_id: str, progress: Progress) -> None:
        with self._database.bookkeeping() as unit:
            version = unit.session.get(ResourceVersion, version_id)
            if version is not None and version.state == VersionState.PROCESSING:
                version.stage = progress.stage
                version.progress_done, version.progress_total = progress.done, progress.total
                version.progress_unit = progress.unit

    def _fail(self, version_id: str, problems: list[Problem], result: IngestResult | None) -> None:
        with self._database.unit_of_work() as unit:
            found = _lock(unit.session, version_id)
            if found is None:
                return
            _, _, version = found
            version.state = VersionState.FAILED
            version.finished_at = self._clock()
            version.problems = [problem.to_json() for problem in problems]
            if result is not None:
                _describe_file(version, result)
            codes = sorted({problem.code for problem in problems})
            audit.record(
                unit, SYSTEM, "resource.fail", ("resource", version.resource_id), {"problems": codes}
            )

    def _publish(self, version_id: str, result: IngestResult) -> None:
        kept = [self._store_table(table) for table in result.tables]
        with self._database.unit_of_work() as unit:
            found = _lock(unit.session, version_id)
            if found is None:
                return
            dataset, resource, version = found
            now = self._clock()
            version.state, version.stage, version.finished_at = VersionState.PUBLISHED, "publish", now
            version.problems = [problem.to_json() for problem in result.problems]
            version.progress_done = version.progress_total
            _describe_file(version, result)
            for position, (table, sha256, size) in enumerate(kept):
                unit.session.add(_table_row(version_id, position, table, sha256, size))
            details = {"version": version.number, "tables": len(kept)}
            audit.record(unit, SYSTEM, "resource.publish", ("resource", resource.id), details)
            current = unit.session.get(ResourceVersion, resource.current_version_id or "")
            if current is None or current.number < version.number:  # else a later upload was faster
                resource.current_version_id = version.id
                _tell_readers(unit, dataset, now)

    def _store_table(self, table: TableResult) -> tuple[TableResult, str, int]:
        with table.parquet_path.open("rb") as handle:
            stored = self._store.put(handle)
        return table, stored.sha256, stored.size


def _lock(session: Session, version_id: str) -> tuple[Dataset, Resource, ResourceVersion] | None:
    """An unsettled version with what it belongs to, nobody else's to change; None when there is none.

    Its dataset is the lock, as for every change of a dataset's files.
    """
    version = session.get(ResourceVersion, version_id)
    resource = session.get(Resource, version.resource_id) if version else None
    dataset = session.get(Dataset, resource.dataset_id, with_for_update=True) if resource else None
    if version is None or resource is None or dataset is None:
        return None
    resource = session.get(Resource, resource.id, populate_existing=True)
    version = session.get(ResourceVersion, version.id, populate_existing=True)
    if version is None or resource is None or version.state in SETTLED:
        return None
    return dataset, resource, version


def _tell_readers(unit: UnitOfWork, dataset: Dataset, now: dt.datetime) -> None:
    """Part of the unit of work that gives readers another version."""
    dataset.modified_at = now
    if dataset.publish_when_ready:
        make_public(unit, SYSTEM, dataset, now)
    unit.emit(dataset_changed(dataset.id))


class _Throttled:
    """Passes a stage's first report and then at most two a second: each costs a commit."""

    def __init__(self, save: Callable[[Progress], None]) -> None:
        self._save = save
        self._stage = ""
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage == self._stage and now - self._last < PROGRESS_SECONDS:
            return
        self._stage, self._last = progress.stage, now
        self._save(progress)


def _describe_file(version: ResourceVersion, result: IngestResult) -> None:
    version.format = result.identification.format
    version.media_type = result.identification.media_type
    version.identification = result.identification.to_json()
    version.no_table = result.no_table_reason.to_json() if result.no_table_reason else None


def _table_row(version_id: str, position: int, table: TableResult, sha256: str, size: int) -> PublishedTable:
    return PublishedTable(
        version_id=version_id,
        position=position,
        name=table.name,
        title=table.title,
        row_count=table.row_count,
        column_count=len(table.columns),
        columns=[column.to_json() for column in table.columns],
        table_schema=dict(table.table_schema),
        profile=dict(table.profile),
        report=dict(table.report),
        problems=[problem.to_json() for problem in table.problems],
        parquet_sha256=sha256,
        parquet_size=size,
    )
