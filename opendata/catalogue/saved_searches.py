"""Searches a person keeps under a name, with how many datasets are new or changed since they last looked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import func, select

from opendata.accounts import audit
from opendata.catalogue.reader_models import SavedSearch
from opendata.catalogue.search_form import read_form
from opendata.kernel.errors import (
    N_,
    FieldError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)
from opendata.kernel.ids import utc_now
from opendata.kernel.text import clean_line

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from opendata.accounts.policy import Actor
    from opendata.catalogue.search_form import DatasetSearchForm
    from opendata.kernel.db import Database

    CountChanged = Callable[[Actor, DatasetSearchForm, dt.datetime], int]

LONGEST_NAME: Final = 100
LONGEST_ADDRESS: Final = 4000
MOST_EACH: Final = 100


@dataclass(frozen=True, slots=True)
class SavedSearchView:
    """`fresh`: datasets found that changed after `seen_at`."""

    id: str
    name: str
    form: DatasetSearchForm
    created_at: dt.datetime
    seen_at: dt.datetime
    fresh: int


class SavedSearches:
    """Each person sees and changes their own only. `count`: what a search finds that changed after a moment."""

    def __init__(
        self, database: Database, count: CountChanged, clock: Callable[[], dt.datetime] = utc_now
    ) -> None:
        self._database = database
        self._count = count
        self._clock = clock

    def save(self, actor: Actor, name: str, form: DatasetSearchForm) -> str:
        """The id. Raises InvalidInputError, UnauthenticatedError."""
        person_id, now = _person(actor), self._clock()
        address = urlencode(replace(form, page=1).parameters())
        label = clean_line(name)[:LONGEST_NAME] or clean_line(form.text)[:LONGEST_NAME]
        if not label:
            raise InvalidInputError(FieldError("name", N_("Give the search a name.")))
        if len(address) > LONGEST_ADDRESS:
            raise InvalidInputError(FieldError("name", N_("This search has too many filters to be saved.")))
        with self._database.unit_of_work() as unit:
            held = select(func.count()).where(SavedSearch.person_id == person_id)
            if (unit.session.scalar(held) or 0) >= MOST_EACH:
                raise InvalidInputError(
                    FieldError(
                        "name",
                        N_("You have saved %(most)s searches, which is the most. Delete one first."),
                        {"most": MOST_EACH},
                    )
                )
            made = SavedSearch(person_id=person_id, name=label, address=address, created_at=now, seen_at=now)
            unit.session.add(made)
            unit.session.flush()
            audit.record(unit, actor, "saved-search.save", ("saved-search", made.id))
            return made.id

    def of(self, actor: Actor) -> tuple[SavedSearchView, ...]:
        """The actor's own by name, each with its count of what is fresh (one small search)."""
        chosen = select(SavedSearch).where(SavedSearch.person_id == _person(actor)).order_by(SavedSearch.name)
        with self._database.reading() as session:
            return tuple(self._view(actor, saved) for saved in session.scalars(chosen))

    def look(self, actor: Actor, search_id: str) -> DatasetSearchForm:
        """The search, newest first; from now on it counts from here. Raises NotFoundError."""
        with self._database.bookkeeping() as unit:
            saved = _own(unit.session, actor, search_id)
            saved.seen_at = self._clock()
            return _form(saved).sorted_by("newest")

    def delete(self, actor: Actor, search_id: str) -> None:
        """Raises NotFoundError."""
        with self._database.unit_of_work() as unit:
            unit.session.delete(_own(unit.session, actor, search_id))
            audit.record(unit, actor, "saved-search.delete", ("saved-search", search_id))

    def _view(self, actor: Actor, saved: SavedSearch) -> SavedSearchView:
        form = _form(saved)
        fresh = self._count(actor, form, saved.seen_at)
        return SavedSearchView(saved.id, saved.name, form, saved.created_at, saved.seen_at, fresh)


def _own(session: Session, actor: Actor, search_id: str) -> SavedSearch:
    saved = session.get(SavedSearch, search_id)
    if saved is None or saved.person_id != _person(actor):
        raise NotFoundError
    return saved


def _form(saved: SavedSearch) -> DatasetSearchForm:
    return read_form(parse_qsl(saved.address))


def _person(actor: Actor) -> str:
    if actor.person_id is None:
        raise UnauthenticatedError
    return actor.person_id
