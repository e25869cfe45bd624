"""Validation against a table schema: our reports beside those of the installed frictionless, which must be equal.

    python benchmarks/validation.py [--rows 1000000] [--compared 100000]

Twelve columns of the kinds that offices publish: a key, texts with a list and a pattern, dates as dd/mm/yyyy,
numbers with a decimal comma and thousands points, moments. Clean, and with one bad cell in a thousand. With
--rows above --compared frictionless itself runs on that many rows too, unless --extrapolate says to multiply.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20
SEED = 20260725
BAD_SHARE = 0.001
NO_LIMIT = 10**9
PLACES = (
    "Phường Hồng Hà",
    "Xã Tân Lập",
    "Đặc khu Phú Quốc",
    "Phường Ba Đình",
    "Xã Mê Linh",
    "Phường Ngọc Hà",
)
SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "mã", "type": "integer", "constraints": {"required": True, "minimum": 1}},
        {"name": "tên", "type": "string", "constraints": {"required": True, "maxLength": 40}},
        {"name": "ngày", "type": "date", "format": "%d/%m/%Y", "constraints": {"minimum": "01/01/1990"}},
        {"name": "số hộ", "type": "integer", "constraints": {"minimum": 0, "maximum": 2_000_000}},
        {"name": "dân số", "type": "number", "decimalChar": ",", "groupChar": "."},
        {"name": "tỷ lệ", "type": "number", "constraints": {"minimum": 0, "maximum": 2}},
        {"name": "đô thị", "type": "boolean", "trueValues": ["có"], "falseValues": ["không"]},
        {"name": "số hiệu", "type": "string", "constraints": {"pattern": "[A-Z]{2}-[0-9]{6}"}},
        {"name": "cấp", "type": "string", "constraints": {"enum": ["xã", "phường", "đặc khu"]}},
        {"name": "vĩ độ", "type": "number"},
        {"name": "năm", "type": "year"},
        {"name": "cập nhật", "type": "datetime"},
    ],
    "missingValues": ["", "-"],
    "primaryKey": ["mã"],
}  # fmt: skip


def write_table(path: Path, rows: int, *, bad_share: float = 0.0) -> None:
    dice = random.Random(SEED)
    start = dt.date(2000, 1, 1)
    with path.open("w", encoding="utf-8") as target:
        target.write(",".join(field["name"] for field in SCHEMA["fields"]) + "\n")
        for number in range(1, rows + 1):
            day = start + dt.timedelta(days=dice.randrange(9000))
            people = f"{dice.randrange(10**8):,}".replace(",", ".")
            cells = [
                str(number),
                dice.choice(PLACES),
                f"{day:%d/%m/%Y}",
                str(dice.randrange(10**6)) if number % 50 else "-",
                f'"{people},{dice.randrange(10)}"',
                f"{dice.random():.4f}",
                dice.choice(("có", "không")),
                f"VN-{dice.randrange(10**6):06d}",
                dice.choice(("xã", "phường", "đặc khu")),
                f"{dice.uniform(8, 23):.5f}",
                str(dice.randrange(1990, 2026)),
                f"{day}T{number % 24:02d}:30:00",
            ]
            if bad_share:
                cells = ["?!" if dice.random() < bad_share else cell for cell in cells]
            target.write(",".join(cells) + "\n")


def ours(path: Path) -> dict[str, Any]:
    from opendata.resources.ingest.whole_files import validate_table

    return validate_table(path, SCHEMA, encoding="utf-8", delimiter=",", limit_errors=NO_LIMIT)


def theirs(path: Path) -> dict[str, Any]:
    from frictionless import Dialect, Schema
    from frictionless.formats.csv import CsvControl
    from frictionless.resources import TableResource

    table = TableResource(
        path=path.name,
        basepath=str(path.parent),
        encoding="utf-8",
        schema=Schema.from_descriptor(SCHEMA),
        dialect=Dialect(controls=[CsvControl(delimiter=",")]),
    )
    report: dict[str, Any] = table.validate(limit_errors=NO_LIMIT).to_descriptor()
    return report


def measure(which: str, path: Path) -> tuple[float, float, float, str]:
    """Seconds of processor time and on the clock, peak memory in MB, digest of the report; its own process."""
    done = subprocess.run(
        [sys.executable, __file__, "--run", which, str(path)], check=True, capture_output=True, text=True
    )
    processor, seconds, memory, digest = done.stdout.split(maxsplit=3)
    return float(processor), float(seconds), float(memory), digest.strip()


def run(which: str, path: Path) -> None:
    import hashlib
    import json

    function = ours if which == "ours" else theirs
    with tempfile.TemporaryDirectory() as folder:  # imports and plugins are not what is measured
        write_table(Path(folder) / "first.csv", 2)
        function(Path(folder) / "first.csv")
    started, worked = time.perf_counter(), time.process_time()
    report = function(path)
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    report["stats"]["seconds"] = report["tasks"][0]["stats"]["seconds"] = 0
    digest = hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()[:16]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{processor} {seconds} {peak} {digest} {report['stats']['errors']}")


def compare(folder: Path, rows: int, *, is_extrapolated: bool, compared: int) -> list[float]:
    """How many times the processor time frictionless takes, for the clean table and the one with bad cells."""
    ratios = []
    for name, share in (("clean", 0.0), ("one bad cell in a thousand", BAD_SHARE)):
        path = folder / "table.csv"
        write_table(path, rows, bad_share=share)
        mine = min(measure("ours", path) for _ in range(3))
        size, errors = path.stat().st_size / MEGABYTE, mine[3].split()[1]
        print(f"\n{rows:,} rows × 12, {size:.0f} MB, {name} ({errors} errors)")
        print_line("opendata", mine, 1)
        factor = rows / compared if is_extrapolated else 1
        if is_extrapolated:
            write_table(path, compared, bad_share=share)
        other = measure("theirs", path)
        print_line("frictionless", other, factor)
        print(
            f"  {other[0] * factor / mine[0]:.0f}× in processor time, {other[1] * factor / mine[1]:.0f}× on the clock"
        )
        if is_extrapolated:
            print(f"  frictionless extrapolated from {compared:,} rows")
        else:
            print(f"  reports are {'equal' if mine[3] == other[3] else 'DIFFERENT'}")
        ratios.append(other[0] * factor / mine[0])
    return ratios


def print_line(who: str, found: tuple[float, float, float, str], factor: float) -> None:
    processor, seconds, memory, _ = found
    print(
        f"  {who:<12} {processor * factor:8.2f} s of processor time, {seconds * factor:8.2f} s on the clock, {memory:4.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--compared", type=int, default=100_000)
    parser.add_argument("--extrapolate", action="store_true")
    parser.add_argument("--run", nargs=2)
    arguments = parser.parse_args()
    if arguments.run:
        run(arguments.run[0], Path(arguments.run[1]))
        return
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare(folder, arguments.compared, is_extrapolated=False, compared=arguments.compared)
        if arguments.rows > arguments.compared:
            compare(
                folder, arguments.rows, is_extrapolated=arguments.extrapolate, compared=arguments.compared
            )


if __name__ == "__main__":
    main()
