"""Values as people write them in a query, checked against the kind of the column they are compared with.

Numbers use a point and no separators, dates are ISO 8601 (year first): one spelling for every reader of a
link, whatever the language of the page it was made on.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from opendata.tabular.problems import (
    EmptyValueError,
    NotABooleanError,
    NotADateError,
    NotAMomentError,
    NotANumberError,
    NotATimeError,
    NotAWholeNumberError,
    TooLongError,
    clip,
)
from opendata.tabular.source import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opendata.kernel.errors import BadParameterError
    from opendata.tabular.query import Value

LONGEST_TEXT: Final = 1_000
_WHOLE = re.compile(r"[+-]?\d{1,38}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,60}(?:\.\d{0,60})?|\.\d{1,60})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_TIME = re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?", re.ASCII)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_READERS: Final[Mapping[Kind, tuple[re.Pattern[str], Callable[[str], Value], type[BadParameterError]]]] = {
    Kind.INTEGER: (_WHOLE, int, NotAWholeNumberError),
    Kind.NUMBER: (_NUMBER, Decimal, NotANumberError),
    Kind.BOOLEAN: (re.compile("true|false", re.IGNORECASE | re.ASCII), _boolean, NotABooleanError),
    Kind.DATE: (_DATE, dt.date.fromisoformat, NotADateError),
    Kind.DATETIME: (_MOMENT, dt.datetime.fromisoformat, NotAMomentError),
    Kind.TIME: (_TIME, dt.time.fromisoformat, NotATimeError),
}


def read_value(kind: Kind, name: str, text: str) -> Value:
    """The value `text` stands for in a column of `kind`; `name` is the parameter, for the refusal.

    Text is taken as it is, spaces and all; white space around any other value is ignored. A date and time
    without an offset is taken as the column holds it; one with an offset keeps it.
    """
    if kind is Kind.TEXT:
        return checked_text(name, text)
    bare = text.strip()
    if not bare:
        raise EmptyValueError(name=clip(name), value="")
    pattern, read, refusal = _READERS[kind]
    if not pattern.fullmatch(bare):
        raise refusal(name=clip(name), value=clip(text))
    try:
        return read(bare)
    except ValueError as problem:  # the 31st of February has the shape of a date
        raise refusal(name=clip(name), value=clip(text)) from problem


def checked_text(name: str, text: str, most: int = LONGEST_TEXT) -> str:
    if len(text) > most:
        raise TooLongError(name=clip(name), value=clip(text), most=most)
    return text
