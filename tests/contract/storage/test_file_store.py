"""What every file store promises: the bytes themselves, whole or not at all, found again by their sha256."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from opendata.kernel.errors import TooLargeError
from opendata.kernel.storage import CHUNK, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = "Dữ liệu mở\n".encode() * 1000

WRITER = """
import sys
from opendata.kernel.storage import open_store

class Endless:
    def __init__(self):
        self.count = 0
    def read(self, size):
        self.count += 1
        if self.count == 4:
            print("writing", flush=True)
            sys.stdin.read()  # until it is killed
        return b"x" * size

open_store(sys.argv[1]).put(Endless())
"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Broken:
    """A stream that ends with an error, as when a browser goes away."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        chunk = self._content.read(size)
        if not chunk:
            raise ConnectionResetError("the sender went away")
        return chunk


class Trickle:
    """A stream that gives a few bytes at a time, whatever is asked for."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        return self._content.read(min(size, 7))


def test_what_was_put_is_found_by_its_digest(kept) -> None:
    stored = kept.store.put(io.BytesIO(CONTENT))
    assert (stored.sha256, stored.size) == (sha256(CONTENT), len(CONTENT))
    assert kept.store.exists(stored.sha256)
    assert kept.store.path(stored.sha256).read_bytes() == CONTENT
    assert list(kept.store.digests()) == [stored.sha256]
    assert kept.leftovers() == 0


def test_another_process_finds_it_too(kept) -> None:
    stored = kept.store.put(io.BytesIO(CONTENT))
    assert open_store(kept.url).path(stored.sha256).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_sizes_around_the_chunk(kept, size: int) -> None:
    content = b"\x00\xff" * (size // 2) + b"z" * (size % 2)
    stored = kept.store.put(io.BytesIO(content))
    assert (stored.sha256, stored.size) == (sha256(content), size)
    assert kept.store.path(stored.sha256).read_bytes() == content


def test_short_reads_are_joined(kept) -> None:
    stored = kept.store.put(Trickle(CONTENT))
    assert kept.store.path(stored.sha256).read_bytes() == CONTENT


def test_the_same_bytes_are_kept_once(kept) -> None:
    first = kept.store.put(io.BytesIO(CONTENT))
    second = kept.store.put(Trickle(CONTENT))
    assert first == second
    assert list(kept.store.digests()) == [first.sha256]
    assert kept.leftovers() == 0


def test_exactly_the_limit_is_taken(kept) -> None:
    assert kept.store.put(io.BytesIO(CONTENT), limit=len(CONTENT)).size == len(CONTENT)


@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
def test_too_large_keeps_nothing(kept, stream: Callable[[bytes], io.BytesIO]) -> None:
    with pytest.raises(TooLargeError, match="larger than the"):
        kept.store.put(stream(CONTENT), limit=len(CONTENT) - 1)
    assert list(kept.store.digests()) == []
    assert not kept.store.exists(sha256(CONTENT))
    assert kept.leftovers() == 0


def test_a_stream_that_breaks_keeps_nothing(kept) -> None:
    with pytest.raises(ConnectionResetError):
        kept.store.put(Broken(CONTENT))
    assert list(kept.store.digests()) == []
    assert kept.leftovers() == 0


def test_what_is_not_there_is_said(kept) -> None:
    absent = sha256(b"absent")
    assert not kept.store.exists(absent)
    with pytest.raises(FileNotFoundError):
        kept.store.path(absent)
    kept.store.delete(absent)


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"]
)
def test_only_digests_are_names(kept, name: str) -> None:
    for ask in (kept.store.path, kept.store.exists, kept.store.delete):
        with pytest.raises(ValueError, match="sha256"):
            ask(name)


def test_deleted_is_gone(kept) -> None:
    stored = kept.store.put(io.BytesIO(CONTENT))
    kept.store.delete(stored.sha256)
    assert not kept.store.exists(stored.sha256)
    assert list(kept.store.digests()) == []


def test_damage_is_healed_by_the_same_bytes(kept) -> None:
    """The digest is in the name, so whoever hands the file in again has what is needed to mend it."""
    stored = kept.store.put(io.BytesIO(CONTENT))
    kept.damage(stored.sha256, CONTENT[:-1] + b"!")
    assert kept.store.put(io.BytesIO(CONTENT)) == stored
    assert kept.store.path(stored.sha256).read_bytes() == CONTENT


def test_many_writers_of_the_same_and_of_other_bytes(kept) -> None:
    contents = [CONTENT + bytes([number % 4]) for number in range(12)]
    failures: list[BaseException] = []

    def put(content: bytes) -> None:
        try:
            open_store(kept.url).put(Trickle(content))
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=put, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(kept.store.digests()) == {sha256(content) for content in contents}
    assert kept.leftovers() == 0


def test_a_killed_writer_leaves_no_file_under_a_digest(kept) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, kept.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        assert kept.leftovers() == 1  # some of it is on the disk already …
        kept.store.prepare()
        assert kept.leftovers() == 1  # … and not swept away under its hands
        writer.kill()
    assert list(kept.store.digests()) == []
    kept.store.prepare()
    assert kept.leftovers() == 0


def test_check_says_whether_anything_can_be_kept(kept) -> None:
    kept.store.check()
    assert kept.leftovers() == 0
