"""A new version's tables held against those that readers get now, for the ingest job.

Tables are matched by name; the only table of a file is matched with the only one before, whatever its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from opendata.resources.ingest.differences import Differences, compare_tables
from opendata.resources.ingest.limits import ChildError, run_limited
from opendata.resources.ingest.problems import Problem
from opendata.resources.models import PublishedTable, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from opendata.kernel.storage import FileStore
    from opendata.resources.ingest.limits import Limits
    from opendata.resources.ingest.result import TableResult


@dataclass(frozen=True, slots=True)
class Compared:
    """`differences` is None for a table that is new, or could not be compared (`problems` say why)."""

    differences: Differences | None = None
    problems: tuple[Problem, ...] = ()


def current_parquet(session: Session, resource_id: str, store: FileStore) -> dict[str, Path]:
    """The Parquet file of each table that readers of this resource get now."""
    chosen = (
        select(PublishedTable.name, PublishedTable.parquet_sha256)
        .join(Resource, Resource.current_version_id == PublishedTable.version_id)
        .where(Resource.id == resource_id)
        .order_by(PublishedTable.position)
    )
    return {row.name: store.path(row.parquet_sha256) for row in session.execute(chosen)}


def compare_with_current(
    tables: Sequence[TableResult], before: Mapping[str, Path], folder: Path, limits: Limits
) -> tuple[Compared, ...]:
    """One for each table. A comparison that fails keeps nothing from being published."""
    renamed = len(tables) == len(before) == 1
    old = [next(iter(before.values())) if renamed else before.get(table.name) for table in tables]
    return tuple(
        _compared(table, path, folder / f"compare-{position}", limits) if path is not None else Compared()
        for position, (table, path) in enumerate(zip(tables, old, strict=True))
    )


def _compared(table: TableResult, before: Path, folder: Path, limits: Limits) -> Compared:
    folder.mkdir(exist_ok=True)
    key = _declared_key(table.table_schema)
    try:
        found = run_limited(compare_tables, (before, table.parquet_path, folder, key), limits=limits)
    except ChildError as error:
        found = Problem("reader-stopped", {"reason": str(error)})
    if isinstance(found, Problem):
        unknown = Problem("differences-unknown", {"reason": found.sentence()}, table=table.name)
        return Compared(problems=(unknown,))
    return Compared(found)


def _declared_key(schema: Mapping[str, Any]) -> tuple[str, ...]:
    key = schema.get("primaryKey") or ()
    return (key,) if isinstance(key, str) else tuple(key)
