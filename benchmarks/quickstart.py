"""Time from `opendata quickstart` on an empty folder to the first page, and to the last seed dataset."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.portal_under_test import print_machine, running_portal
from opendata.kernel.bundled import bundled

RUNS = 3


def main() -> None:
    print_machine()
    seeds = sum(1 for _ in bundled("seed_datasets").glob("*/datapackage.json"))
    first, all_found = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        with running_portal() as portal:
            first.append(time.perf_counter() - start)
            while json.loads(portal.get("/api/v1/datasets?per_page=1"))["total"] < seeds:
                time.sleep(0.1)
            all_found.append(time.perf_counter() - start)
    print(f"first page:              median {statistics.median(first):.1f} s of {RUNS} (target 15 s)")
    print(f"all {seeds} seed datasets found: median {statistics.median(all_found):.1f} s")


if __name__ == "__main__":
    main()
