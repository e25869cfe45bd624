"""JSON records (`[{…}, {…}]`) and JSON Lines, one record at a time, in memory bounded by the longest record.

Numbers keep the digits they are written with; lists and objects inside a record stay JSON text. The columns
are the names of all records in the order in which they first occur, so the file is read twice: once for the
names, once for the rows.
"""

from __future__ import annotations

import io
import json
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opendata.kernel.text import nfc
from opendata.resources.formats.clean_text import MEGABYTE, CleanText
from opendata.resources.formats.table import (
    BATCH_ROWS,
    SourceTable,
    TextBatch,
    check_width,
    text_batch,
)
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.resources.formats.table import Report
    from opendata.resources.ingest.result import Identification

LONGEST_RECORD: Final = 64 * MEGABYTE
_FIRST_WINDOW: Final = 1 << 16
_BLANKS: Final = " \t\r\n"
_LONGEST_TOKEN: Final = 16


class NumberText(str):
    """A JSON number, as it is written in the file."""

    __slots__ = ()


class Record(NamedTuple):
    """`number` counts records (JSON) or lines (JSON Lines) from 1."""

    number: int
    values: dict[str, Any]


def tables(path: Path, identification: Identification) -> Iterator[SourceTable]:
    """The one table of the file. Raises UnreadableError for what is not records."""
    kinds: dict[str, set[str]] = {}
    for record in records(path, identification, _no_report):
        for name, value in record.values.items():
            kind = _kind(value)
            seen = kinds.get(name)
            if seen is None:
                seen = kinds[name] = set()
                check_width(len(kinds))
            if kind:
                seen.add(kind)
    if not kinds:
        raise UnreadableError(Problem("no-rows", {"columns": 0}))
    names = tuple(kinds)
    table = SourceTable(
        title="",
        labels=tuple(_clean(name).strip() for name in names),
        header_row=1,
        header_width=len(names),
        readings=(),
        kinds=list(kinds.values()),
        row_shift=1,
    )
    table.readings = (partial(_read, path, identification, names, table),)
    yield table


def records(path: Path, identification: Identification, report: Report) -> Iterator[Record]:
    """The records of a JSON array or of JSON Lines, whichever the file was identified as."""
    if identification.encoding is None:
        raise ValueError("JSON is text and has an encoding")
    plain = bool(identification.evidence.get("is_plain", False))
    mark = int(identification.evidence.get("mark_bytes", 0))
    with (
        CleanText(path, identification.encoding, mark_bytes=mark, is_plain=plain) as raw,
        io.TextIOWrapper(io.BufferedReader(raw, MEGABYTE), encoding="utf-8", newline="\n") as text,
    ):
        found = _lines(text) if identification.format == "jsonl" else _array(text)
        for count, record in enumerate(found, start=1):
            yield record
            if count % BATCH_ROWS == 0:
                report(raw.done, identification.size, "bytes")
        report(identification.size, identification.size, "bytes")


def decoder() -> json.JSONDecoder:
    """A decoder that keeps numbers as text and refuses NaN and Infinity, which JSON does not have."""
    return json.JSONDecoder(parse_float=NumberText, parse_int=NumberText, parse_constant=_refuse)


