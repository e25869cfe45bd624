"""Tests of values that meanings are made of: a pattern, a list, bounds. Each looks at whole Arrow arrays.

Patterns are RE2 as Arrow runs them: linear in the length of a value, whatever is in the file. Numbers are
tested in their plain spelling, so that a code that lost its leading zeros can be given them back.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from opendata.resources.meanings.meaning import Test

_NOT_A_WORD: Final = r"[^a-z0-9]+"
# As code points: RE2 takes long to compile a class of letters such as \p{Mn}.
_MARKS: Final = r"[\x{0300}-\x{036f}]+"


def spelled(values: pa.Array) -> pa.Array:
    """As text without white space around it."""
    text = values if pa.types.is_string(values.type) else values.cast(pa.string())
    return pc.utf8_trim_whitespace(text)


def folded(values: pa.Array) -> pa.Array:
    """Lower case words without diacritics, one space between them; the twin of `kernel.text.fold`."""
    # Several meanings ask for the same values in a row.
    if _LAST.values is not values:
        _LAST.values, _LAST.words = values, _fold(values)
    return _LAST.words


class _Last(threading.local):
    values: Any = None
    words: Any = None


_LAST: Final = _Last()


def _fold(values: pa.Array) -> pa.Array:
    plain = pc.utf8_lower(spelled(values))
    plain = pc.utf8_normalize(plain, form="NFD")
    plain = pc.replace_substring_regex(plain, pattern=_MARKS, replacement="")
    plain = pc.replace_substring(plain, pattern="đ", replacement="d")
    return pc.utf8_trim(
        pc.replace_substring_regex(plain, pattern=_NOT_A_WORD, replacement=" "), characters=" "
    )


def matches(pattern: str | Callable[[], str]) -> Test:
    """The whole value has this form; fractions have none. A pattern made of a list is asked for when needed."""

    def test(values: pa.Array) -> pa.Array:
        if pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
            return nothing(values)
        form = pattern if isinstance(pattern, str) else pattern()
        return pc.match_substring_regex(spelled(values), pattern=f"^(?:{form})$")

    return test


def listed(load: Callable[[], Collection[str]], *, digits: int = 0) -> Test:
    """The value is one of a list, which is read when it is first needed.

    With `digits`, numbers are first given back the leading zeros that a spreadsheet took.
    """
    known = _kept(load)

    def test(values: pa.Array) -> pa.Array:
        text = spelled(values)
        if digits and not pa.types.is_string(values.type):
            text = pc.utf8_lpad(text, width=digits, padding="0")
        return pc.is_in(text, value_set=known())

    return test


def listed_name(load: Callable[[], Collection[str]], kinds: str = "", *, kind_needed: bool = False) -> Test:
    """The value, folded, is one of a list of folded names, with or without a word for its kind before it."""
    known = _kept(load)

    def test(values: pa.Array) -> pa.Array:
        names = folded(values)
        bare = pc.replace_substring_regex(names, pattern=f"^(?:{kinds}) ", replacement="") if kinds else names
        found = pc.is_in(bare, value_set=known())
        return pc.and_(found, pc.not_equal(bare, names)) if kind_needed else found

    return test


def _kept(load: Callable[[], Collection[str]]) -> Callable[[], pa.Array]:
    return cache(lambda: pa.array(sorted(load()), pa.string()))


def between(low: float, high: float) -> Test:
    """A number from `low` to `high`; text never is."""

    def test(values: pa.Array) -> pa.Array:
        if pa.types.is_string(values.type):
            return nothing(values)
        figures = values.cast(pa.float64(), safe=False)
        return pc.and_(pc.greater_equal(figures, low), pc.less_equal(figures, high))

    return test


def either(*tests: Test) -> Test:
    def test(values: pa.Array) -> pa.Array:
        found = tests[0](values)
        for other in tests[1:]:
            found = pc.or_(found, other(values))
        return found

    return test


def both(first: Test, second: Test) -> Test:
    return lambda values: pc.and_(first(values), second(values))


def but_not(test: Test, other: Test) -> Test:
    return lambda values: pc.and_not(test(values), other(values))


def anything(values: pa.Array) -> pa.Array:
    """Where the name alone decides."""
    return pc.is_valid(values)


def nothing(values: pa.Array) -> pa.Array:
    return pc.is_null(values)
