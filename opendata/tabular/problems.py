"""Why a row query is refused, each reason a class with its own sentence so that it reads well in both languages.

Raised by `filters`, `cursor`, `database` and `engine`; the edges turn them into an answer. All but the last
group keep the code `bad-parameter`, because to a program they are one case: change the request.
"""

from __future__ import annotations

from typing import ClassVar, Final

from opendata.kernel.errors import N_, BadParameterError, PortalError, UnavailableError

_SHOWN: Final = 80
_LISTED: Final = 30


def clip(text: str) -> str:
    """What a person sent, short enough to be shown back to them."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Names for a sentence; a table may have hundreds of columns, so the list is cut."""
    shown = [clip(name) for name in names[:_LISTED]]
    return ", ".join([*shown, "…"] if len(names) > _LISTED else shown)


class NotAWholeNumberError(BadParameterError):
    template = N_(
        "“%(value)s” in “%(name)s” is not a whole number. Write it like 1200, without separators or units."
    )


class NotANumberError(BadParameterError):
    template = N_(
        "“%(value)s” in “%(name)s” is not a number. Write it like 12.5, with a point and without separators."
    )


class NotABooleanError(BadParameterError):
    template = N_("“%(value)s” in “%(name)s” is neither true nor false. Write one of the two.")


class NotADateError(BadParameterError):
    template = N_("“%(value)s” in “%(name)s” is not a date. Write year-month-day, like 2025-07-01.")


class NotAMomentError(BadParameterError):
    template = N_("“%(value)s” in “%(name)s” is not a date and time. Write it like 2025-07-01T08:30:00.")


class NotATimeError(BadParameterError):
    template = N_("“%(value)s” in “%(name)s” is not a time of day. Write it like 08:30:00.")


class EmptyValueError(BadParameterError):
    template = N_("“%(name)s” was sent without a value. Give one, or leave the parameter out.")


class TooLongError(BadParameterError):
    template = N_("The value of “%(name)s” is too long. At most %(most)s characters are taken.")


class TooManyError(BadParameterError):
    template = N_("“%(name)s” has too many entries. At most %(most)s are taken.")


class RepeatedError(BadParameterError):
    template = N_("“%(name)s” was given more than once. Give it once.")


class ListedTwiceError(BadParameterError):
    template = N_("Column “%(value)s” stands twice in “%(name)s”. Name it once.")


class UnclosedQuoteError(BadParameterError):
    template = N_(
        "The list in “%(name)s” cannot be read: a quotation mark is not closed, or something follows it. "
        'Write an entry that holds a comma as "a,b" and a quotation mark inside it as "".'
    )


class UnknownColumnError(BadParameterError):
    template = N_("There is no column “%(value)s”, asked for in “%(name)s”. The columns are: %(known)s.")


class OperatorNotForColumnError(BadParameterError):
    template = N_(
        "“%(operator)s” cannot be used on the column “%(column)s”, whose type is %(type)s. Use one of: %(known)s."
    )


class LimitError(BadParameterError):
    template = N_("“%(name)s” must be a whole number from 1 to %(most)s, not “%(value)s”.")


class CountError(BadParameterError):
    template = N_("“%(name)s” is either exact or none, not “%(value)s”.")


class CursorUnreadableError(BadParameterError):
    template = N_(
        "This cursor cannot be read. Use the one of the previous answer unchanged, or leave it out to start again."
    )


class CursorOfOtherQueryError(BadParameterError):
    template = N_(
        "This cursor belongs to another table, other filters or another order. "
        "Ask with the same ones, or leave the cursor out to start again."
    )


class CursorOfOtherVersionError(BadParameterError):
    template = N_(
        "This cursor belongs to another version of the data. Leave it out to start again with this version."
    )


class QueryTooSlowError(PortalError):
    """`seconds`: the time one query may take."""

    code: ClassVar[str] = "query-too-slow"
    status: ClassVar[int] = 400
    template = N_(
        "This query was stopped after %(seconds)s seconds. Narrow the filter, sort by fewer columns, "
        "or download the whole table."
    )


class QueryTooLargeError(PortalError):
    code: ClassVar[str] = "query-too-large"
    status: ClassVar[int] = 400
    template = N_(
        "This query needs more memory than one query may use. Narrow the filter, sort by fewer columns, "
        "or download the whole table."
    )


class BusyError(UnavailableError):
    code: ClassVar[str] = "busy"
    template = N_("Too many tables are being read at this moment. Try again in a few seconds.")


class TableFileMissingError(UnavailableError):
    code: ClassVar[str] = "table-missing"
    template = N_(
        "The rows of this table are not at hand just now. The original file can still be downloaded."
    )
