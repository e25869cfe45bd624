"""What recognising meanings and the screen for personal data cost: seconds of processor time on a generated Parquet file.

    python benchmarks/meanings.py [--rows 1000000]

Twelve columns: codes and names of provinces and communes, a year, an amount, a share, a latitude, and three
columns of text (a code, a name with a number, a sentence) that hold no personal data and so are searched to
the end. The same rows once more with phones and citizen numbers, and a table of two rows for the fixed cost.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from opendata.resources.ingest.result import Column
from opendata.resources.meanings.lists import current_communes, current_provinces
from opendata.resources.meanings.recognise import recognise
from opendata.resources.meanings.screen import screen

RUNS = 3
TYPES = {"int64": "integer", "double": "number", "string": "string"}


def columns_of(rows: int, *, people: bool) -> dict[str, pa.Array]:
    dice = random.Random(20260725)
    provinces, communes = sorted(current_provinces().codes), sorted(current_communes().codes)

    def texts(make: Any) -> pa.Array:
        return pa.array([make() for _ in range(rows)], pa.string())

    def figures(make: Any) -> pa.Array:
        return pa.array([make() for _ in range(rows)])

    note = "Hồ sơ số {} của tổ dân phố {}, phường Ba Đình, đã giải quyết"
    found = {
        "so": figures(lambda: dice.randrange(10**6)),
        "ma_tinh": texts(lambda: dice.choice(provinces)),
        "Tỉnh": texts(lambda: dice.choice(("Hà Nội", "Huế", "Đà Nẵng", "Cà Mau", "Cần Thơ"))),
        "ma_xa": texts(lambda: dice.choice(communes)),
        "nam": figures(lambda: dice.randrange(2000, 2026)),
        "so_tien (đồng)": figures(lambda: dice.randrange(10**9, 10**10)),
        "ty_le": figures(lambda: dice.random() * 100),
        "Vĩ độ": figures(lambda: dice.uniform(8, 23)),
        "gia_tri": figures(dice.random),
        "ma_ho_so": texts(lambda: f"HS{dice.randrange(10**8):08d}"),
        "ten": texts(lambda: f"Trạm y tế số {dice.randrange(10**6)}"),
        "ghi_chu": texts(lambda: note.format(dice.randrange(10**6), dice.randrange(30))),
    }
    if people:
        found["ma_ho_so"] = texts(lambda: f"09{dice.randrange(10**8):08d}")
        found["ten"] = texts(lambda: f"0790{dice.randrange(50, 99)}{dice.randrange(10**6):06d}")
    return found


def measure(folder: Path, rows: int, *, people: bool) -> str:
    path = folder / f"{rows}-{people}.parquet"
    table = pa.table(columns_of(rows, people=people))
    pq.write_table(table, path, compression="zstd", row_group_size=16_384, write_page_index=True)
    columns = [Column(field.name, TYPES[str(field.type)]) for field in table.schema]
    del table
    recognised, screened = [], []
    meanings: tuple[str | None, ...] = ()
    for _ in range(RUNS):
        begun = time.process_time()
        meanings = recognise(path, columns)
        recognised.append(time.process_time() - begun)
        begun = time.process_time()
        findings = screen(path, columns, meanings)
        screened.append(time.process_time() - begun)
    known = sum(meaning is not None for meaning in meanings)
    return (
        f"{rows:>9,} rows{' with people' if people else '':12}  recognise {statistics.median(recognised):6.3f} s"
        f"  screen {statistics.median(screened):6.3f} s  {known} of {len(columns)} columns, {len(findings)} findings"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, median of {RUNS} runs")
    with tempfile.TemporaryDirectory() as folder:
        print(measure(Path(folder), 2, people=False))
        print(measure(Path(folder), rows, people=False))
        print(measure(Path(folder), rows, people=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak {peak} MB, making the tables included")


if __name__ == "__main__":
    main()
