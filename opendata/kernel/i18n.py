"""Two languages: message catalogues, and numbers, dates and sizes written as their readers expect.

English sentences are the message ids; `translations/vi/LC_MESSAGES/messages.po` holds the Vietnamese.
The catalogue is read from the .po itself, so nothing has to be compiled before the first start.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from babel.messages.catalog import Catalog

LANGUAGES: Final = ("vi", "en")
DEFAULT_LANGUAGE: Final = "vi"
VIETNAM_TIME: Final = dt.timezone(dt.timedelta(hours=7), "ICT")
_TRANSLATIONS = Path(__file__).parent.parent / "translations"
_STEP = 1024


class Translator:
    """Everything one language needs; get it from `translator(language)`."""

    def __init__(self, language: str, catalog: Catalog | None) -> None:
        self.language = language
        self._locale = Locale.parse(language)
        self._thousands = str(format_decimal(1000, format="#,##0", locale=self._locale))[1]
        self._plural_forms = catalog.plural_forms if catalog else ""
        self._strings = _strings_of(catalog) if catalog else {}
        # A page writes the same numbers and days many times, and Babel reads its pattern anew each time.
        self._number = lru_cache(4096, typed=True)(self._write_number)
        self._day = lru_cache(4096)(self._write_day)

    def gettext(self, message: str, **params: object) -> str:
        found = self._lookup(message, 0) or message
        return found % params if params else found

    def ngettext(self, one: str, many: str, count: int, **params: object) -> str:
        """Plural-aware; `%(count)s` in the message is the number as this language writes it."""
        single = self._lookup(one, 0 if self._plural_forms.startswith("nplurals=1") or count == 1 else 1)
        found = single or (one if count == 1 else many)
        return found % ({"count": self.number(count)} | params)

    def pick(self, text: Mapping[str, str] | None) -> str:
        """The value of a text held as `{"vi": …, "en": …}` in this language, or in the other one."""
        if not text:
            return ""
        return text.get(self.language) or next((value for value in text.values() if value), "")

    def number(self, value: float | Decimal) -> str:
        return self._number(value)

    def _write_number(self, value: float | Decimal) -> str:
        # A page counts two hundred things, and Babel takes 25 µs for each.
        if type(value) is int and value >= 0:
            return f"{value:,}".replace(",", self._thousands)
        digits = "#,##0.######" if isinstance(value, float | Decimal) else "#,##0"
        return str(format_decimal(value, format=digits, locale=self._locale))

    def percent(self, share: float) -> str:
        return str(format_percent(share, format="#,##0.#%", locale=self._locale))

    def date(self, value: dt.date | dt.datetime) -> str:
        """Day, in Viet Nam's time for a moment: 31/12/2026 or 31 Dec 2026."""
        return self._day(value.astimezone(VIETNAM_TIME).date() if isinstance(value, dt.datetime) else value)

    def _write_day(self, day: dt.date) -> str:
        pattern = "dd/MM/yyyy" if self.language == "vi" else "d MMM yyyy"
        return str(format_date(day, pattern, locale=self._locale))

    def moment(self, value: dt.datetime) -> str:
        pattern = "HH:mm, dd/MM/yyyy" if self.language == "vi" else "d MMM yyyy, HH:mm"
        return str(format_datetime(value.astimezone(VIETNAM_TIME), pattern, locale=self._locale))

    def ago(self, value: dt.datetime, now: dt.datetime) -> str:
        return str(format_timedelta(value - now, add_direction=True, locale=self._locale))

    def size(self, count: int) -> str:
        """Bytes in binary steps with at most one decimal: 1,4 MB."""
        amount = float(count)
        for unit in ("B", "KB", "MB", "GB", "TB"):
            if round(amount, 1) < _STEP or unit == "TB":  # 1,023.96 KB would show as 1,024 KB
                break
            amount /= _STEP
        shown = self.number(round(amount, 1)) if unit != "B" else self.number(count)
        return f"{shown}\u00a0{unit}"

    def _lookup(self, message: str, form: int) -> str:
        forms = self._strings.get(message)
        if forms is None:
            return ""
        return forms if isinstance(forms, str) else forms[form]


def _strings_of(catalog: Catalog) -> dict[str, str | tuple[str, ...]]:
    """What each sentence is translated by; a sentence with a plural stands under its singular."""
    return {
        message.id if isinstance(message.id, str) else message.id[0]: (
            message.string if isinstance(message.string, str) else tuple(message.string)
        )
        for message in catalog
        if message.id and message.string
    }


@cache
def translator(language: str) -> Translator:
    """The translator of a language; English needs no catalogue because its sentences are the ids."""
    path = _TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Translator(language, None)
    with path.open("rb") as source:
        return Translator(language, read_po(source, locale=language))


def choose_language(accept: str) -> str:
    """The first of our languages in an Accept-Language header (RFC 9110 §12.5.4), Vietnamese otherwise."""
    ranked: list[tuple[float, str]] = []
    for part in accept.split(","):
        tag, _, parameter = part.strip().partition(";")
        name, _, quality = parameter.strip().partition("=")
        try:
            weight = float(quality) if name.strip().lower() == "q" else 1.0
        except ValueError:
            weight = 0.0
        language = tag.strip().lower().split("-")[0]
        if language in LANGUAGES and weight > 0:
            ranked.append((-weight, language))
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else DEFAULT_LANGUAGE