def json_text(value: Any) -> str:
    """A decoded value as JSON text again, numbers with the digits they came with."""
    if isinstance(value, NumberText):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json_text(str(k))}: {json_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _no_report(done: int, total: int, unit: str) -> None:
    """The first of the two readings is not shown."""


def _read(
    path: Path, identification: Identification, names: tuple[str, ...], table: SourceTable, report: Report
) -> Iterator[TextBatch]:
    found = records(path, identification, report)
    while chunk := list(islice(found, BATCH_ROWS)):
        kept = []
        for record in chunk:
            cells = _cells(record, names)
            if any(cells):
                kept.append((record.number + table.row_shift, cells))
            else:
                table.irregular.add_blank(record.number + table.row_shift, len(names))
        if kept:
            columns = list(zip(*(cells for _, cells in kept), strict=True))
            yield text_batch(columns, [row for row, _ in kept])


def _cells(record: Record, names: tuple[str, ...]) -> list[str]:
    try:
        return [_cell(record.values.get(name)) for name in names]
    except RecursionError as error:
        raise UnreadableError(Problem("json-too-deep", {"record": record.number})) from error


def _lines(text: io.TextIOWrapper) -> Iterator[Record]:
    decode = decoder()
    number = 0
    while line := text.readline(LONGEST_RECORD + 1):
        number += 1
        if len(line) > LONGEST_RECORD:
            raise _too_long(number)
        if not line.strip(_BLANKS):
            continue
        try:
            value = decode.decode(line)
        except json.JSONDecodeError as error:
            raise UnreadableError(Problem("json-invalid", {"position": error.pos + 1}, row=number)) from error
        except ValueError as error:
            raise UnreadableError(Problem("json-invalid", {"position": 1}, row=number)) from error
        except RecursionError as error:
            raise UnreadableError(Problem("json-too-deep", {"record": number})) from error
        yield Record(number, _object(value, number))


class _Window:
    """The part of a JSON text that is being decoded, with the line and position where it starts."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.buffer = ""
        self.position = 0
        self.is_last = False
        self._line = 1
        self._line_start = 0
        self._dropped = 0

    def grow(self) -> None:
        """Drops what is decoded and reads as much again as is left, so that retries stay linear."""
        done = self.buffer[: self.position]
        self._line += done.count("\n")
        if "\n" in done:
            self._line_start = self._dropped + done.rindex("\n") + 1
        self._dropped += self.position
        self.buffer = self.buffer[self.position :]
        self.position = 0
        more = self._text.read(max(_FIRST_WINDOW, len(self.buffer)))
        self.is_last = not more
        self.buffer += more

    def peek(self) -> str:
        """The next character that is not white space, empty at the end."""
        while True:
            while self.position < len(self.buffer):
                if self.buffer[self.position] not in _BLANKS:
                    return self.buffer[self.position]
                self.position += 1
            if self.is_last:
                return ""
            self.grow()

    def invalid(self, position: int | None = None) -> UnreadableError:
        at = self.position if position is None else position
        before = self.buffer[:at]
        start = self._dropped + before.rindex("\n") + 1 if "\n" in before else self._line_start
        where = {"position": self._dropped + at - start + 1}
        return UnreadableError(Problem("json-invalid", where, row=self._line + before.count("\n")))


def _array(text: io.TextIOWrapper) -> Iterator[Record]:
    window = _Window(text)
    if window.peek() != "[":
        raise UnreadableError(Problem("json-not-records"))
    window.position += 1
    decode = decoder()
    number = 0
    while (char := window.peek()) != "]":
        if number:
            if char != ",":
                raise window.invalid()
            window.position += 1
            if window.peek() == "]":
                raise window.invalid()
        number += 1
        yield Record(number, _object(_value(window, decode, number), number))
    window.position += 1
    if window.peek():
        raise window.invalid()


def _value(window: _Window, decode: json.JSONDecoder, number: int) -> Any:
    """The next value; the window grows until it holds the whole of it."""
    if not window.peek():
        raise window.invalid()
    while True:
        try:
            value, end = decode.raw_decode(window.buffer, window.position)
        except RecursionError as error:
            raise UnreadableError(Problem("json-too-deep", {"record": number})) from error
        except json.JSONDecodeError as error:
            if window.is_last or _is_certain(error, len(window.buffer)):
                raise window.invalid(error.pos) from error
        except ValueError as error:
            raise window.invalid() from error
        else:
            if end < len(window.buffer) or window.is_last:
                window.position = end
                return value
        if len(window.buffer) - window.position > LONGEST_RECORD:
            raise _too_long(number)
        window.grow()


def _is_certain(error: json.JSONDecodeError, length: int) -> bool:
    """Whether the text is wrong and not only cut off: the fault lies before the last token of the window."""
    return not error.msg.startswith("Unterminated string") and error.pos < length - _LONGEST_TOKEN


def _object(value: Any, number: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableError(Problem("json-record-not-object", {"record": number}))
    return value


def _too_long(number: int) -> UnreadableError:
    limit = LONGEST_RECORD // MEGABYTE
    return UnreadableError(Problem("json-record-too-long", {"record": number, "limit": limit}))


def _kind(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, NumberText):
        return "number"
    if isinstance(value, bool):
        return "boolean"
    return "nested" if isinstance(value, dict | list) else "text"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _clean(json_text(value) if isinstance(value, dict | list) else str(value))


def _clean(text: str) -> str:
    """NFC also for letters that were written as escapes; half a surrogate pair is no character."""
    return text if text.isascii() else nfc(text).encode("utf-8", "replace").decode()
