"""The address of a dataset search, read and written: one grammar for the page, the API and the CLI.

`read_form` turns query parameters into a `DatasetSearchForm` or says which one is wrong; `parameters`
writes it back, so that every state of a search has an address. Pure.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from opendata.catalogue.series import KEY_DIGITS
from opendata.kernel.errors import N_, BadParameterError, UnknownParameterError
from opendata.kernel.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FACETS: Final = ("theme", "publisher", "format", "license", "frequency", "place")
# When the record last changed; which days the data itself is about.
DATES: Final = ("modified_from", "modified_to", "period_from", "period_to")
SORTS: Final = ("relevance", "newest", "downloads", "title")
GROUPS: Final = ("series", "none")
DEFAULT_PER_PAGE: Final = 20
MOST_PER_PAGE: Final = 100
DEEPEST: Final = 100_000

_DATE: Final = re.compile(r"([12]\d{3})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?", re.ASCII)
_SERIES: Final = re.compile(rf"[0-9a-f]{{{KEY_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class DatasetSearchForm:
    """`chosen` holds the values picked per facet; `dates` those of DATES, as typed: 2026, 2026-03 or 2026-03-31.

    `exact` keeps to the words as typed, also where a better spelling would find something. `series` narrows to
    one series; `group` is one of GROUPS or empty where the page or the API decides; `sort` is one of SORTS;
    pages count from 1.
    """

    text: str = ""
    exact: bool = False
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    series: str = ""
    group: str = ""
    sort: str = ""
    page: int = 1
    per_page: int = DEFAULT_PER_PAGE

    def __hash__(self) -> int:
        """As equal ones have: pages are kept by the search they show."""
        return hash((self.text, self.sort, self.page, *self.chosen.values(), *self.dates.values()))

    @property
    def order(self) -> str:
        """The sort in effect: by relevance when there are words, newest first otherwise."""
        return self.sort or ("relevance" if self.text else "newest")

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but words decides what is found."""
        return bool(self.chosen or self.dates or self.series)

    def day(self, name: str) -> dt.date | None:
        """The day one of DATES means: the last one of a year or month where the name ends in `_to`."""
        text = self.dates.get(name)
        return _day(text, last=name.endswith("_to")) if text else None

    def parameters(self) -> list[tuple[str, str]]:
        """The query string, in one canonical order, defaults left out."""
        pairs = [("q", self.text)] if self.text else []
        pairs += [("exact", "true")] if self.exact else []
        pairs += [(name, value) for name in FACETS for value in self.chosen.get(name, ())]
        pairs += [(name, self.dates[name]) for name in DATES if name in self.dates]
        pairs += [(name, text) for name in ("series", "group", "sort") if (text := getattr(self, name))]
        if self.page > 1:
            pairs.append(("page", str(self.page)))
        if self.per_page != DEFAULT_PER_PAGE:
            pairs.append(("per_page", str(self.per_page)))
        return pairs

    def at_page(self, page: int) -> DatasetSearchForm:
        return replace(self, page=page)

    def sorted_by(self, sort: str) -> DatasetSearchForm:
        return replace(self, sort=sort, page=1)

    def with_text(self, text: str) -> DatasetSearchForm:
        return replace(self, text=text, exact=False, page=1)

    def as_typed(self) -> DatasetSearchForm:
        return replace(self, exact=True, page=1)

    def toggled(self, facet: str, value: str) -> DatasetSearchForm:
        """The same search with one facet value picked, or dropped when it was."""
        held = self.chosen.get(facet, ())
        values = tuple(v for v in held if v != value) if value in held else (*held, value)
        chosen = {name: picked for name, picked in {**self.chosen, facet: values}.items() if picked}
        return replace(self, chosen=chosen, page=1)

    def without(self, *names: str) -> DatasetSearchForm:
        """The same search without these facets, dates or `series`."""
        return replace(
            self,
            chosen={name: values for name, values in self.chosen.items() if name not in names},
            dates={name: text for name, text in self.dates.items() if name not in names},
            series="" if "series" in names else self.series,
            page=1,
        )

    def only_words(self) -> DatasetSearchForm:
        return self.without(*FACETS, *DATES, "series")

    def of_series(self, series: str) -> DatasetSearchForm:
        """All editions of one series, whatever else was asked for."""
        return DatasetSearchForm(series=series, per_page=self.per_page)

    def grouped(self, group: str) -> DatasetSearchForm:
        return replace(self, group=group, page=1)


