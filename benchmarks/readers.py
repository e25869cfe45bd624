"""Readers of a portal under load, in a process of their own: `measure_served` of benchmarks/search.py starts them.

    python benchmarks/readers.py BASE_URL FIRST COUNT OF SECONDS < addresses

Reads one address a line from standard input, answers with `ready`, waits for one more line, then `COUNT` readers ask
for one address after the other and read each answer whole, without a pause. Each begins at a place of its own,
so that no two ask for the same at the same time. Prints JSON: for each path the milliseconds of every answer.

Apart from the publisher, and few of them, because readers that share one interpreter wait for each other and
would measure themselves; connections stay open, as those of browsers and of programs do.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
import urllib.parse
from collections import defaultdict
from http import HTTPStatus

PATIENCE_SECONDS = 60
# A third page of few results is not there, which is an answer too.
ANSWERS = {HTTPStatus.OK, HTTPStatus.NOT_FOUND}


def read_until(ends: float, host: str, addresses: list[str], first: int) -> dict[str, list[float]]:
    """Milliseconds by path, of one reader. Raises RuntimeError for an answer that is an error."""
    samples: defaultdict[str, list[float]] = defaultdict(list)
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)
    turn = first
    while time.monotonic() < ends:
        address = addresses[turn % len(addresses)]
        start = time.perf_counter()
        connection.request("GET", address)
        answer = connection.getresponse()
        answer.read()
        samples[address.partition("?")[0]].append((time.perf_counter() - start) * 1000)
        if answer.status not in ANSWERS:
            raise RuntimeError(f"{address} was answered with {answer.status}")
        turn += 1
    connection.close()
    return samples


def main() -> None:
    host = urllib.parse.urlsplit(sys.argv[1]).netloc
    first, count, of, seconds = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    addresses = []
    while line := sys.stdin.readline().strip():
        addresses.append(line)
    print("ready", flush=True)
    sys.stdin.readline()
    ends = time.monotonic() + seconds
    done: list[dict[str, list[float]]] = []

    def read(number: int) -> None:
        done.append(read_until(ends, host, addresses, number * len(addresses) // of))

    readers = [threading.Thread(target=read, args=(number,)) for number in range(first, first + count)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    if len(done) < count:
        raise SystemExit("a reader was refused")
    samples: defaultdict[str, list[float]] = defaultdict(list)
    for one in done:
        for path, times in one.items():
            samples[path] += times
    json.dump(samples, sys.stdout)


if __name__ == "__main__":
    main()
