"""Requests for data that the portal does not have: anyone sends one, the portal's administrators settle it.

A request is answered with a dataset or declined with a reason, once. Against floods: the same request twice
within a day is one, and an hour takes MOST_AN_HOUR of all people together, since nothing is kept about who asks.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from opendata.accounts import audit
from opendata.accounts.policy import Permission
from opendata.catalogue.models import Dataset
from opendata.catalogue.profile import is_email
from opendata.catalogue.reader_models import DataRequest, RequestState
from opendata.catalogue.service import find_dataset
from opendata.kernel.errors import (
    N_,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    PortalError,
)
from opendata.kernel.ids import utc_now
from opendata.kernel.text import clean_line, clean_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.accounts.policy import Actor
    from opendata.kernel.db import Database

LONGEST_NEED: Final = 2000
SHORTEST_NEED: Final = 10
LONGEST_QUERY: Final = 200
LONGEST_CONTACT: Final = 254
LONGEST_REASON: Final = 1000
MOST_AN_HOUR: Final = 60
MOST_LISTED: Final = 200
_ONE_HOUR: Final = dt.timedelta(hours=1)
_ONE_DAY: Final = dt.timedelta(days=1)


class TooManyRequestsError(PortalError):
    code = "too-many-requests"
    status = 429
    template = N_("Many requests have come in this hour. Send yours again later; nothing was kept.")


class RequestSettledError(ConflictError):
    code = "request-settled"
    template = N_("Someone has settled this request already.")


@dataclass(frozen=True, slots=True)
class RequestView:
    """`dataset_slug` and `dataset_title` where it was answered with one that still exists."""

    id: str
    need: str
    query: str
    contact: str
    state: str
    created_at: dt.datetime
    settled_at: dt.datetime | None
    settled_by: str | None
    reason: str
    dataset_slug: str | None
    dataset_title: dict[str, str]


class DataRequests:
    def __init__(self, database: Database, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock

    def send(self, actor: Actor, *, need: str, query: str = "", contact: str = "") -> str:
        """The id. Everyone may. Raises InvalidInputError, TooManyRequestsError."""
        text, address = clean_text(need), clean_line(contact)
        _check(text, address)
        now = self._clock()
        with self._database.unit_of_work() as unit:
            since = select(DataRequest).where(DataRequest.created_at > now - _ONE_DAY)
            same = unit.session.scalar(since.where(DataRequest.need == text, DataRequest.contact == address))
            if same is not None:
                return same.id
            recent = select(func.count()).where(DataRequest.created_at > now - _ONE_HOUR)
            if (unit.session.scalar(recent) or 0) >= MOST_AN_HOUR:
                raise TooManyRequestsError
            made = DataRequest(
                need=text, query=clean_line(query)[:LONGEST_QUERY], contact=address, created_at=now
            )
            unit.session.add(made)
            unit.session.flush()
            audit.record(unit, actor, "data-request.send", ("data-request", made.id))
            return made.id

    def answer(self, actor: Actor, request_id: str, dataset: str) -> None:
        """With a dataset's slug, id or the address of its page. Raises RequestSettledError, InvalidInputError."""
        actor.require(Permission.ANSWER_REQUESTS)
        key = clean_line(dataset).partition("?")[0].rstrip("/").rpartition("/")[2]
        with self._database.unit_of_work() as unit:
            asked = self._open_request(unit.session.get(DataRequest, request_id, with_for_update=True))
            found = find_dataset(unit.session, key) if key else None
            if found is None:
                wrong = N_("There is no dataset at this address. Copy the address of its page.")
                raise InvalidInputError(FieldError("dataset", wrong))
            asked.state, asked.dataset_id = RequestState.ANSWERED, found.id
            asked.settled_at, asked.settled_by = self._clock(), actor.name
            audit.record(
                unit, actor, "data-request.answer", ("data-request", asked.id), {"dataset": found.id}
            )

    def decline(self, actor: Actor, request_id: str, reason: str) -> None:
        """Raises RequestSettledError, InvalidInputError without a reason."""
        actor.require(Permission.ANSWER_REQUESTS)
        text = clean_text(reason)[:LONGEST_REASON]
        if not text:
            raise InvalidInputError(FieldError("reason", N_("Say why, in a sentence the person can use.")))
        with self._database.unit_of_work() as unit:
            asked = self._open_request(unit.session.get(DataRequest, request_id, with_for_update=True))
            asked.state, asked.reason = RequestState.DECLINED, text
            asked.settled_at, asked.settled_by = self._clock(), actor.name
            audit.record(unit, actor, "data-request.decline", ("data-request", asked.id))

    def listed(self, actor: Actor, state: str = RequestState.NEW) -> tuple[RequestView, ...]:
        """Those in one state, the newest MOST_LISTED first; for administrators of the portal."""
        actor.require(Permission.ANSWER_REQUESTS)
        chosen = (
            select(DataRequest, Dataset)
            .outerjoin(Dataset, Dataset.id == DataRequest.dataset_id)
            .where(DataRequest.state == state)
            .order_by(DataRequest.created_at.desc(), DataRequest.id)
            .limit(MOST_LISTED)
        )
        with self._database.reading() as session:
            return tuple(_view(asked, dataset) for asked, dataset in session.execute(chosen))

    def counts(self, actor: Actor) -> dict[str, int]:
        """How many there are in each state."""
        actor.require(Permission.ANSWER_REQUESTS)
        with self._database.reading() as session:
            counted = session.execute(select(DataRequest.state, func.count()).group_by(DataRequest.state))
            found = {row[0]: row[1] for row in counted}
        return {str(state): found.get(state, 0) for state in RequestState}

    def _open_request(self, asked: DataRequest | None) -> DataRequest:
        if asked is None:
            raise NotFoundError
        if asked.state != RequestState.NEW:
            raise RequestSettledError
        return asked


def _check(need: str, contact: str) -> None:
    wrong = []
    if len(need) < SHORTEST_NEED:
        wrong.append(FieldError("need", N_("Say in a sentence which data you need and what for.")))
    elif len(need) > LONGEST_NEED:
        wrong.append(
            FieldError("need", N_("Shorten this to %(most)s characters at most."), {"most": LONGEST_NEED})
        )
    if contact and (len(contact) > LONGEST_CONTACT or not is_email(contact)):
        wrong.append(FieldError("contact", N_("Give an e-mail address such as ten@example.org, or none.")))
    if wrong:
        raise InvalidInputError(*wrong)


def _view(asked: DataRequest, dataset: Dataset | None) -> RequestView:
    return RequestView(
        id=asked.id,
        need=asked.need,
        query=asked.query,
        contact=asked.contact,
        state=asked.state,
        created_at=asked.created_at,
        settled_at=asked.settled_at,
        settled_by=asked.settled_by,
        reason=asked.reason,
        dataset_slug=dataset.slug if dataset else None,
        dataset_title=dataset.fields.get("title", {}) if dataset else {},
    )
