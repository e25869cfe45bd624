"""The ingest job: from received bytes to a published version, a held one, or a failed one with its reasons.

Runs in the worker. The file itself is opened only in a limited child process; this process copies results
into the store and swings the pointer in one commit. Running it again for a finished version does nothing;
running it again after a kill takes up the stages that were finished.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from opendata.accounts import audit
from opendata.accounts.policy import SYSTEM
from opendata.kernel.ids import utc_now
from opendata.kernel.scratch import drop_abandoned, lasting_folder
from opendata.resources.comparing import Compared, compare_with_current, current_parquet
from opendata.resources.ingest.limits import Limits, run_limited
from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.ingest.problems import Problem
from opendata.resources.models import IN_WORK, ResourceVersion, VersionState
from opendata.resources.publishing import lock_version, store_tables, swing_pointer

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from opendata.kernel.db import Database
    from opendata.kernel.jobs import Attempt
    from opendata.kernel.storage import FileStore
    from opendata.resources.ingest.result import IngestResult, Progress

PROGRESS_SECONDS = 0.5
# The child was killed from outside, or died without a word: another attempt may get through.
_WORTH_ANOTHER_TRY = frozenset({"reader-stopped"})


class InterruptedIngestError(RuntimeError):
    """The child ended before its work did; the finished stages wait in the work folder."""


@dataclass(frozen=True, slots=True)
class _Task:
    """`before` are the Parquet files that readers get now, by table."""

    version_id: str
    path: Path
    filename: str
    wishes: dict[str, Any]
    before: Mapping[str, Path]


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

    def run(self, payload: Mapping[str, Any], attempt: Attempt) -> None:
        """Raises InterruptedIngestError where another attempt is worth it."""
        task = self._begin(payload["version_id"])
        if task is None:
            return
        self._sweep()
        with lasting_folder(self._workspace, task.version_id) as folder:
            result = run_limited(
                ingest_file,
                (task.path, task.filename, folder),
                task.wishes,
                limits=self._limits,
                on_progress=_Throttled(lambda progress: self._save_progress(task.version_id, progress)),
            )
            if isinstance(result, Problem):
                if result.code in _WORTH_ANOTHER_TRY and not attempt.is_last:
                    raise InterruptedIngestError(result.message())
                self._fail(task.version_id, [result], None)
            elif result.failed:
                self._fail(task.version_id, list(result.problems), result)
            else:
                compared = compare_with_current(result.tables, task.before, folder, self._limits)
                self._finish(task.version_id, result, compared)

    def give_up(self, payload: Mapping[str, Any], error: BaseException | None) -> None:  # noqa: ARG002
        """The last attempt ended without a result: say so on the version."""
        self._fail(payload["version_id"], [Problem("ingest-interrupted")], None)

    def _begin(self, version_id: str) -> _Task | None:
        with self._database.bookkeeping() as unit:
            # Locked, or a version that another worker gives up at this moment would come to life again.
            version = unit.session.get(ResourceVersion, version_id, with_for_update=True)
            if version is None or version.state not in IN_WORK:
                return None
            version.state = VersionState.PROCESSING
            version.stage, version.progress_done = "identify", 0
            wishes = {
                "table_schema": version.given_schema,
                "corrections": version.corrections,
                "faulty_rows": version.faulty_rows,
            }
            return _Task(
                version_id=version.id,
                path=self._store.path(version.sha256),
                filename=version.filename,
                wishes=wishes,
                before=current_parquet(unit.session, version.resource_id, self._store),
            )

    def _sweep(self) -> None:
        """Drop the work folders of versions that nobody will work on any more."""
        if not self._workspace.is_dir():
            return
        with self._database.reading() as session:
            chosen = select(ResourceVersion.id).where(ResourceVersion.state.in_(IN_WORK))
            unsettled = set(session.scalars(chosen))
        drop_abandoned(self._workspace, spare=unsettled.__contains__)

    def _save_progress(self, version_id: str, progress: Progress) -> None:
        with self._database.bookkeeping() as unit:
            version = unit.session.get(ResourceVersion, version_id)
            if version is not None and version.state == VersionState.PROCESSING:
                version.stage = progress.stage
                version.progress_done, version.progress_total = progress.done, progress.total
                version.progress_unit = progress.unit

    def _fail(self, version_id: str, problems: list[Problem], result: IngestResult | None) -> None:
        with self._database.unit_of_work() as unit:
            found = lock_version(unit.session, version_id)
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

    def _finish(self, version_id: str, result: IngestResult, compared: Sequence[Compared]) -> None:
        """Publish, or hold what has personal data until a person decides."""
        rows = store_tables(self._store, version_id, result.tables, compared)
        findings = [dict(finding) for table in result.tables for finding in table.findings]
        with self._database.unit_of_work() as unit:
            found = lock_version(unit.session, version_id)
            if found is None:
                return
            dataset, resource, version = found
            now = self._clock()
            version.stage, version.progress_done = "publish", version.progress_total
            version.problems = [problem.to_json() for problem in result.problems]
            version.findings = findings
            _describe_file(version, result)
            unit.session.add_all(rows)
            details: dict[str, Any] = {"version": version.number, "tables": len(rows)}
            if findings:
                version.state = VersionState.HELD
                details["findings"] = sorted({finding["code"] for finding in findings})
                audit.record(unit, SYSTEM, "resource.hold", ("resource", resource.id), details)
                return
            version.state, version.finished_at = VersionState.PUBLISHED, now
            audit.record(unit, SYSTEM, "resource.publish", ("resource", resource.id), details)
            swing_pointer(unit, dataset, resource, version, now)


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
