"""Rows and exports over one million rows through HTTP: pages at any depth, time to the first byte, memory."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.portal_under_test import (
    MB,
    RunningPortal,
    milliseconds,
    print_machine,
    resident_mb,
    running_portal,
    timed,
    write_table,
)

ROWS = 1_000_000
PAGES = 40


def main() -> None:
    print_machine()
    with tempfile.TemporaryDirectory() as folder, running_portal("--no-seed") as portal:
        source = Path(folder) / "bang-lon.csv"
        write_table(source, ROWS)
        portal.command(
            "publish", str(source), "--agency", "BKHCN", "--title", "Một triệu dòng", "--dataset", "lon"
        )
        dataset = json.loads(portal.get("/api/v1/datasets/lon"))
        resource = dataset["resources"][0]["id"]
        print(f"{ROWS:,} rows × 12 columns, {source.stat().st_size / MB:.0f} MB of CSV")
        for label, query in (
            ("unsorted", ""),
            ("sorted by whole numbers", "&sort=-dan_so"),
            ("sorted by text", "&sort=ghi_chu"),
            ("filtered (1 in 3)", "&gioi_tinh=nam"),
        ):
            measure_depths(portal, resource, label, query)
        for name in ("csv", "jsonl", "json", "arrow", "parquet"):
            measure_export(portal, resource, name)


def measure_depths(portal: RunningPortal, resource: str, label: str, query: str) -> None:
    """Pages of 100 at the start, and again after walking deep with pages of 10,000."""
    for depth in (0, 300_000):
        cursor, walked = "", 0
        while walked < depth:
            page = rows(portal, resource, f"limit=10000&count=none{query}", cursor)
            cursor, walked = page["next"], walked + 10_000
        samples = timed(partial(rows, portal, resource, f"limit=100{query}", cursor), PAGES)
        print(f"  page of 100 at row {depth:>7,} {label:24} {milliseconds(samples)}")


def rows(portal: RunningPortal, resource: str, query: str, cursor: str) -> dict:
    at = f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""
    return json.loads(portal.get(f"/api/v1/resources/{resource}/rows?{query}{at}"))


def measure_export(portal: RunningPortal, resource: str, name: str) -> None:
    """`&sort` would make it blocking; the plain export streams. Parquet with a filter is made on the way."""
    query = "?gioi_tinh__in=nam,nữ,khác" if name == "parquet" else ""
    address = (
        f"{portal.base_url}/api/v1/resources/{resource}/export.{name}{urllib.parse.quote(query, safe='?=,')}"
    )
    rest = resident_mb(portal.process.pid)
    peak, ended = [rest], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            peak.append(resident_mb(portal.process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    with urllib.request.urlopen(address, timeout=300) as answer:
        size = len(answer.read(1))
        first = time.perf_counter() - start
        while chunk := answer.read(MB):
            size += len(chunk)
    total = time.perf_counter() - start
    ended.set()
    watcher.join()
    print(
        f"  export {name:8} first byte {first * 1000:6.0f} ms   whole {total:5.1f} s   {size / MB:6.1f} MB"
        f"   {size / MB / total:5.0f} MB/s   memory above rest {max(peak) - rest:4.0f} MB"
    )


if __name__ == "__main__":
    main()
