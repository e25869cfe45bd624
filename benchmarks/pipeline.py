"""The whole ingest pipeline beside the least that anybody could do: DuckDB's bare copy of the CSV to Parquet.

    python benchmarks/pipeline.py [--rows 1000000] [--repeats 3] [--sheet-rows 100000] [--memory-rows 5000000]

The same generated table as in ingest_stages.py. Ours identifies, decides types, checks, converts, counts
statistics, tells what columns mean and screens for personal data, in the limited child; DuckDB's copy guesses
types from a sample and does nothing else, but for a sha256 of the file. Then a workbook, beside openpyxl reading its cells.
Repeats alternate, so that a busy moment meets both; medians and ratios are printed, of seconds on the clock and of
processor time, which other work on the machine hardly changes. `--memory-rows`: a longer table, for the peak memory
of the child alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.ingest_stages import HEADER, MEGABYTE, NAMES, SEED, measured_ingest, write_table
from opendata.resources.formats.readers import read_tables
from opendata.resources.formats.table import SourceTable
from opendata.resources.ingest.identify import identify
from opendata.resources.ingest.limits import Limits, run_limited

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Compared:
    """Ours beside the peer: how many times its seconds on the clock and its processor time; bytes at the peak."""

    clock: float
    processor: float
    peak: int


def clock(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds on the clock, processor time of this process, result."""
    started, used = time.perf_counter(), _processor()
    result = work()
    return time.perf_counter() - started, _processor() - used, result


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def bare_copy(source: Path, target: Path) -> None:
    with duckdb.connect(config={"threads": os.cpu_count() or 1}) as connection:
        connection.execute("SET enable_progress_bar = false")
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


def compare(name: str, repeats: int, peer: Callable[[], Any], own: Callable[[], dict[str, Any]]) -> Compared:
    theirs, mine, peak = [], [], 0
    for _ in range(repeats):
        theirs.append(clock(peer)[:2])
        seconds, _, found = clock(own)
        mine.append((seconds, found["total"][1]))
        peak = max(peak, found["peak"])
    on_clock, of_processor = (
        statistics.median(own[kind] / other[kind] for own, other in zip(mine, theirs, strict=True))
        for kind in (0, 1)
    )
    for kind, unit in enumerate(("on the clock", "of processor time")):
        ratio = of_processor if kind else on_clock
        peer_seconds, own_seconds = (
            statistics.median(each[kind] for each in samples) for samples in (theirs, mine)
        )
        label = name if kind == 0 else ""
        print(f"{label:<44}{peer_seconds:8.2f} s{own_seconds:8.2f} s{ratio:8.2f}×  {unit}")
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, (seconds, _) in found["stages"].items())
    print(f"    {stages} s; peak memory of the child {peak / MEGABYTE:.0f} MB", end="")
    print("; pandas LOADED" if found["pandas"] else "; pandas not loaded")
    return Compared(on_clock, of_processor, peak)


def compare_csv(home: Path, rows: int, repeats: int) -> Compared:
    table = home / "big.csv"
    write_table(table, rows)
    start_children(home)
    found = compare(
        f"{rows:,} × 12 CSV, DuckDB's copy and sha256",
        repeats,
        lambda: bare_copy(table, home / "bare.parquet"),
        lambda: ours(table),
    )
    table.unlink()
    return found


def read_with_opendata(path: Path) -> int:
    """Identification, the tables of all sheets, and every cell as text, as the pipeline reads them."""
    cells = 0
    for table in read_tables(path, identify(path, path.name)):
        if isinstance(table, SourceTable):
            batches = table.readings[0](lambda *_: None)
            cells += sum(batch.columns.num_rows * batch.columns.num_columns for batch in batches)
    return cells


def compare_workbook(home: Path, rows: int, repeats: int) -> tuple[float, Compared]:
    """How many times as fast as openpyxl our reading alone is (processor time), and the whole pipeline beside it."""
    sheet = home / "sheet.xlsx"
    write_workbook(sheet, rows)
    start_children(home)
    read: list[tuple[float, float]] = []
    for _ in range(repeats):
        (_, theirs, count), (_, mine, own_count) = (
            clock(lambda: read_with_openpyxl(sheet)),
            clock(lambda: read_with_opendata(sheet)),
        )
        if count != own_count + len(HEADER.split(";")):
            raise SystemExit(f"openpyxl reads {count:,} cells, opendata {own_count:,} below the header")
        read.append((theirs, mine))
    reading = statistics.median(theirs / mine for theirs, mine in read)
    theirs, mine = (statistics.median(each[side] for each in read) for side in (0, 1))
    name = f"{rows:,} × 12 XLSX read, openpyxl reading"
    print(f"{name:<44}{theirs:8.2f} s{mine:8.2f} s{reading:8.2f} times as fast, of processor time")
    return reading, compare(
        f"{rows:,} × 12 XLSX, openpyxl reading only",
        repeats,
        lambda: read_with_openpyxl(sheet),
        lambda: ours(sheet),
    )


def peak_of(home: Path, rows: int) -> int:
    """Bytes of memory that the child takes at most for so many rows, mapped libraries included."""
    table = home / "long.csv"
    write_table(table, rows)
    size = table.stat().st_size
    seconds, _, found = clock(lambda: ours(table))
    table.unlink()
    peak: int = found["peak"]
    print(
        f"{rows:,} × 12 CSV ({size / MEGABYTE:.0f} MB): {seconds:.1f} s, peak memory of the child {peak / MEGABYTE:.0f} MB"
    )
    return peak


def start_children(home: Path) -> None:
    """The server that children are forked from, started once for all files of a worker."""
    tiny = home / "tiny.csv"
    write_table(tiny, 2)
    ours(tiny)


def print_heads() -> None:
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':<44}{'peer':>10}{'opendata':>10}{'ratio':>9}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sheet-rows", type=int, default=100_000)
    parser.add_argument("--memory-rows", type=int, default=0)
    asked = parser.parse_args()
    print_heads()
    with tempfile.TemporaryDirectory() as folder:
        compare_csv(Path(folder), asked.rows, asked.repeats)
        if asked.sheet_rows:
            compare_workbook(Path(folder), asked.sheet_rows, asked.repeats)
        if asked.memory_rows:
            peak_of(Path(folder), asked.memory_rows)


if __name__ == "__main__":
    main()
