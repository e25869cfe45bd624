"""Real Parquet files in small row groups, and engines over them with and without derived copies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opendata.tabular.engine import Limits, TableEngine
from opendata.tabular.filters import parse_query
from opendata.tabular.source import SourceColumn, TableSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.tabular.engine import RowPage

ROW_GROUP = 7  # so that a handful of rows spans several


@dataclass(frozen=True)
class Tables:
    """Publishes Arrow tables as sources: every call is a version of its own."""

    folder: Path
    numbers: Iterator[int]

    def publish(
        self, table: pa.Table, types: dict[str, str] | None = None, *, row_group: int = ROW_GROUP
    ) -> TableSource:
        number = next(self.numbers)
        path = self.folder / f"table {number}.parquet"
        pq.write_table(
            table,
            path,
            compression="zstd",
            row_group_size=row_group,
            write_page_index=True,
            store_schema=True,
        )
        kinds = [_table_schema_type(field.type) for field in table.schema]
        return TableSource(
            f"version-{number}",
            "bảng",
            path,
            table.num_rows,
            tuple(
                SourceColumn(name, (types or {}).get(name, kind))
                for name, kind in zip(table.column_names, kinds, strict=True)
            ),
        )


def _table_schema_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_timestamp(kind):
        return "datetime"
    return "time" if pa.types.is_time(kind) else "string"


@dataclass(frozen=True)
class Reader:
    """Asks an engine as a request would: by the text of parameters."""

    engine: TableEngine
    warm: bool

    def page(self, source: TableSource, *parameters: tuple[str, str]) -> RowPage:
        if self.warm:
            self.engine.prepare(source)
        return self.engine.rows(source, parse_query(source, parameters))

    def every_page(self, source: TableSource, *parameters: tuple[str, str]) -> list[RowPage]:
        pages = [self.page(source, *parameters)]
        while (cursor := pages[-1].next_cursor) is not None:
            pages.append(self.page(source, *parameters, ("cursor", cursor)))
            assert len(pages) < 1000
        return pages


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return Tables(tmp_path_factory.mktemp("published [*]"), count(1))


@pytest.fixture(scope="session")
def cold_engine(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TableEngine]:
    """Reads rows from Parquet only."""
    with TableEngine([tables.folder], tmp_path_factory.mktemp("cache"), Limits()) as engine:
        yield engine


@pytest.fixture(scope="session")
def warm_engine(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TableEngine]:
    """Makes derived copies of everything, as of a big table."""
    limits = replace(Limits(), hot_rows=1)
    with TableEngine([tables.folder], tmp_path_factory.mktemp("cache"), limits) as engine:
        yield engine


@pytest.fixture(scope="session", params=["cold", "warm"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Every question is asked of both ways to the rows."""
    return Reader(request.getfixturevalue(f"{request.param}_engine"), warm=request.param == "warm")


@pytest.fixture(scope="session")
def provinces(tables: Tables) -> TableSource:
    """Nine rows with what real tables have: codes with zeros, missing values, ties, accents."""
    return tables.publish(
        pa.table(
            {
                "mã": pa.array(["01", "04", "08", "11", "12", "14", "15", "19", "20"]),
                "tên": pa.array(
                    ["Hà Nội", "Cao Bằng", "Tuyên Quang", "Điện Biên", "Lai Châu", "Sơn La", "Lào Cai", None, ""]
                ),
                "dân số": pa.array([8_807_523, 573_119, 1_865_270, 673_091, 512_601, 1_404_587, 1_778_785, None, 0]),
                "diện tích": pa.array([3359.82, 6700.39, 13795.5, float("nan"), 9068.73, None, 13256.92, -1.5, 0.1]),
                "mới": pa.array([False, False, True, False, False, False, True, None, True]),
            }
        )
    )  # fmt: skip
