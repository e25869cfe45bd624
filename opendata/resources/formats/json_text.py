"""JSON as a stream: the text of a file, the values in it one at a time, and the place where it is broken.

Used by the readers of JSON and GeoJSON. Numbers keep the digits they are written with, so no number is too
long; memory is bounded by the longest single value. `Window` holds the part being decoded; `members` and
`elements` step through an object or an array whose values the caller takes, one by one, with `value`.
"""

from __future__ import annotations

import io
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opendata.kernel.text import nfc
from opendata.resources.formats.clean_text import MEGABYTE, CleanText
from opendata.resources.formats.json_outline import SHORT, Outline
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.resources.ingest.result import Identification

# A thousand empty lists are three thousand characters and sixty times that in memory.
LONGEST_RECORD: Final = 32 * MEGABYTE
BLANKS: Final = " \t\r\n"
_FIRST_WINDOW: Final = 1 << 16
_LONG_STEP: Final = 1 << 18
_LONGEST_TOKEN: Final = 16


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


# A line break is never part of a string in JSON, where it has to be escaped.
_LINE_BREAK: Final = re.compile(r"[ \t\r]*\n\s*")
_ROUNDING: Final = json.JSONDecoder(parse_int=float, parse_constant=_refuse)


class NumberText(str):
    """A JSON number, as it is written in the file."""

    __slots__ = ()


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


def kind_of(value: Any) -> str:
    """The kind of value that a column is told of (see SourceTable.kinds); empty for an empty cell."""
    if value is None or value == "":
        return ""
    if isinstance(value, NumberText):
        return "number"
    if isinstance(value, bool):
        return "boolean"
    return "nested" if isinstance(value, dict | list) else "text"


def cell_of(value: Any) -> str:
    """The value as the text of a cell. Raises RecursionError for one nested too deeply."""
    if type(value) is NumberText:
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(json_text(value) if isinstance(value, dict | list) else str(value))


def clean(text: str) -> str:
    """NFC also for letters that were written as escapes; half a surrogate pair is no character."""
    return text if text.isascii() else nfc(text).encode("utf-8", "replace").decode()


class OpenText:
    """The text of a file and how many bytes of it are read."""

    def __init__(self, raw: CleanText, text: io.TextIOWrapper) -> None:
        self._raw = raw
        self.text = text

    @property
    def done(self) -> int:
        return self._raw.done


@contextmanager
def open_text(path: Path, identification: Identification) -> Iterator[OpenText]:
    """The file as clean text, in the encoding it was identified with."""
    if identification.encoding is None:
        raise ValueError("JSON is text and has an encoding")
    plain = bool(identification.evidence.get("is_plain", False))
    mark = int(identification.evidence.get("mark_bytes", 0))
    with (
        CleanText(path, identification.encoding, mark_bytes=mark, is_plain=plain) as raw,
        io.TextIOWrapper(io.BufferedReader(raw, MEGABYTE), encoding="utf-8", newline="\n") as text,
    ):
        yield OpenText(raw, text)


