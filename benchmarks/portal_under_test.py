"""What the portal-level benchmarks share: a machine line, figures, a running portal, process memory."""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MB = 1 << 20


def print_machine() -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / MB / 1024
    print(f"machine: {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}")


def pace() -> float:
    """Seconds that a plain loop of five million additions takes now: rented processors are twice as fast in some hours."""
    started, total = time.perf_counter(), 0
    for number in range(5_000_000):
        total += number
    return time.perf_counter() - started


def milliseconds(samples: Sequence[float]) -> str:
    """Median and 95th percentile of samples in seconds."""
    ordered = sorted(samples)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"median {statistics.median(ordered) * 1000:7.1f} ms   p95 {p95 * 1000:7.1f} ms   n={len(ordered)}"


def timed(action: Callable[[], object], times: int) -> list[float]:
    samples = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        samples.append(time.perf_counter() - start)
    return samples


def resident_mb(pid: int) -> float:
    """Memory of a process and its children in MB; pages that several share are divided among them (PSS)."""
    total = _proportional_kb(pid) / 1024
    for child in _children(pid):
        total += resident_mb(child)
    return total


def _proportional_kb(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def processor_seconds(pid: int) -> float:
    """What a process and its living children have used so far, in user mode and in the kernel."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return own + sum(map(processor_seconds, _children(pid)))
    return 0.0


def own_memory_mb(pid: int) -> list[float]:
    """What a process and each of its children and theirs hold that is no file's."""
    own: list[float] = []
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                own = [int(line.split()[1]) / 1024]
    return own + [size for child in _children(pid) for size in own_memory_mb(child)]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


@contextlib.contextmanager
def watching_children(pid: int) -> Iterator[dict[int, float]]:
    """The most memory that each child of a process had meanwhile, in MB, by its number.

    What the system says of a child that has ended counts the moment in which it still was a copy of its parent.
    """
    peaks: dict[int, float] = {}
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(0.1):
            for child in _children(pid):
                with contextlib.suppress(OSError):
                    for line in Path(f"/proc/{child}/status").read_text().splitlines():
                        if line.startswith("VmHWM:"):
                            peaks[child] = int(line.split()[1]) / 1024

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        stopped.set()
        watcher.join()


def worker_of(pid: int) -> int:
    """The worker process that a quickstart supervises."""
    return next(child for child in _children(pid) if b"worker" in Path(f"/proc/{child}/cmdline").read_bytes())


@dataclass(frozen=True)
class RunningPortal:
    base_url: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.base_url + path, timeout=60) as answer:
            return answer.read()

    def command(self, *arguments: str) -> str:
        """Run an `opendata` command on the same data."""
        done = subprocess.run(
            [sys.executable, "-m", "opendata.cli", *arguments],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@contextlib.contextmanager
def running_portal(*options: str) -> Iterator[RunningPortal]:
    """`opendata quickstart` on a fresh folder and a free port, answering its home page."""
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data_dir = Path(folder) / "data"
        environment = {
            **os.environ,
            "OPENDATA_DATA_DIR": str(data_dir),
            "OPENDATA_PORT": str(port),
            "OPENDATA_BASE_URL": f"http://127.0.0.1:{port}",
            "OPENDATA_SECRET_KEY": secrets.token_urlsafe(48),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "opendata.cli", "quickstart", *options],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        portal = RunningPortal(f"http://127.0.0.1:{port}", data_dir, process, environment)
        try:
            wait_for(portal, "/vi/")
            yield portal
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def wait_for(portal: RunningPortal, path: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if portal.process.poll() is not None:
            raise SystemExit(f"quickstart ended with exit code {portal.process.returncode}")
        with contextlib.suppress(urllib.error.URLError, OSError):
            portal.get(path)
            return
        time.sleep(0.05)
    raise SystemExit(f"{path} did not answer within {seconds:.0f} s")


def write_table(path: Path, rows: int, seed: int = 20260725) -> None:
    """A CSV of 12 columns as offices have them: codes, names, dates, whole and decimal numbers, gaps."""
    import duckdb

    duckdb.sql(f"SELECT setseed({(seed % 1000) / 1000})")
    duckdb.sql(f"""
        COPY (
            SELECT
                lpad((i % 96 + 1)::VARCHAR, 2, '0') AS ma_tinh,
                lpad((i * 7919 % 100000)::VARCHAR, 5, '0') AS ma_xa,
                'Xã số ' || (i * 31 % 3321) AS ten_xa,
                (DATE '2015-01-01' + (i * 13 % 4000)::INTEGER) AS ngay,
                2015 + i % 11 AS nam,
                (random() * 100000)::INTEGER AS dan_so,
                round(random() * 500, 2) AS dien_tich,
                CASE WHEN i % 17 = 0 THEN NULL ELSE round(random() * 100, 3) END AS ty_le,
                ['nam', 'nữ', 'khác'][(i % 3 + 1)::INTEGER] AS gioi_tinh,
                (i % 5 = 0) AS thanh_thi,
                (random() * 1000000000)::BIGINT AS so_tien,
                CASE WHEN i % 11 = 0 THEN NULL ELSE 'Ghi chú ' || (i * 104729 % 1000003) END AS ghi_chu
            FROM range({rows}) AS t(i)
        ) TO '{path}' (HEADER, DELIMITER ',')
    """)
