"""A generated CSV of one million rows published by a running portal, by stage, with peak memory.

    python benchmarks/publishing.py

The stages as an officer sees them, waiting for the worker and publishing included; and whether the worker has loaded
pandas, which pyarrow imports where it is installed: it should not have.
"""

from __future__ import annotations

import io
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.portal_under_test import (
    MB,
    RunningPortal,
    print_machine,
    resident_mb,
    running_portal,
    worker_of,
    write_table,
)

ROWS = 1_000_000


def main() -> None:
    print_machine()
    with tempfile.TemporaryDirectory() as folder, running_portal("--no-seed") as portal:
        source = Path(folder) / "bang-lon.csv"
        write_table(source, ROWS)
        worker = worker_of(portal.process.pid)
        everything, working, ended = (
            [resident_mb(portal.process.pid)],
            [resident_mb(worker)],
            threading.Event(),
        )

        def watch() -> None:
            while not ended.wait(0.05):
                everything.append(resident_mb(portal.process.pid))
                working.append(resident_mb(worker))

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        stages = _publish(portal, source)
        total = time.perf_counter() - start
        ended.set()
        watcher.join()
        print(
            f"{ROWS:,} rows × 12 columns, {source.stat().st_size / MB:.0f} MB: published in {total:.1f} s (target 60 s)"
        )
        for stage, seconds in stages:
            print(f"  {stage:10} {seconds:6.1f} s")
        loaded = b"pandas/_libs" in Path(f"/proc/{worker}/maps").read_bytes()
        print(f"pandas in the worker: {'LOADED' if loaded else 'not loaded'}")
        print(f"memory at the peak: worker and its child {max(working):.0f} MB (target 700 MB)")
        print(f"  with supervisor and web: {max(everything):.0f} MB, of which {everything[0]:.0f} MB at rest")


def _publish(portal: RunningPortal, source: Path) -> list[tuple[str, float]]:
    """Hand the file in and watch its status; (stage, seconds) as seen from outside."""
    from opendata.accounts.policy import COMMAND_LINE
    from opendata.resources.service import Upload
    from opendata.settings import load_settings
    from opendata.wiring import build_services

    services = build_services(load_settings(data_dir=portal.data_dir, secret_key="x" * 40))
    stages: list[tuple[str, float]] = []
    begun = time.perf_counter()
    fields = {"title": "Một triệu dòng", "description": "Bảng sinh ra để đo.", "publisher": "BKHCN"}
    dataset = services.catalogue.create_dataset(COMMAND_LINE, fields, publish_when_ready=True)
    with source.open("rb") as stream:
        upload = Upload(io.BufferedReader(stream), source.name)
        received = services.resources.add_resource(COMMAND_LINE, dataset.id, upload)
    now = time.perf_counter()
    stages.append(("receive", now - begun))
    last, since = "waiting", now
    while True:
        version = services.resource_queries.resource(COMMAND_LINE, received.resource_id).latest
        stage = version.stage or "waiting"
        if stage != last or version.is_settled:
            now = time.perf_counter()
            stages.append((last, now - since))
            last, since = stage, now
        if version.is_settled:
            if version.state != "published":
                raise SystemExit([problem.message() for problem in version.problems])
            return stages
        time.sleep(0.05)


if __name__ == "__main__":
    main()
