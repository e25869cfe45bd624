"""A text is kept with the object it was written of: never given for another one, however equal or however placed."""

from __future__ import annotations

from opendata.http.kept_texts import WrittenOf


def test_once_for_an_object_and_a_way() -> None:
    asked: list[list[int]] = []

    def write(thing: list[int]) -> bytes:
        asked.append(thing)
        return repr(thing).encode()

    kept = WrittenOf[list[int]](1000)
    first, equal = [1], [1]
    assert [kept.of(first, "vi", write), kept.of(first, "vi", write)] == [b"[1]"] * 2
    assert len(asked) == 1
    kept.of(first, "en", write)
    kept.of(equal, "vi", write)
    assert [id(thing) for thing in asked] == [id(first), id(first), id(equal)]


def test_an_object_in_the_place_of_one_that_is_gone_has_its_own_text() -> None:
    """Python gives the identity of a dead object to the next one; what is kept must therefore live."""
    kept = WrittenOf[list[int]](1000)
    for number in range(500):
        assert kept.of([number], "vi", lambda thing: b"%d" % thing[0]) == b"%d" % number


def test_texts_that_are_too_many_are_written_again() -> None:
    kept = WrittenOf[list[int]](10)
    things = [[number] for number in range(9)]
    for _ in range(2):
        assert [kept.of(thing, "", lambda thing: b"%04d" % thing[0]) for thing in things] == [
            b"%04d" % number for number in range(9)
        ]
