"""Search at the scale of a nation: build, whole searches, completion, change, a served portal under load, peers.

    python benchmarks/search.py [--sizes 1000 10000] [--served] [--peers]

A search is what a page needs: 20 rows with marked title and passage, exact total, six facets; 200 mixed
queries, 37 of which were asked before and come from memory, in a process that has answered 150 others (printed as well: it had
just started). It does nothing else, and looks for rings of objects as rarely as web processes do.
The catalogue is generated, seeded. Both wall time and processor time are printed: on a busy machine only the
second compares.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.catalogue_generator import FORMS, SUBJECTS, CatalogueGenerator, load_into
from benchmarks.portal_under_test import (
    MB,
    own_memory_mb,
    pace,
    print_machine,
    processor_seconds,
    running_portal,
    watching_children,
)
from benchmarks.search_peers import measure_peers, rows_of
from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.accounts.service import AgencyEntry
from opendata.catalogue.search_form import read_form
from opendata.cli.serving import look_for_rings_rarely
from opendata.job_wiring import build_job_runner
from opendata.kernel.text import fold
from opendata.migrations import migrate
from opendata.settings import load_settings
from opendata.wiring import Services, build_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.portal_under_test import RunningPortal

QUERIES = 200
READERS = 8
READING_PROCESSES = 2
PATHS = ("/api/v1/datasets", "/vi/datasets")
SERVED_SECONDS = 20
PUBLISHED_SEED = 7
NEW_QUERIES = 20_000


def mixed_queries(services: Services, count: int = QUERIES, seed: int = 5) -> list[list[tuple[str, str]]]:
    """Accented and bare, short and long, phrases, exclusions, beginnings, codes, typos, nothing; filters and pages."""
    rng = random.Random(seed)
    places = [place.label("vi") for place in services.vocabularies.places]
    made = []
    for number in range(count):
        subject, english = rng.choice(SUBJECTS)
        place, year = rng.choice(places), rng.randint(2004, 2025)
        typed = (
            subject, fold(subject), f"{subject} {place}", fold(f"{subject} {place} {year}"), f'"{subject}"', english,
            f"{fold(subject)} -{fold(place)}", f"{fold(subject)[:-1]}*", f"{subject} {rng.choice(FORMS)} {place} năm {year}",
            "", fold(subject).replace("h", "hh", 1), rng.choice(("UBND", "TP.HCM", "BKHCN", str(year))),
        )[number % 12]  # fmt: skip
        asked = [("q", typed)]
        if number % 4 == 3:
            asked += [
                ("theme", services.vocabularies.themes.terms[0].code),
                ("format", "csv"),
                ("format", "xlsx"),
            ]
        if number % 5 == 4:
            asked.append(("sort", "newest"))
        if number % 6 == 5:
            asked.append(("page", "3"))
        made.append(asked)
    return made


def figures(name: str, values: Iterable[Any], action: Callable[[Any], object]) -> None:
    walls, own = [], []
    for value in values:
        wall, cpu = time.perf_counter(), time.thread_time()
        action(value)
        walls.append((time.perf_counter() - wall) * 1000)
        own.append((time.thread_time() - cpu) * 1000)
    print(f"  {name:34} {_percentiles(walls)}   processor {_percentiles(own)}")


def _percentiles(samples: Sequence[float]) -> str:
    return f"p50 {statistics.median(samples):6.1f} ms p95 {statistics.quantiles(samples, n=20)[18]:6.1f} ms"


def measure(size: int, *, peers: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        services = prepared(Path(folder))
        records = list(CatalogueGenerator().records(size)) if peers else None
        load_into(services, records or CatalogueGenerator().records(size))
        built(services, Path(folder))
        subprocess.run([sys.executable, __file__, "--searching", folder], check=True)
        figures("change of one, visible", range(10), lambda number: _change(services, number))
        asked = mixed_queries(services)
        services.close()
        if records:
            measure_peers(rows_of(records), [dict(pairs)["q"] for pairs in asked])


def measure_searching(folder: Path) -> None:
    """In a process that only searches, as web processes do: what a build leaves in memory makes every search slower."""
    services = opened(folder)
    search = services.catalogue_search
    asked = mixed_queries(services)
    others = [pairs for pairs in mixed_queries(services, seed=6) if pairs not in asked]
    search.search(VISITOR, read_form([]), "vi")
    look_for_rings_rarely()
    before = pace()
    for name, queries in (("search, process just started", others), ("search", asked)):
        figures(name, queries, lambda pairs: search.search(VISITOR, read_form(pairs), "vi"))
    print(f"  five million additions in a loop   before {before:.2f} s, after {pace():.2f} s")
    typing = [text[:cut] for text in ("dan so", "Giá bán", "truong", "x") for cut in range(1, len(text) + 1)]
    figures("completion", typing, lambda text: search.suggest(VISITOR, text))
    print(f"  memory of its own, this process      {own_memory_mb(os.getpid())[0]:.0f} MB", flush=True)
    services.close()
    gc.unfreeze()  # what is loaded ends as usual


def opened(folder: Path) -> Services:
    return build_services(load_settings(data_dir=folder, secret_key="x" * 40))


def prepared(folder: Path) -> Services:
    services = opened(folder)
    services.store.prepare()
    migrate(services.database)
    services.accounts.add_agencies(
        COMMAND_LINE,
        [AgencyEntry(term.code, dict(term.labels), term.kind) for term in services.vocabularies.agencies],
    )
    return services


def built(services: Services, folder: Path) -> None:
    gc.collect()
    wall, cpu = time.perf_counter(), _processor_seconds()
    with watching_children(os.getpid()) as peaks:
        count = services.indexing.rebuild()
    wall, cpu = time.perf_counter() - wall, _processor_seconds() - cpu
    size = sum(path.stat().st_size for path in (folder / "search").rglob("*") if path.is_file())
    print(
        f"{count:,} datasets: index built in {wall:.1f} s ({cpu:.1f} s of processor time), {size / MB:.0f} MB;"
        f" largest child {max(peaks.values(), default=0):.0f} MB"
    )
    runner = build_job_runner(services)
    while runner.run_batches():
        pass


def _change(services: Services, number: int) -> None:
    """From the commit in the database to a search that finds it; the worker looks four times a second."""
    word = f"thaydoi{number}"
    metadata = {"title": f"Thử {word}", "publisher": "BKHCN"}
    made = services.catalogue.create_dataset(COMMAND_LINE, metadata)
    services.catalogue.publish_dataset(COMMAND_LINE, made.id)
    build_job_runner(services).run_batches()
    if services.catalogue_search.search(VISITOR, read_form([("q", word)]), "vi").total != 1:
        raise SystemExit("a change is not found")


def measure_import(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prepared(Path(folder)).close()
        file = Path(folder) / "catalogue.jsonl"
        with file.open("w", encoding="utf-8") as out:
            subprocess.run(
                [sys.executable, str(Path(__file__).parent / "catalogue_generator.py"), str(size)],
                stdout=out,
                check=True,
            )
        command = [sys.executable, "-m", "opendata.cli", "import-catalogue", str(file)]
        environment = {
            "OPENDATA_DATA_DIR": folder,
            "OPENDATA_SECRET_KEY": "x" * 40,
            "PYTHONPATH": ":".join(sys.path),
        }
        cpu = _processor_seconds()
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        spent = _processor_seconds() - cpu
        print(
            f"import-catalogue of {size:,}: {done.stdout.splitlines()[-1]} ({size / spent:.0f} per processor second)"
        )


def measure_served(size: int) -> None:
    """Eight readers of the API and the page while one dataset a second is published, in a portal of its own.

    Three times: the 200 queries as a portal that has just started meets them, the same ones again, and ones that
    nobody asked before. A portal in service is between the last two.
    """
    with running_portal("--no-seed") as portal:
        services = opened(portal.data_dir)
        load_into(services, CatalogueGenerator().records(size))
        while services.search.count() < size:
            time.sleep(0.5)
        usual = mixed_queries(services)
        new = [pairs for pairs in mixed_queries(services, NEW_QUERIES, seed=9) if pairs not in usual]
        new = [list(pairs) for pairs in dict.fromkeys(map(tuple, new))]
        records = enumerate(CatalogueGenerator(seed=PUBLISHED_SEED).records(10_000))
        print(f"served portal, {size:,} datasets, {READERS} readers, one publication a second:")
        for name, asked in (("200 queries", usual), ("200 queries again", usual), ("new ones", new)):
            print(f" {name} ({len(asked)})")
            _measure_readers(portal, services, asked, records)
        services.close()


def _measure_readers(
    portal: RunningPortal,
    services: Services,
    asked: Sequence[list[tuple[str, str]]],
    records: Iterator[tuple[int, dict[str, Any]]],
) -> None:
    addresses = [f"{path}?{urllib.parse.urlencode(pairs)}" for pairs in asked for path in PATHS]
    readers = [_started_readers(portal, addresses, number) for number in range(READING_PROCESSES)]
    before = processor_seconds(portal.process.pid)
    for reader in readers:
        _told(reader, "")
    visible = published_until(services, time.monotonic() + SERVED_SECONDS, records)
    spent = processor_seconds(portal.process.pid) - before
    samples: dict[str, list[float]] = {path: [] for path in PATHS}
    for reader in readers:
        for path, times in json.loads(reader.communicate()[0]).items():
            samples[path] += times
    count = sum(map(len, samples.values()))
    for path, times in samples.items():
        print(f"  {path:34} {_percentiles(times)}   n={len(times)}")
    print(
        f"  {count / SERVED_SECONDS:.0f} answers a second; processor time of the portal, web and worker,"
        f" {spent / count * 1000:.1f} ms an answer"
    )
    print(
        f"  published and found after            median {statistics.median(visible):.2f} s, at most {max(visible):.2f} s"
    )
    print(f"  memory of its own, each process      {', '.join(_own_memory(portal.process.pid))} MB")


def _own_memory(pid: int) -> list[str]:
    """Of the processes of a portal, the largest first; files they map are shared and not counted."""
    return [f"{size:.0f}" for size in sorted(own_memory_mb(pid), reverse=True)]


def _started_readers(portal: RunningPortal, addresses: list[str], number: int) -> subprocess.Popen[str]:
    """A process of readers that waits for a line to begin."""
    each = READERS // READING_PROCESSES
    script = Path(__file__).parent / "readers.py"
    numbers = [str(value) for value in (number * each, each, READERS, SERVED_SECONDS)]
    started = subprocess.Popen(
        [sys.executable, str(script), portal.base_url, *numbers],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _told(started, *addresses, "")
    if started.stdout is None or started.stdout.readline() != "ready\n":
        raise SystemExit("the readers did not start")
    return started


def _told(reader: subprocess.Popen[str], *lines: str) -> None:
    if reader.stdin is not None:
        reader.stdin.write("".join(f"{line}\n" for line in lines))
        reader.stdin.flush()


def published_until(
    services: Services, ends: float, records: Iterator[tuple[int, dict[str, Any]]]
) -> list[float]:
    """Publishes one dataset a second, as the catalogue has them; how long each took to be found."""
    visible: list[float] = []
    while time.monotonic() < ends:
        number, record = next(records)
        start = time.monotonic()
        title = f"{record['title']['vi']} đợt {number}x"
        metadata = {name: value for name, value in record.items() if name not in {"slug", "resources"}}
        metadata["title"] = {**record["title"], "vi": title}
        made = services.catalogue.create_dataset(COMMAND_LINE, metadata)
        services.catalogue.publish_dataset(COMMAND_LINE, made.id)
        form = read_form([("q", f'"{title}"')])
        while services.catalogue_search.search(VISITOR, form, "vi").total == 0:
            time.sleep(0.05)
        visible.append(time.monotonic() - start)
        time.sleep(max(0.0, 1 - visible[-1]))
    return visible


def _processor_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--peers", action="store_true", help="SQLite FTS5 and PostgreSQL in the same run")
    parser.add_argument("--served", action="store_true", help="a running portal under load, at the last size")
    parser.add_argument("--imported", type=int, default=0, help="records to load by the command")
    parser.add_argument("--searching", type=Path, help="only search in this data folder")
    chosen = parser.parse_args()
    if chosen.searching:
        measure_searching(chosen.searching)
        return
    print_machine()
    for size in chosen.sizes:
        measure(size, peers=chosen.peers)
    if chosen.imported:
        measure_import(chosen.imported)
    if chosen.served:
        measure_served(chosen.sizes[-1])


if __name__ == "__main__":
    main()