def read_form(pairs: Iterable[tuple[str, str]], *, also: tuple[str, ...] = ()) -> DatasetSearchForm:
    """Raises UnknownParameterError and BadParameterError. `also` names parameters read elsewhere."""
    known = ("q", "exact", *FACETS, *DATES, "series", "group", "sort", "page", "per_page", *also)
    chosen: dict[str, tuple[str, ...]] = {}
    dates: dict[str, str] = {}
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise UnknownParameterError(name=name, known=", ".join(known))
        if name in FACETS and value and value not in chosen.get(name, ()):
            chosen[name] = (*chosen.get(name, ()), value)
        elif name in DATES and value:
            dates[name] = _date(name, value)
        elif name not in FACETS and (value or name in {"q", "page", "per_page"}):
            given[name] = value
    _check_order(dates)
    return DatasetSearchForm(
        text=clean_line(given.get("q", "")),
        exact=_one_of("exact", given.get("exact", "false"), ("true", "false")) == "true",
        chosen=chosen,
        dates=dates,
        series=_series("series", given["series"]) if "series" in given else "",
        group=_one_of("group", given["group"], GROUPS) if "group" in given else "",
        sort=_one_of("sort", given["sort"], SORTS) if "sort" in given else "",
        page=_whole_number("page", given.get("page", "1"), DEEPEST),
        per_page=_whole_number("per_page", given.get("per_page", str(DEFAULT_PER_PAGE)), MOST_PER_PAGE),
    )


def asks_why(explain: str | None) -> bool:
    """Whether the parameter “explain” asks for the reasons of the order: `1`. NotOneOfError for anything else."""
    if explain not in {None, "", "1"}:
        raise NotOneOfError(name="explain", value=explain[:40], choices="1")
    return explain == "1"


class NotOneOfError(BadParameterError):
    template = N_("“%(name)s” is one of %(choices)s, not “%(value)s”.")


class NotAWholeNumberError(BadParameterError):
    template = N_("“%(name)s” is a whole number from 1 to %(most)s, not “%(value)s”.")


class NotADateError(BadParameterError):
    template = N_("“%(name)s” is a day like 2026-03-31, a month like 2026-03 or a year, not “%(value)s”.")


class FromAfterToError(BadParameterError):
    template = N_("“%(name)s” (%(value)s) is later than “%(other)s” (%(other_value)s).")


class NotASeriesError(BadParameterError):
    template = N_("“%(name)s” is the key of a series as search results give it, not “%(value)s”.")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise NotOneOfError(name=name, value=value[:40], choices=", ".join(choices))
    return value


def _whole_number(name: str, value: str, most: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and 1 <= int(value) <= most):
        raise NotAWholeNumberError(name=name, value=value[:40], most=most)
    return int(value)


def _date(name: str, value: str) -> str:
    if _day(value, last=False) is None:
        raise NotADateError(name=name, value=value[:40])
    return value


def _series(name: str, value: str) -> str:
    if not _SERIES.fullmatch(value):
        raise NotASeriesError(name=name, value=value[:40])
    return value


def _check_order(dates: Mapping[str, str]) -> None:
    for kind in ("modified", "period"):
        low, high = dates.get(f"{kind}_from"), dates.get(f"{kind}_to")
        first = _day(low, last=False) if low else None
        end = _day(high, last=True) if high else None
        if first and end and first > end:
            raise FromAfterToError(name=f"{kind}_from", value=low, other=f"{kind}_to", other_value=high)


def _day(text: str, *, last: bool) -> dt.date | None:
    """The first or last day of a year, a month or a day; None where there is no such day."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else 0 for part in found.groups())
    month = month or (12 if last else 1)
    longest = calendar.monthrange(year, month)[1]
    if day > longest:
        return None
    return dt.date(year, month, day or (longest if last else 1))
