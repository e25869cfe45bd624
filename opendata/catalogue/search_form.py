"""The address of a dataset search, read and written: one grammar for the page, the API and the CLI.

`read_form` turns query parameters into a `DatasetSearchForm` or says which one is wrong; `parameters`
writes it back, so that every state of a search has an address. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from opendata.kernel.errors import N_, BadParameterError, UnknownParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FACETS: Final = ("theme", "publisher", "format", "license", "frequency", "place")
SORTS: Final = ("relevance", "newest", "downloads", "title")
DEFAULT_PER_PAGE: Final = 20
MOST_PER_PAGE: Final = 100
DEEPEST: Final = 100_000


@dataclass(frozen=True, slots=True)
class DatasetSearchForm:
    """`chosen` holds the values picked per facet; `sort` is one of SORTS; pages count from 1."""

    text: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = ""
    page: int = 1
    per_page: int = DEFAULT_PER_PAGE

    @property
    def order(self) -> str:
        """The sort in effect: by relevance when there are words, newest first otherwise."""
        return self.sort or ("relevance" if self.text else "newest")

    def parameters(self) -> list[tuple[str, str]]:
        """The query string, in one canonical order, defaults left out."""
        pairs = [("q", self.text)] if self.text else []
        pairs += [(name, value) for name in FACETS for value in self.chosen.get(name, ())]
        if self.sort:
            pairs.append(("sort", self.sort))
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
        return replace(self, text=text, page=1)

    def toggled(self, facet: str, value: str) -> DatasetSearchForm:
        """The same search with one facet value picked, or dropped when it was."""
        held = self.chosen.get(facet, ())
        values = tuple(v for v in held if v != value) if value in held else (*held, value)
        chosen = {name: picked for name, picked in {**self.chosen, facet: values}.items() if picked}
        return replace(self, chosen=chosen, page=1)


def read_form(pairs: Iterable[tuple[str, str]], *, also: tuple[str, ...] = ()) -> DatasetSearchForm:
    """Raises UnknownParameterError and BadParameterError. `also` names parameters read elsewhere."""
    known = ("q", *FACETS, "sort", "page", "per_page", *also)
    text, sort, page, per_page = "", "", 1, DEFAULT_PER_PAGE
    chosen: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if name not in known:
            raise UnknownParameterError(name=name, known=", ".join(known))
        if name == "q":
            text = value.strip()
        elif name in FACETS and value and value not in chosen.get(name, ()):
            chosen[name] = (*chosen.get(name, ()), value)
        elif name == "sort" and value:
            sort = _one_of(name, value, SORTS)
        elif name == "page":
            page = _whole_number(name, value, DEEPEST)
        elif name == "per_page":
            per_page = _whole_number(name, value, MOST_PER_PAGE)
    return DatasetSearchForm(text, chosen, sort, page, per_page)


class NotOneOfError(BadParameterError):
    template = N_("“%(name)s” is one of %(choices)s, not “%(value)s”.")


class NotAWholeNumberError(BadParameterError):
    template = N_("“%(name)s” is a whole number from 1 to %(most)s, not “%(value)s”.")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise NotOneOfError(name=name, value=value, choices=", ".join(choices))
    return value


def _whole_number(name: str, value: str, most: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and 1 <= int(value) <= most):
        raise NotAWholeNumberError(name=name, value=value[:40], most=most)
    return int(value)
