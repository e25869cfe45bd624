"""Rows of any origin as batches of text, bounded in rows and in characters.

Used by the readers that go row by row. A boundary in characters too: 32,768 outlines of communes are a gigabyte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opendata.resources.formats.table import BATCH_ROWS, Irregular, Rectangle, TextBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BATCH_CHARACTERS: Final = 16 << 20


def row_batches(
    rows: Iterable[tuple[int, Sequence[str]]], width: int, irregular: Irregular
) -> Iterator[TextBatch]:
    """The rows, numbered, made `width` wide; blank and ragged ones are noted in `irregular`."""
    rectangle = Rectangle(width, irregular)
    held: list[tuple[int, Sequence[str]]] = []
    characters = 0
    for numbered in rows:
        held.append(numbered)
        characters += sum(map(len, numbered[1]))
        if len(held) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            if batch := rectangle.batch(held):
                yield batch
            held, characters = [], 0
    if held and (batch := rectangle.batch(held)):
        yield batch
