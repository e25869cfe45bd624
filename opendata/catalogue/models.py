"""Datasets and the history of their metadata."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.kernel.ids import new_id
from opendata.kernel.tables import Base


class DatasetState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Dataset(Base):
    """`fields` holds the metadata in the shape of the profile; the columns below it are what SQL needs.

    `revision` counts metadata changes and is what an editor must have seen to save over it.
    """

    __tablename__ = "datasets"
    __table_args__ = (Index("ix_datasets_state_modified", "state", "modified_at"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    state: Mapped[str] = mapped_column(String(10), default=DatasetState.DRAFT)
    publish_when_ready: Mapped[bool] = mapped_column(default=False)
    fields: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=1)

    agency_code: Mapped[str] = mapped_column(ForeignKey("agencies.code"), index=True)
    created_at: Mapped[dt.datetime]
    modified_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]
    download_count: Mapped[int] = mapped_column(default=0)
    view_count: Mapped[int] = mapped_column(default=0)


class DatasetRevision(Base):
    """The metadata as it was after each change."""

    __tablename__ = "dataset_revisions"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    by: Mapped[str] = mapped_column(String(200))
    fields: Mapped[dict[str, Any]]
