"""What publishing a version consists of, shared by the ingest job and by the person who releases a held one.

Tables go into the store and into rows first; then, in one unit of work, the pointer of the resource swings to
the version and readers are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opendata.accounts.policy import SYSTEM
from opendata.catalogue.events import dataset_changed
from opendata.catalogue.models import Dataset
from opendata.catalogue.service import make_public
from opendata.resources.models import PublishedTable, Resource, ResourceVersion, VersionState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from opendata.kernel.db import UnitOfWork
    from opendata.kernel.storage import FileStore
    from opendata.resources.comparing import Compared
    from opendata.resources.ingest.result import TableResult

SETTLED = frozenset({VersionState.PUBLISHED, VersionState.FAILED})


def lock_version(session: Session, version_id: str) -> tuple[Dataset, Resource, ResourceVersion] | None:
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


def store_tables(
    store: FileStore, version_id: str, tables: Sequence[TableResult], compared: Sequence[Compared]
) -> list[PublishedTable]:
    """Keep the files of these tables; the rows that point at them, not yet added to a session."""
    return [
        _table_row(store, version_id, position, table, difference)
        for position, (table, difference) in enumerate(zip(tables, compared, strict=True))
    ]


def swing_pointer(
    unit: UnitOfWork, dataset: Dataset, resource: Resource, version: ResourceVersion, now: dt.datetime
) -> None:
    """Give readers this version, unless a later upload was faster; a dataset that waited for it goes public."""
    current = unit.session.get(ResourceVersion, resource.current_version_id or "")
    if current is not None and current.number >= version.number:
        return
    resource.current_version_id = version.id
    dataset.modified_at = now
    if dataset.publish_when_ready:
        make_public(unit, SYSTEM, dataset, now)
    unit.emit(dataset_changed(dataset.id))


def _table_row(
    store: FileStore, version_id: str, position: int, table: TableResult, compared: Compared
) -> PublishedTable:
    parquet_sha256, parquet_size = _kept(store, table.parquet_path)
    row = PublishedTable(
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
        problems=[problem.to_json() for problem in (*table.problems, *compared.problems)],
        parquet_sha256=parquet_sha256,
        parquet_size=parquet_size,
    )
    if table.quarantine is not None:
        row.quarantine_sha256, row.quarantine_size = _kept(store, table.quarantine.path)
        row.quarantine_rows = table.quarantine.rows
    if compared.differences is not None:
        row.differences = compared.differences.to_json() | {"path": None}
        if compared.differences.path is not None:
            row.differences_sha256, row.differences_size = _kept(store, compared.differences.path)
    return row


def _kept(store: FileStore, path: Path) -> tuple[str, int]:
    with path.open("rb") as handle:
        stored = store.put(handle)
    return stored.sha256, stored.size