class Window:
    """The part of a JSON text that is being decoded, with the line and position where it starts."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._decode = decoder()
        self.buffer = ""
        self.position = 0
        self.is_last = False
        self._line = 1
        self._line_start = 0
        self._dropped = 0

    def peek(self) -> str:
        """The next character that is not white space, empty at the end."""
        while True:
            while self.position < len(self.buffer):
                if self.buffer[self.position] not in BLANKS:
                    return self.buffer[self.position]
                self.position += 1
            if self.is_last:
                return ""
            self._grow()

    def take(self, character: str) -> None:
        """Steps over the next character, which must be this one."""
        if self.peek() != character:
            raise self.invalid()
        self.position += 1

    def value(self, number: int = 1, *, as_row: bool = False) -> Any:
        """The next value; the window grows until it holds the whole of it. `number` is for the sentence.

        Raises UnreadableError for one that is too wide, `as_row` for one that is too wide for a row of a table.
        """
        return self._next(self._decode, number, as_row=as_row)[0]

    def value_and_text(self, number: int = 1) -> tuple[Any, str]:
        """The next value with rounded numbers, and as it is written: many times faster than to write it again."""
        value, start = self._next(_ROUNDING, number)
        text = self.buffer[start : self.position]
        return value, _LINE_BREAK.sub(" ", text) if "\n" in text else text

    def _next(self, decode: json.JSONDecoder, number: int, *, as_row: bool = False) -> tuple[Any, int]:
        """The next value and where in the buffer it starts; `position` is then its end."""
        if not self.peek():
            raise self.invalid()
        is_seen = False
        while True:
            found = self._attempt(decode, number)
            if found is not None:
                start, self.position = self.position, found[1]
                return found[0], start
            length = len(self.buffer) - self.position
            if length > LONGEST_RECORD:
                raise too_long(number)
            if is_seen or length < SHORT:
                self._grow()
            else:
                is_seen = True
                self._take_long(as_row=as_row)

    def _attempt(self, decode: json.JSONDecoder, number: int) -> tuple[Any, int] | None:
        """The value that the window begins with and its end, None where more has to be read to tell."""
        try:
            value, end = decode.raw_decode(self.buffer, self.position)
        except RecursionError as error:
            raise UnreadableError(Problem("json-too-deep", {"record": number})) from error
        except json.JSONDecodeError as error:
            if self.is_last or _is_certain(error, len(self.buffer)):
                raise self.invalid(error.pos) from error
            return None
        except ValueError as error:
            raise self.invalid() from error
        return (value, end) if end < len(self.buffer) or self.is_last else None

    def _take_long(self, *, as_row: bool) -> None:
        """Read to the end of a long value, or as much as is read of any, without a decoder's attempts on the way.

        Of one that is too wide only the counts are kept, which are then said.
        """
        self._drop()
        outline = Outline()
        outline.read(self.buffer)
        pieces = [self.buffer]
        length = len(self.buffer)
        while not (outline.is_whole or self.is_last) and length <= LONGEST_RECORD:
            more = self._text.read(_LONG_STEP)
            self.is_last = not more
            outline.read(more)
            length += len(more)
            if outline.is_too_wide(as_row=as_row):
                pieces.clear()
            else:
                pieces.append(more)
        outline.check(as_row=as_row)
        self.buffer = "".join(pieces)

    def invalid(self, position: int | None = None) -> UnreadableError:
        at = self.position if position is None else position
        before = self.buffer[:at]
        start = self._dropped + before.rindex("\n") + 1 if "\n" in before else self._line_start
        where = {"position": self._dropped + at - start + 1}
        return UnreadableError(Problem("json-invalid", where, row=self._line + before.count("\n")))

    def _grow(self) -> None:
        """Drops what is decoded and reads as much again as is left, so that retries stay linear."""
        self._drop()
        more = self._text.read(max(_FIRST_WINDOW, len(self.buffer)))
        self.is_last = not more
        self.buffer += more

    def _drop(self) -> None:
        """Forget what is decoded, but for its lines."""
        done = self.buffer[: self.position]
        self._line += done.count("\n")
        if "\n" in done:
            self._line_start = self._dropped + done.rindex("\n") + 1
        self._dropped += self.position
        self.buffer = self.buffer[self.position :]
        self.position = 0


def elements(window: Window) -> Iterator[int]:
    """The numbers, from 1, of the elements of the array that comes next; take each before the next."""
    window.take("[")
    number = 0
    while window.peek() != "]":
        if number:
            _comma(window, "]")
        number += 1
        yield number
    window.position += 1


def members(window: Window) -> Iterator[str]:
    """The names of the members of the object that comes next; take the value of each before the next."""
    window.take("{")
    is_first = True
    while window.peek() != "}":
        if not is_first:
            _comma(window, "}")
        if window.peek() != '"':
            raise window.invalid()
        is_first = False
        name = str(window.value())
        window.take(":")
        yield name
    window.position += 1


def too_long(number: int) -> UnreadableError:
    limit = LONGEST_RECORD // MEGABYTE
    return UnreadableError(Problem("json-record-too-long", {"record": number, "limit": limit}))


def _comma(window: Window, end: str) -> None:
    window.take(",")
    if window.peek() == end:
        raise window.invalid()


def _is_certain(error: json.JSONDecodeError, length: int) -> bool:
    """Whether the text is wrong and not only cut off: the fault lies before the last token of the window."""
    return not error.msg.startswith("Unterminated string") and error.pos < length - _LONGEST_TOKEN
