"""What each stage of the ingest pipeline costs: seconds and memory of the child on a generated CSV.

    python benchmarks/ingest_stages.py [--rows 1000000]

The file has twelve columns of the kinds that offices publish and is the same on every run. The same table cut
to 100,000 rows is then validated by frictionless alone and by the portal, and the start of a child is timed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))  # the child imports this file by its name

import itertools

from opendata.resources.ingest.identify import identify
from opendata.resources.ingest.inspection import validate_file
from opendata.resources.ingest.limits import Limits, run_limited
from opendata.resources.ingest.pipeline import ingest_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.resources.ingest.result import Progress

MEGABYTE = 1 << 20
SEED = 20260725
COMPARED_ROWS = 100_000
NAMES = ("Phường Hồng Hà", "Xã Tân Lập", "Đặc khu Phú Quốc", "Phường Ba Đình", "Xã Mê Linh", "Phường Ngọc Hà")
HEADER = "mã;tên;ngày;số hộ;dân số;tỷ lệ;đô thị;ghi chú;vĩ độ;kinh độ;năm;cập nhật"


def write_table(path: Path, rows: int) -> None:
    dice = random.Random(SEED)
    start = dt.date(2000, 1, 1)
    with path.open("w", encoding="utf-8") as target:
        target.write(HEADER + "\n")
        for number in range(rows):
            day = start + dt.timedelta(days=dice.randrange(9000))
            people = f"{dice.randrange(10**8):,}".replace(",", ".")
            target.write(
                f"{number % 99_999:05d};{dice.choice(NAMES)};{day:%d/%m/%Y};{dice.randrange(10**6)};{people};"
                f"{dice.random():.4f};{'true' if dice.random() < 0.3 else 'false'};"
                f'"ghi chú; số {number}";{dice.uniform(8, 23):.5f};{dice.uniform(102, 110):.5f};'
                f"{dice.randrange(1990, 2026)};{day}T{number % 24:02d}:30:00\n"
            )


def measured_ingest(source: Path, workdir: Path, report: Callable[[Progress], None]) -> dict[str, Any]:
    """Run in the child: the pipeline with the clock on each stage, and the child's peak memory."""
    marks: list[tuple[str, float, float]] = []

    def watch(progress: Progress) -> None:
        if not marks or marks[-1][0] != progress.stage:
            marks.append((progress.stage, time.perf_counter(), time.process_time()))
        report(progress)

    started = time.perf_counter()
    result = ingest_file(source, source.name, workdir, report=watch)
    marks.append(("", time.perf_counter(), time.process_time()))
    (table,) = result.tables
    return {
        "stages": {
            stage: (later[1] - clock, later[2] - cpu)
            for (stage, clock, cpu), later in itertools.pairwise(marks)
        },
        "total": (marks[-1][1] - started, marks[-1][2]),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "rows": table.row_count,
        "types": [column.type for column in table.columns],
        "parquet": table.parquet_size,
        "valid": table.report["valid"],
        "schema": dict(table.table_schema),
        "pandas": "pandas" in sys.modules,
    }


def time_frictionless(path: Path, schema: dict[str, Any]) -> tuple[float, bool]:
    from frictionless import Dialect, Schema
    from frictionless.formats.csv import CsvControl
    from frictionless.resources import TableResource

    resource_ = TableResource(
        path=path.name,
        basepath=str(path.parent),
        format="csv",
        schema=Schema.from_descriptor(schema),
        dialect=Dialect(controls=[CsvControl(delimiter=";")]),
    )
    started = time.perf_counter()
    report = resource_.validate()
    return time.perf_counter() - started, report.valid


def time_children(path: Path) -> list[float]:
    samples = []
    for _ in range(20):
        started = time.perf_counter()
        run_limited(identify, (path, path.name))
        samples.append(time.perf_counter() - started)
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows: int = parser.parse_args().rows
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    # The child imports the function by its module's name, and "__main__" is another one there.
    in_child = importlib.import_module("ingest_stages").measured_ingest
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        source, small, tiny, work = home / "big.csv", home / "small.csv", home / "tiny.csv", home / "work"
        work.mkdir()
        write_table(source, rows)
        write_table(small, COMPARED_ROWS)
        tiny.write_text("a,b\n1,2\n")

        started = time.perf_counter()
        run_limited(identify, (tiny, tiny.name))
        print(f"first child, server included   {time.perf_counter() - started:8.2f} s")
        print(
            f"every further child            {statistics.median(time_children(tiny)) * 1000:8.1f} ms (median of 20)"
        )

        found = run_limited(
            in_child,
            (source, work),
            limits=Limits(memory_bytes=2048 * MEGABYTE),
            on_progress=lambda _: None,
        )
        assert found["rows"] == rows
        print(
            f"\n{rows:,} rows × {len(found['types'])} columns, {source.stat().st_size / MEGABYTE:.0f} MB of CSV"
        )
        for stage, (seconds, cpu) in [*found["stages"].items(), ("together", found["total"])]:
            print(f"  {stage:<12}{seconds:8.2f} s   {cpu:8.2f} s of processor time")
        print(f"  peak memory of the child     {found['peak'] / MEGABYTE:8.0f} MB")
        print(f"  pandas in the child          {'LOADED' if found['pandas'] else 'not loaded':>12}")
        print(f"  Parquet                      {found['parquet'] / MEGABYTE:8.0f} MB")
        print(f"  types: {', '.join(found['types'])}")

        theirs, valid = time_frictionless(small, found["schema"])
        started = time.perf_counter()
        ours = validate_file(small, found["schema"])
        seconds = time.perf_counter() - started
        assert ours["valid"] == valid
        print(f"\nvalidation of {COMPARED_ROWS:,} rows against the same schema")
        print(f"  frictionless {theirs:8.2f} s")
        print(
            f"  opendata     {seconds:8.2f} s, reading and deciding all types included ({theirs / seconds:.0f}×)"
        )


if __name__ == "__main__":
    main()
