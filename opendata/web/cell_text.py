"""Values of a table as its readers write them: 1.234,5 and 31/12/2026 in Vietnamese, 1,234.5 in English.

Nothing is rounded: a number shows every digit it has. Digits are grouped only in columns that go beyond
9999, so that years stay 2026 and codes of four digits stay whole.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from babel.numbers import get_decimal_symbol, get_group_symbol

from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from opendata.kernel.i18n import Translator

UNGROUPED: Final = 9999
MEASURED: Final = frozenset({"integer", "number", "year"})
YES: Final = N_("yes")
NO: Final = N_("no")
_GROUP: Final = 3


def needs_groups(least: Any, greatest: Any) -> bool:
    """Whether a column whose values lie between these two is easier to read with grouped digits."""
    return any(isinstance(end, int | float) and abs(end) > UNGROUPED for end in (least, greatest))


def cell_text(value: object, tongue: Translator, *, grouped: bool = False) -> str:
    """One line or more; the caller shows None in a way of its own."""
    if isinstance(value, bool):
        return tongue.gettext(YES if value else NO)
    if isinstance(value, int | float | Decimal):
        return number_text(value, tongue, grouped=grouped)
    if isinstance(value, dt.datetime):
        return _moment_text(value, tongue)
    if isinstance(value, dt.date):
        return tongue.date(value)
    return value.isoformat() if isinstance(value, dt.time) else str(value)


def number_text(value: float | Decimal, tongue: Translator, *, grouped: bool = False) -> str:
    try:
        plain = format(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), "f")
    except InvalidOperation:  # not a number, infinite
        return str(value)
    sign, digits = ("−", plain[1:]) if plain.startswith("-") else ("", plain)
    whole, point, fraction = digits.partition(".")
    if isinstance(value, float) and not fraction.strip("0"):
        point = fraction = ""
    if grouped:
        separator = get_group_symbol(tongue.language)
        first = len(whole) % _GROUP or _GROUP
        whole = separator.join(
            [whole[:first], *(whole[i : i + _GROUP] for i in range(first, len(whole), _GROUP))]
        )
    return sign + whole + (get_decimal_symbol(tongue.language) + fraction if point else "")


def statistic_text(value: Any, kind: str, tongue: Translator, *, grouped: bool = False) -> str:
    """A value of a column's profile, which holds JSON values: days and moments are ISO text there."""
    if value is None:
        return "–"
    if kind in {"date", "datetime"} and isinstance(value, str):
        try:
            read = dt.datetime.fromisoformat(value)
        except ValueError:
            return value
        return tongue.date(read.date()) if kind == "date" else _moment_text(read, tongue)
    if isinstance(value, float) and not value.is_integer():
        digits = 2 if abs(value) >= 1 else 4
        value = round(value, digits)
    return cell_text(value, tongue, grouped=grouped)


def _moment_text(value: dt.datetime, tongue: Translator) -> str:
    """A moment with an offset is shown in Viet Nam's time, one without as it stands."""
    if value.tzinfo is not None:
        return tongue.moment(value)
    time = value.strftime("%H:%M:%S" if value.second else "%H:%M")
    return f"{tongue.date(value.date())} {time}"
