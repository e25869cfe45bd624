"""What readers leave behind: requests for data, searches that found nothing, searches they saved."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from opendata.kernel.ids import new_id
from opendata.kernel.tables import Base


class RequestState(StrEnum):
    NEW = "new"
    ANSWERED = "answered"
    DECLINED = "declined"


class DataRequest(Base):
    """Data that somebody asked for; `contact` only where they gave one, `query` the search they came from."""

    __tablename__ = "data_requests"
    __table_args__ = (Index("ix_data_requests_state_created", "state", "created_at"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    need: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(String(200), default="")
    contact: Mapped[str] = mapped_column(String(254), default="")
    state: Mapped[str] = mapped_column(String(10), default=RequestState.NEW)
    created_at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[str | None] = mapped_column(String(200))
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    reason: Mapped[str] = mapped_column(Text, default="")


class SearchDemand(Base):
    """How often a text was searched for in vain on one day, by everyone together."""

    __tablename__ = "search_demand"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(80), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class SavedSearch(Base):
    """`address` is the query string of the search in canonical form."""

    __tablename__ = "saved_searches"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
