"""Small Parquet tables with the columns that a test names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opendata.resources.ingest.result import Column

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Table = tuple[Path, tuple[Column, ...]]

_ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}


@pytest.fixture
def make_table(tmp_path: Path) -> Callable[..., Table]:
    """`make_table(("Mã tỉnh", "string", ["01", …]), …)`: the file as the pipeline leaves it, and its columns."""

    def make(*columns: tuple[str, str, list[Any]], row_group_size: int = 16_384) -> Table:
        path = tmp_path / f"table-{len(list(tmp_path.iterdir()))}.parquet"
        arrays = [pa.array(values, _ARROW[kind]) for _, kind, values in columns]
        names = [name for name, _, _ in columns]
        pq.write_table(pa.Table.from_arrays(arrays, names), path, row_group_size=row_group_size)
        return path, tuple(Column(name, kind) for name, kind, _ in columns)

    return make
