"""The whole ingest pipeline beside the least that anybody could do: DuckDB's bare copy of the CSV to Parquet.

    python benchmarks/pipeline.py [--rows 1000000] [--repeats 3] [--sheet-rows 100000]

The same generated table as in ingest_stages.py. Ours identifies, decides types, checks, converts, counts
statistics, tells what columns mean and screens for personal data, in the limited child; DuckDB's copy guesses
types from a sample and does nothing else, but for a sha256 of the file. Then a workbook, beside openpyxl reading its cells.
Repeats alternate, so that a busy moment meets both; medians and ratios are printed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import platform
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from benchmarks.ingest_stages import HEADER, MEGABYTE, NAMES, SEED, measured_ingest, write_table
from opendata.resources.ingest.limits import Limits, run_limited

if TYPE_CHECKING:
    from collections.abc import Callable


def clock(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def bare_copy(source: Path, target: Path) -> None:
    with duckdb.connect(config={"threads": os.cpu_count() or 1}) as connection:
        connection.execute(
            f"COPY (FROM read_csv('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )
    with source.open("rb") as handle:
        hashlib.file_digest(handle, "sha256")


def ours(source: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as work:
        found: dict[str, Any] = run_limited(
            measured_ingest, (source, Path(work)), limits=Limits(), on_progress=lambda _: None
        )
    return found


def write_workbook(path: Path, rows: int) -> None:
    import openpyxl

    dice = random.Random(SEED)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Bảng")
    sheet.append(HEADER.split(";"))
    for number in range(rows):
        day = dt.date(2000, 1, 1) + dt.timedelta(days=dice.randrange(9000))
        sheet.append(
            [
                f"{number % 99_999:05d}",
                dice.choice(NAMES),
                day,
                dice.randrange(10**6),
                dice.randrange(10**8),
                round(dice.random(), 4),
                dice.random() < 0.3,
                f"ghi chú; số {number}",
                round(dice.uniform(8, 23), 5),
                round(dice.uniform(102, 110), 5),
                dice.randrange(1990, 2026),
                dt.datetime(2024, 1, 1, number % 24, 30),  # noqa: DTZ001 - a workbook knows no zone
            ]
        )
    book.save(path)


def read_with_openpyxl(path: Path) -> int:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    return sum(len(row) for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))


def compare(name: str, repeats: int, peer: Callable[[], Any], own: Callable[[], dict[str, Any]]) -> None:
    theirs, mine, peak = [], [], 0
    for _ in range(repeats):
        theirs.append(clock(peer)[0])
        seconds, found = clock(own)
        mine.append(seconds)
        peak = max(peak, found["peak"])
    ratio = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
    print(f"{name:<44}{statistics.median(theirs):8.2f} s{statistics.median(mine):8.2f} s{ratio:8.2f}×")
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, (seconds, _) in found["stages"].items())
    print(f"    {stages} s; peak memory of the child {peak / MEGABYTE:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sheet-rows", type=int, default=100_000)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':<44}{'peer':>10}{'opendata':>10}{'ratio':>9}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        table, sheet = home / "big.csv", home / "sheet.xlsx"
        write_table(table, asked.rows)
        compare(
            f"{asked.rows:,} × 12 CSV, DuckDB's copy and sha256",
            asked.repeats,
            lambda: bare_copy(table, home / "bare.parquet"),
            lambda: ours(table),
        )
        table.unlink()
        if asked.sheet_rows:
            write_workbook(sheet, asked.sheet_rows)
            compare(
                f"{asked.sheet_rows:,} × 12 XLSX, openpyxl reading only",
                asked.repeats,
                lambda: read_with_openpyxl(sheet),
                lambda: ours(sheet),
            )


if __name__ == "__main__":
    main()
