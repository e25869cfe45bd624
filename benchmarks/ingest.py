"""Ingest beside its aims: validation, the whole pipeline, workbooks and memory, each against its peer in the same run.

    python benchmarks/ingest.py [--rows 1000000] [--repeats 3] [--sheet-rows 100000] [--memory-rows 5000000] [--whole]

Runs `validation.py` (frictionless is measured on 100,000 rows and multiplied, unless --whole), `pipeline.py`
(DuckDB's bare copy, openpyxl) and a long table for memory, then prints one line for each aim. Ratios of processor time
decide where both are given: they hardly change with other work on the machine. A number of rows of 0 leaves a part out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import pipeline, validation

COMPARED_ROWS = 100_000
MEGABYTE = 1 << 20


class Aims:
    """Prints each aim with what was measured, in the order they were added."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def at_least(self, name: str, measured: float, aim: float) -> None:
        self._add(name, f"{measured:.1f}×", f"at least {aim:g}×", is_met=measured >= aim)

    def at_most(self, name: str, measured: float, aim: float, unit: str = "×") -> None:
        self._add(name, f"{measured:.1f}{unit}", f"at most {aim:g}{unit}", is_met=measured <= aim)

    def _add(self, name: str, measured: str, aim: str, *, is_met: bool) -> None:
        self._lines.append(f"{name:<58}{measured:>10}   {aim:<16} {'met' if is_met else 'MISSED'}")

    def print(self) -> None:
        print("\n" + "\n".join(self._lines))


def validate(home: Path, rows: int, aims: Aims, *, is_whole: bool) -> None:
    clean, bad = validation.compare(home, COMPARED_ROWS, is_extrapolated=False, compared=COMPARED_ROWS)
    aims.at_least(f"validation, {COMPARED_ROWS:,} rows, clean", clean, 12)
    aims.at_least(f"validation, {COMPARED_ROWS:,} rows, bad cells", bad, 12)
    if rows > COMPARED_ROWS:
        clean, bad = validation.compare(home, rows, is_extrapolated=not is_whole, compared=COMPARED_ROWS)
        aims.at_least(f"validation, {rows:,} rows, clean", clean, 25)
        aims.at_least(f"validation, {rows:,} rows, bad cells", bad, 15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sheet-rows", type=int, default=100_000)
    parser.add_argument("--memory-rows", type=int, default=5_000_000)
    parser.add_argument("--whole", action="store_true", help="let frictionless read all rows (minutes)")
    asked = parser.parse_args()
    aims = Aims()
    pipeline.print_heads()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if asked.rows:
            found = pipeline.compare_csv(home, asked.rows, asked.repeats)
            aims.at_most("pipeline beside DuckDB's copy and sha256, on the clock", found.clock, 3)
            aims.at_most("pipeline beside DuckDB's copy and sha256, processor time", found.processor, 3)
            aims.at_most(f"memory of the child, {asked.rows:,} rows", found.peak / MEGABYTE, 500, " MB")
        if asked.sheet_rows:
            reading, found = pipeline.compare_workbook(home, asked.sheet_rows, asked.repeats)
            aims.at_least("workbook read beside openpyxl, processor time", reading, 10)
            aims.at_least("whole pipeline beside openpyxl's reading", 1 / found.processor, 10)
        if asked.memory_rows:
            peak = pipeline.peak_of(home, asked.memory_rows)
            aims.at_most(f"memory of the child, {asked.memory_rows:,} rows", peak / MEGABYTE, 700, " MB")
        if asked.rows:
            validate(home, asked.rows, aims, is_whole=asked.whole)
    aims.print()


if __name__ == "__main__":
    main()
