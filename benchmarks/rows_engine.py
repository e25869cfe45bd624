"""Rows and exports over a generated table of 1,000,000 × 12, as the portal stores it.

    python benchmarks/rows_engine.py [--rows N] [--keep FILE.parquet]

Prints medians and 95th percentiles for pages of 100 rows at several depths, the first answer of each question
apart from the following ones (it finds the order that the others reuse), and for every export format the time to
the first byte, the whole time, throughput and the memory used above rest (in a process of its own).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from opendata.tabular.engine import Limits, TableEngine, cursor_at
from opendata.tabular.export import FORMATS, export_rows
from opendata.tabular.filters import parse_query
from opendata.tabular.source import SourceColumn, TableSource

ROW_GROUP = 16_384
PAGES = 30
DEPTHS = (0.0, 0.1, 0.5, 0.9, 0.999)
SYLLABLES = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Hà", "Nội", "Thanh", "Minh", "Hải", "Sơn", "Tây", "Đông", "Bắc", "Nam", "Phú", "An", "Giang"]  # fmt: skip
SCHEMA = pa.schema(
    [
        ("ma_ho_so", pa.string()),
        ("ho_ten", pa.string()),
        ("tinh", pa.string()),
        ("ma_xa", pa.string()),
        ("dan_so", pa.int64()),
        ("nam", pa.int64()),
        ("dien_tich", pa.float64()),
        ("ty_le", pa.float64()),
        ("ngay", pa.date32()),
        ("luc", pa.timestamp("us")),
        ("dung", pa.bool_()),
        ("ghi_chu", pa.string()),
    ]
)
TYPES = [
    "string",
    "string",
    "string",
    "string",
    "integer",
    "integer",
    "number",
    "number",
    "date",
    "datetime",
    "boolean",
    "string",
]
QUESTIONS: list[tuple[str, list[tuple[str, str]]]] = [
    ("as stored", []),
    ("sort=dan_so", [("sort", "dan_so")]),
    ("sort=-dien_tich", [("sort", "-dien_tich")]),
    ("sort=ho_ten", [("sort", "ho_ten")]),
    ("sort=tinh,-ngay", [("sort", "tinh,-ngay")]),
    ("dan_so__gt=5000000", [("dan_so__gt", "5000000")]),
    ("ma_xa=00123", [("ma_xa", "00123")]),
    ("ho_ten__contains=hà", [("ho_ten__contains", "hà")]),
    ("q=ha noi", [("q", "ha noi")]),
    ("dung=true, sort=ho_ten", [("dung", "true"), ("sort", "ho_ten")]),
]


def generate(path: Path, rows: int) -> None:
    chance = random.Random(20250701)
    day, moment = dt.date(2000, 1, 1), dt.datetime(2020, 1, 1)  # noqa: DTZ001 - as stored
    provinces = [f"Tỉnh {chance.choice(SYLLABLES)} {number}" for number in range(34)]
    words = chance.choices

    def row(number: int) -> tuple[Any, ...]:
        return (
            f"HS{number:09d}",
            None
            if chance.random() < 0.01
            else f"{' '.join(words(SYLLABLES, k=3))} {chance.randrange(10**6)}",
            chance.choice(provinces),
            f"{chance.randrange(11_000):05d}",
            chance.randrange(10**7),
            1990 + chance.randrange(35),
            None if chance.random() < 0.02 else chance.random() * 1000,
            round(chance.random() * 100, 2),
            day + dt.timedelta(chance.randrange(9_000)),
            moment + dt.timedelta(microseconds=chance.randrange(10**14)),
            chance.random() < 0.5,
            None
            if chance.random() < 0.3
            else f"Ghi chú {' '.join(words(SYLLABLES, k=2))}, {chance.randrange(10**4)}",
        )

    with pq.ParquetWriter(path, SCHEMA, compression="zstd", write_page_index=True) as writer:
        for start in range(0, rows, ROW_GROUP):
            batch = [row(number) for number in range(start, min(start + ROW_GROUP, rows))]
            arrays = [
                pa.array(column, kind)
                for column, kind in zip(zip(*batch, strict=True), SCHEMA.types, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=SCHEMA), row_group_size=ROW_GROUP)


def source_of(path: Path) -> TableSource:
    columns = tuple(SourceColumn(name, kind) for name, kind in zip(SCHEMA.names, TYPES, strict=True))
    return TableSource("benchmark", "table", path, pq.read_metadata(path).num_rows, columns)


def milliseconds(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"{statistics.median(ordered) * 1e3:8.1f} {ordered[int(len(ordered) * 0.95)] * 1e3:8.1f}"


def time_pages(engine: TableEngine, source: TableSource) -> None:
    """Every page is also made into JSON values, as the API would."""
    print(f"\n{'pages of 100 rows, ms':32}{'depth':>8}{'rows':>10}{'first':>9}{'median':>9}{'p95':>9}")
    for label, parameters in QUESTIONS:
        query = parse_query(source, parameters)
        for place, depth in enumerate(DEPTHS):
            started = time.perf_counter()
            total = engine.rows(source, query).total or 0
            first = f"{(time.perf_counter() - started) * 1e3:9.0f}" if place == 0 else " " * 9
            if place == 0:
                engine.prepare(source)
            taken = []
            for number in range(PAGES):
                start = max(0, min(total - 100, int(total * depth) + number * 100))
                asked = parse_query(source, [*parameters, ("cursor", cursor_at(source, query, start))])
                started = time.perf_counter()
                engine.rows(source, asked).json_rows()
                taken.append(time.perf_counter() - started)
            print(f"{label if place == 0 else '':32}{depth:8.1%}{total:10,}{first}{milliseconds(taken):>18}")


def time_without_copy(path: Path, folder: Path) -> None:
    """What a reader meets before the derived copy of a table exists, the order being known."""
    source = source_of(path)
    print("\nwithout the derived copy, ms: median p95")
    with TableEngine([path.parent], folder, replace(Limits(), hot_rows=10**12)) as engine:
        for label, parameters in QUESTIONS[:2]:
            query = parse_query(source, parameters)
            engine.rows(source, query)
            taken = []
            for number in range(PAGES):
                asked = replace(query, start=source.row_count * number // PAGES)
                started = time.perf_counter()
                engine.rows(source, asked).json_rows()
                taken.append(time.perf_counter() - started)
            print(f"{label:32}{milliseconds(taken)}")


class Memory:
    """Resident memory of this process, sampled; `peak` in MB above what it was at the start."""

    def __init__(self) -> None:
        self.rest = self._now()
        self.peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._over.set()
        self._thread.join()
        return self.peak - self.rest

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.peak = max(self.peak, self._now())

    @staticmethod
    def _now() -> float:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 1e6


def export_alone(path: Path, name: str, parameters: list[tuple[str, str]]) -> None:
    """One export in this process; prints its figures as JSON for the parent."""
    source = source_of(path)
    with tempfile.TemporaryDirectory() as cache, TableEngine([path.parent], Path(cache)) as engine:
        small = parse_query(source, [("ma_xa", "00001")], paging=False)
        for _ in export_rows(engine, source, small, FORMATS[name]):
            pass  # what a process loads once is not part of the figure
        memory = Memory()
        started, used = time.perf_counter(), time.process_time()
        export = export_rows(engine, source, parse_query(source, parameters, paging=False), FORMATS[name])
        size = len(next(export))
        first = time.perf_counter() - started
        size += sum(map(len, export))
        figures = {"first": first, "whole": time.perf_counter() - started, "cpu": time.process_time() - used}
        print(json.dumps({**figures, "size": size, "memory": memory.stop()}))


def time_exports(path: Path) -> None:
    print(
        f"\n{'export':32}{'first, ms':>10}{'whole, s':>10}{'CPU, s':>8}{'MB':>8}{'MB/s':>8}{'memory above rest, MB':>24}"
    )
    for label, parameters in (("", []), (" dan_so__gt=5000000", [("dan_so__gt", "5000000")]), (" sort=ho_ten", [("sort", "ho_ten")])):  # fmt: skip
        for name in FORMATS:
            if parameters and name not in {"csv", "parquet"}:
                continue
            command = [
                sys.executable,
                __file__,
                "--export",
                name,
                "--keep",
                str(path),
                "--ask",
                json.dumps(parameters),
            ]
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            size = result["size"] / 1e6
            print(
                f"{name + label:32}{result['first'] * 1e3:10.0f}{result['whole']:10.2f}{result['cpu']:8.2f}{size:8.0f}"
                f"{size / result['whole']:8.0f}{result['memory']:24.0f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="the generated file, used again if it is there")
    parser.add_argument("--export", help=argparse.SUPPRESS)
    parser.add_argument("--ask", type=json.loads, default=[], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.export:
        export_alone(chosen.keep, chosen.export, [(name, text) for name, text in chosen.ask])
        return
    with tempfile.TemporaryDirectory() as folder:
        path = chosen.keep or Path(folder) / "table.parquet"
        if not path.exists():
            generate(path, chosen.rows)
        source = source_of(path)
        print(
            f"{os.cpu_count()} cores; {source.row_count:,} rows × {len(SCHEMA)} columns; {path.stat().st_size / 1e6:.0f} MB"
        )
        with TableEngine([path.parent], Path(folder) / "cache") as engine:
            engine.rows(source, parse_query(source, [])).json_rows()
            started = time.perf_counter()
            engine.prepare(source)
            print(f"derived copy made in {time.perf_counter() - started:.2f} s")
            time_pages(engine, source)
        time_without_copy(path, Path(folder) / "other cache")
        time_exports(path)


if __name__ == "__main__":
    main()
