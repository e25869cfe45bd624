"""Small files made in the test, taken through the real pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from opendata.resources.ingest.pipeline import ingest_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opendata.resources.ingest.result import IngestResult


@pytest.fixture
def ingest(tmp_path: Path) -> Callable[..., IngestResult]:
    """Ingest bytes or text under a file name."""
    runs: list[Path] = []

    def run(content: bytes | str, filename: str = "data.csv", **options: Any) -> IngestResult:
        folder = tmp_path / f"run-{len(runs)}"
        work = folder / "work"
        work.mkdir(parents=True)
        runs.append(folder)
        source = folder / "source"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        return ingest_file(source, filename, work, **options)

    return run


@pytest.fixture
def rows_of() -> Callable[[IngestResult], list[dict[str, Any]]]:
    """The published rows of a table (the first by default) as Python values."""

    def rows(result: IngestResult, table: int = 0) -> list[dict[str, Any]]:
        read: list[dict[str, Any]] = pq.read_table(result.tables[table].parquet_path).to_pylist()
        return read

    return rows
