"""Several processes on one index: what one writes the others see, and what dies half-way leaves no trace."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from opendata.search.port import PUBLIC, IndexSchema, IndexState, SearchDocument, SearchRequest, TextField
from opendata.search.service import SearchService

from .conftest import EVERYONE

ROOT = Path(__file__).parents[3]
TITLES = IndexSchema(texts=(TextField("title"),))
# The programs below begin with these lines.
PRELUDE = """
import sys
from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, SearchRequest, TextField
from opendata.search.service import SearchService
schema = IndexSchema(texts=(TextField("title"),))
service = SearchService(sys.argv[1], schema)
def made(name):
    return SearchDocument(id=name, access=(PUBLIC,), texts={"title": f"bộ dữ liệu {name}"}, stored={"n": name})
"""
# Batch n adds ten documents and removes one of those before, so that position n has 9 n + 1 documents.
WRITER = """
if service.position() is None:
    service.rebuild([], 0)
position = service.position()
while True:
    position += 1
    gone = [f"d{position - 1}x0"] if position > 1 else []
    service.index([made(f"d{position}x{n}") for n in range(10)], gone, position)
    print(position, flush=True)
"""
REBUILDER = """
n = 0
while True:
    n += 1
    service.rebuild((made(f"r{i}") for i in range(60)), n)
    print(n, flush=True)
"""
READER = """
for line in sys.stdin:
    response = service.search(SearchRequest(access=frozenset({PUBLIC}), text=line.strip(), limit=100))
    print(response.total, service.position(), flush=True)
"""


def started(program: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + program, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_another_process_sees_each_commit_at_its_next_search(url):
    writer = SearchService(url, TITLES)
    reader = started(READER, url)
    try:

        def asked(text: str) -> tuple[str, ...]:
            assert reader.stdin
            assert reader.stdout
            reader.stdin.write(f"{text}\n")
            return tuple(reader.stdout.readline().split())

        assert asked("du lieu") == ("0", "None")
        writer.rebuild([], 0)
        for number in range(1, 6):
            new = SearchDocument(id=f"d{number}", access=(PUBLIC,), texts={"title": f"Dữ liệu {number}"})
            writer.index([new], [], number)
            assert asked("du lieu") == (str(number), str(number))
        writer.rebuild([], 9)
        assert asked("du lieu") == ("0", "9")
    finally:
        ended(reader)


def test_a_writer_killed_at_any_moment_leaves_a_whole_index(url):
    for kill in range(6):
        writer = started(WRITER, url)
        assert writer.stdout
        first = int(writer.stdout.readline())
        time.sleep(0.02 * kill)
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        last_told = int(rest.split()[-1]) if rest.split() else first
        reopened = SearchService(url, TITLES)
        status = reopened.status()
        assert status.state is IndexState.READY
        assert status.position is not None
        assert status.position in {last_told, last_told + 1}
        assert status.count == 9 * status.position + 1
        found = reopened.search(SearchRequest(access=EVERYONE, text="bo du lieu", limit=1000))
        assert found.total == len({hit.id for hit in found.hits}) == status.count
    reopened.index([], [], 1000)
    assert reopened.position() == 1000


def test_a_rebuild_killed_half_way_leaves_the_old_index_and_no_lock(url):
    for kill in range(3):
        rebuilder = started(REBUILDER, url)
        assert rebuilder.stdout
        rebuilder.stdout.readline()
        time.sleep(0.03 * kill)
        ended(rebuilder)
        status = SearchService(url, TITLES).status()
        assert (status.state, status.count) == (IndexState.READY, 60)
    owner = SearchService(url, TITLES)
    assert owner.rebuild([], 5) == 0
    assert len(list(Path(url.partition("://")[2]).glob("generation-*"))) == 1
