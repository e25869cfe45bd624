"""Identifiers: what their order and their characters promise."""

from __future__ import annotations

import random
import time

from opendata.kernel.ids import id_of_bytes, is_id, new_id, utc_now

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def decode(identifier: str) -> int:
    number = 0
    for char in identifier:
        number = number * 32 + CROCKFORD.index(char)
    return number


def test_an_id_holds_the_moment_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    identifier = new_id()
    after = time.time_ns() // 1_000_000
    assert len(identifier) == 26
    assert before <= decode(identifier) >> 80 <= after


def test_ids_order_by_time_as_text() -> None:
    made = []
    for _ in range(5):
        made.append(new_id())
        time.sleep(0.002)
    assert sorted(made) == made


def test_ids_made_at_once_differ_in_their_random_part() -> None:
    made = {new_id() for _ in range(20_000)}
    assert len(made) == 20_000
    assert len({identifier[10:] for identifier in made}) == 20_000
    assert set("".join(made)) <= set(CROCKFORD)


def test_an_id_of_bytes_holds_their_first_sixteen() -> None:
    for digest in (bytes(16), b"\xff" * 32, *(random.Random(n).randbytes(20) for n in range(200))):
        identifier = id_of_bytes(digest)
        assert is_id(identifier)
        assert decode(identifier) == int.from_bytes(digest[:16])


def test_now_knows_its_time_zone() -> None:
    offset = utc_now().utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
