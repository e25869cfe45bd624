"""The base of every table, and column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
BigId = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only INTEGER primary keys

_write = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False
).encode  # one for all: an import writes thousands
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment: timezone-aware in Python, `timestamptz` in PostgreSQL, naive UTC in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(dt.UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """Every table; constraints are named so that migrations can drop them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - the name and form SQLAlchemy reads
        dt.datetime: UtcDateTime(),
        dict[str, Any]: Json,
        dict[str, str]: Json,
        list[Any]: Json,
    }


def stored_json(value: object) -> str:
    """JSON that both databases keep: no NUL, no half of a surrogate pair, no NaN or infinity (null)."""
    try:
        written = _write(value)
    except ValueError:
        written = _write(_finite(value))
    if "\\u0000" in written:  # the pattern tries every letter: most of what storing an import cost
        written = _ESCAPED_NUL.sub("\\1\ufffd", written)
    try:
        written.encode()
    except UnicodeEncodeError:
        return written.encode("utf-8", "replace").decode("utf-8")
    return written


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
