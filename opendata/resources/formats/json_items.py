"""What a JSON file consists of, as a stream of items: which list it stands in, its number there, its value.

Used by `json_records`. A list at the top is the place "", a list in an object the name of its member, one level
further `outer.inner` (`{"result": {"records": […]}}`). What stands in no list is an item with number 0. JSON
Lines are one list at the top whose numbers are those of the lines.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opendata.resources.formats.json_outline import check_line
from opendata.resources.formats.json_text import (
    BLANKS,
    LONGEST_RECORD,
    Window,
    decoder,
    elements,
    members,
    open_text,
    too_long,
)
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.resources.formats.table import Report
    from opendata.resources.ingest.result import Identification

_REPORT_EVERY: Final = 16_384
_DEEPEST_LIST: Final = 2


class Item(NamedTuple):
    """`place` is the list, `number` counts from 1 (lines for JSON Lines), 0 for what is in no list."""

    place: str
    number: int
    value: Any


def items(path: Path, identification: Identification, report: Report) -> Iterator[Item]:
    """The items in the order of the file. Raises UnreadableError for broken JSON and for a bare value."""
    size = identification.size
    with open_text(path, identification) as opened:
        found = _lines(opened.text) if identification.format == "jsonl" else _document(opened.text)
        for count, item in enumerate(found, start=1):
            yield item
            if count % _REPORT_EVERY == 0:
                report(opened.done, size, "bytes")
        report(size, size, "bytes")


def _document(text: io.TextIOWrapper) -> Iterator[Item]:
    window = Window(text)
    start = window.peek()
    if start == "[":
        for number in elements(window):
            yield Item("", number, window.value(number, as_row=True))
    elif start == "{":
        yield from _object(window, "", Counter(), depth=1)
    else:
        raise UnreadableError(Problem("json-not-records"))
    if window.peek():
        raise window.invalid()


def _object(window: Window, inside: str, counted: Counter[str], *, depth: int) -> Iterator[Item]:
    """The members of an object. A name that comes twice goes on counting, so that no number comes twice."""
    for name in members(window):
        place = f"{inside}.{name}" if inside else name
        start = window.peek()
        if start == "[":
            for _ in elements(window):
                counted[place] += 1
                yield Item(place, counted[place], window.value(counted[place], as_row=True))
        elif start == "{" and depth < _DEEPEST_LIST:
            yield from _object(window, place, counted, depth=depth + 1)
        else:
            yield Item(place, 0, window.value())


def _lines(text: io.TextIOWrapper) -> Iterator[Item]:
    decode = decoder()
    number = 0
    while line := text.readline(LONGEST_RECORD + 1):
        number += 1
        if len(line) > LONGEST_RECORD:
            raise too_long(number)
        check_line(line)
        if not line.strip(BLANKS):
            continue
        try:
            value = decode.decode(line)
        except json.JSONDecodeError as error:
            raise UnreadableError(Problem("json-invalid", {"position": error.pos + 1}, row=number)) from error
        except ValueError as error:
            raise UnreadableError(Problem("json-invalid", {"position": 1}, row=number)) from error
        except RecursionError as error:
            raise UnreadableError(Problem("json-too-deep", {"record": number})) from error
        yield Item("", number, value)
