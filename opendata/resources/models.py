"""Files of a dataset, their versions, and the tables each version became."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.kernel.ids import new_id
from opendata.kernel.tables import Base, BigId
from opendata.resources.ingest.result import FaultyRows


class VersionState(StrEnum):
    """A version rests at held (until a person decides), published or failed."""

    RECEIVED = "received"
    PROCESSING = "processing"
    HELD = "held"
    PUBLISHED = "published"
    FAILED = "failed"


IN_WORK = frozenset({VersionState.RECEIVED, VersionState.PROCESSING})


class Resource(Base):
    """One file that a dataset offers. `current_version_id` is what readers get; it moves in one commit.

    `corrections` are what the publisher said about how the file is to be read (`formats.corrections`); they
    hold for every later version as well.
    """

    __tablename__ = "resources"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    title: Mapped[dict[str, str]]
    description: Mapped[dict[str, str]]
    position: Mapped[int]
    created_at: Mapped[dt.datetime]
    current_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("resource_versions.id", use_alter=True, ondelete="SET NULL")
    )
    corrections: Mapped[dict[str, Any] | None]


class ResourceVersion(Base):
    """One upload: its bytes (`sha256`, `size`), what became of it, and why.

    `given_schema` is the Table Schema the publisher sent along, `identification` what the file turned out
    to be, `problems` the coded problems of the file as a whole, `no_table` the reason why it has no table.
    `corrections` and `faulty_rows` say how it was to be read; `findings` are the personal data found in it,
    masked, and `decided_by` who decided that it may be published all the same, or may not.
    """

    __tablename__ = "resource_versions"
    __table_args__ = (UniqueConstraint("resource_id", "number"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default=VersionState.RECEIVED)
    stage: Mapped[str] = mapped_column(String(12), default="")
    progress_done: Mapped[int] = mapped_column(BigId, default=0)
    progress_total: Mapped[int] = mapped_column(BigId, default=0)
    progress_unit: Mapped[str] = mapped_column(String(6), default="bytes")

    filename: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigId)
    format: Mapped[str] = mapped_column(String(20), default="")
    media_type: Mapped[str] = mapped_column(String(120), default="application/octet-stream")
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    finished_at: Mapped[dt.datetime | None]

    given_schema: Mapped[dict[str, Any] | None]
    identification: Mapped[dict[str, Any] | None]
    no_table: Mapped[dict[str, Any] | None]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    corrections: Mapped[dict[str, Any] | None]
    faulty_rows: Mapped[str] = mapped_column(String(12), default=FaultyRows.REFUSE, server_default="refuse")
    findings: Mapped[list[Any] | None]
    decided_by: Mapped[str | None] = mapped_column(String(200))


class PublishedTable(Base):
    """A table of a version: its schema, report and statistics, and the Parquet file that holds its rows.

    `quarantine_*` is the CSV file of the cells for which rows were set aside, `quarantine_rows` how many rows.
    `differences` is what changed since the version that was current then (`ingest.differences`), and
    `differences_*` the CSV file of the changed rows.
    """

    __tablename__ = "tables"
    __table_args__ = (UniqueConstraint("version_id", "name"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    version_id: Mapped[str] = mapped_column(
        ForeignKey("resource_versions.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(255))
    row_count: Mapped[int] = mapped_column(BigId)
    column_count: Mapped[int]
    columns: Mapped[list[Any]]
    table_schema: Mapped[dict[str, Any]]
    profile: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    parquet_sha256: Mapped[str] = mapped_column(String(64), index=True)
    parquet_size: Mapped[int] = mapped_column(BigId)
    quarantine_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    quarantine_size: Mapped[int | None] = mapped_column(BigId)
    quarantine_rows: Mapped[int | None] = mapped_column(BigId)
    differences: Mapped[dict[str, Any] | None]
    differences_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    differences_size: Mapped[int | None] = mapped_column(BigId)
