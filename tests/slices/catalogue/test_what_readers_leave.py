"""Requests for data, searches in vain and saved searches on a real database: who may, what is kept, what is not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from opendata.accounts.models import AuditRow
from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.catalogue.demand import KEEP_DAYS, MOST_WAITING, DemandCounter, SearchDemandLog, kept_text
from opendata.catalogue.reader_models import DataRequest, SearchDemand
from opendata.catalogue.requests import (
    MOST_AN_HOUR,
    DataRequests,
    RequestSettledError,
    TooManyRequestsError,
)
from opendata.catalogue.saved_searches import MOST_EACH, SavedSearches
from opendata.catalogue.search_form import DatasetSearchForm
from opendata.kernel.errors import ForbiddenError, InvalidInputError, NotFoundError, UnauthenticatedError
from tests.slices.catalogue.conftest import ACTORS, AGENCY

if TYPE_CHECKING:
    import datetime as dt

NEED = "Chất lượng không khí Hà Nội theo giờ"


@pytest.fixture
def requests(database, clock) -> DataRequests:
    return DataRequests(database, clock)


def audited(database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditRow.action).order_by(AuditRow.id)))


# -- requests for data ----------------------------------------------------------------------


def test_anyone_asks_and_only_administrators_read(requests, database) -> None:
    made = requests.send(VISITOR, need=f"  {NEED}\x00 ", query="pm2.5", contact="a@example.org")
    for name in ("visitor", "reader", "editor", "admin"):
        with pytest.raises(UnauthenticatedError if name == "visitor" else ForbiddenError):
            requests.listed(ACTORS[name])
        with pytest.raises((UnauthenticatedError, ForbiddenError)):
            requests.decline(ACTORS[name], made, "x")
        with pytest.raises((UnauthenticatedError, ForbiddenError)):
            requests.answer(ACTORS[name], made, "x")
    (listed,) = requests.listed(COMMAND_LINE)
    assert (listed.id, listed.need, listed.query, listed.contact) == (made, NEED, "pm2.5", "a@example.org")
    assert audited(database)[-1] == "data-request.send"
    with database.reading() as session:
        details = session.scalars(select(AuditRow.details).order_by(AuditRow.id.desc())).first()
    assert details == {}  # neither the text nor the address is in the trail


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"need": ""}, {"need"}),
        ({"need": "dữ liệu"}, {"need"}),
        ({"need": "x" * 2001}, {"need"}),
        ({"need": NEED, "contact": "không phải thư"}, {"contact"}),
        ({"need": NEED, "contact": f"{'x' * 250}@example.org"}, {"contact"}),
        ({"need": "", "contact": "@"}, {"need", "contact"}),
    ],
)
def test_what_is_wrong_with_a_request_is_named(requests, fields, wrong) -> None:
    with pytest.raises(InvalidInputError) as refused:
        requests.send(VISITOR, **fields)
    assert {point.field for point in refused.value.errors} == wrong


def test_a_request_is_settled_once(requests, catalogue, database) -> None:
    dataset = catalogue.create_dataset(COMMAND_LINE, {"title": "Không khí", "publisher": AGENCY})
    first, second = (requests.send(VISITOR, need=f"{NEED} {n}") for n in range(2))
    with pytest.raises(InvalidInputError):
        requests.answer(COMMAND_LINE, first, "khong-co")
    with pytest.raises(InvalidInputError):
        requests.decline(COMMAND_LINE, second, "  ")
    requests.answer(COMMAND_LINE, first, f"https://portal.test/vi/datasets/{dataset.slug}?x=1")
    requests.decline(COMMAND_LINE, second, "Dữ liệu không công khai.")
    for settled in (first, second):
        with pytest.raises(RequestSettledError):
            requests.answer(COMMAND_LINE, settled, dataset.slug)
        with pytest.raises(RequestSettledError):
            requests.decline(COMMAND_LINE, settled, "x")
    with pytest.raises(NotFoundError):
        requests.decline(COMMAND_LINE, "01nothing", "x")
    assert requests.counts(COMMAND_LINE) == {"new": 0, "answered": 1, "declined": 1}
    (answered,) = requests.listed(COMMAND_LINE, "answered")
    assert answered.dataset_slug == dataset.slug
    assert requests.listed(COMMAND_LINE, "declined")[0].reason == "Dữ liệu không công khai."
    assert audited(database)[-2:] == ["data-request.answer", "data-request.decline"]
    catalogue.delete_draft(COMMAND_LINE, dataset.id)
    assert requests.listed(COMMAND_LINE, "answered")[0].dataset_slug is None


def test_a_flood_is_stopped_and_a_double_click_is_one_request(requests, clock, database) -> None:
    assert requests.send(VISITOR, need=NEED) == requests.send(VISITOR, need=NEED)
    for number in range(MOST_AN_HOUR - 1):
        requests.send(VISITOR, need=f"{NEED} {number}")
    with pytest.raises(TooManyRequestsError):
        requests.send(VISITOR, need=f"{NEED} quá nhiều")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(DataRequest)) == MOST_AN_HOUR
    clock.advance(minutes=61)
    requests.send(VISITOR, need=f"{NEED} quá nhiều")


# -- searches in vain -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Giá  VÀNG\t2024 ", "gia vang 2024"),
        ("Nghị định 194/2025/NĐ-CP", "nghi dinh 194/2025/nd-cp"),
        ("nguyễn văn a 0912345678", ""),
        ("nguyễn văn a 0912 345 678", ""),
        ("cccd 001.234.567.890", ""),
        ("+84 (91) 234-5678", ""),
        ("lan@example.org", ""),
        ("lan @ example", ""),
        ("x", ""),
        ("12345678", "12345678"),
        ("dữ liệu " * 40, ("du lieu " * 10).strip()),
    ],
)
def test_what_is_kept_of_a_search(typed: str, kept: str) -> None:
    assert kept_text(typed) == kept


@given(st.text(max_size=200), st.integers(10**8, 10**15))
def test_no_long_number_is_kept_and_nothing_too_long(around: str, number: int) -> None:
    assert kept_text(f"{around} {number} {around}") == ""
    assert len(kept_text(around)) <= 80


def test_counts_are_added_day_by_day_and_forgotten_in_time(database, clock) -> None:
    log = SearchDemandLog(database, clock)
    counter = DemandCounter(log.save, clock)
    for _ in range(3):
        counter.found_nothing("giá vàng")
    counter.flush()
    counter.found_nothing("GIA VANG")
    counter.found_nothing("lan@example.org")
    counter.flush()
    clock.advance(days=40)
    counter.found_nothing("giá vàng")
    counter.found_nothing("giá bạc")
    counter.flush()
    assert [(one.text, one.count) for one in log.top(COMMAND_LINE, 30)] == [("gia bac", 1), ("gia vang", 1)]
    assert [(one.text, one.count) for one in log.top(COMMAND_LINE, 90)] == [("gia vang", 5), ("gia bac", 1)]
    clock.advance(days=KEEP_DAYS + 1)
    counter.found_nothing("mới")
    counter.flush()
    with database.reading() as session:
        assert session.scalars(select(SearchDemand.text)).all() == ["moi"]
    for name in ("visitor", "editor", "admin"):
        with pytest.raises((UnauthenticatedError, ForbiddenError)):
            log.top(ACTORS[name], 30)


def test_no_request_writes_and_memory_is_bounded() -> None:
    written: list[dict] = []
    counter = DemandCounter(lambda counts: written.append(dict(counts)))
    for number in range(MOST_WAITING + 500):
        counter.found_nothing(f"từ {number}")
    counter.found_nothing("từ 1")
    assert written == []
    counter.flush()
    assert len(written[0]) == MOST_WAITING
    counter.flush()
    assert len(written) == 1


def test_counts_in_vain_are_kept_when_writing_fails_and_between_threads() -> None:
    broken, written = [True], []

    def save(counts) -> None:
        if broken[0]:
            raise OSError("full")
        written.append(dict(counts))

    counter = DemandCounter(save)
    counter.found_nothing("giá vàng")
    with pytest.raises(OSError, match="full"):
        counter.flush()
    broken[0] = False

    def search() -> None:
        for _ in range(500):
            counter.found_nothing("giá vàng")

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    counter.flush()
    for thread in threads:
        thread.join()
    counter.flush()
    assert sum(count for counts in written for count in counts.values()) == 2001


# -- saved searches -------------------------------------------------------------------------


class Searches:
    """Counts what the test says, and remembers what was asked; the pages' tests count in a real index."""

    def __init__(self) -> None:
        self.asked: list[tuple[DatasetSearchForm, dt.datetime]] = []
        self.answer = 0

    def count(self, _actor, form, changed_after) -> int:
        self.asked.append((form, changed_after))
        return self.answer


@pytest.fixture
def people(database, clock):
    from opendata.accounts.policy import Actor
    from opendata.accounts.service import AccountService

    accounts = AccountService(database, clock)
    made = []
    for name in ("lan", "minh"):
        person_id = accounts.add_person(
            COMMAND_LINE, email=f"{name}@example.org", name=name, password="đủ-dài-để-qua"
        )
        made.append(Actor(person_id=person_id, name=name, via="web"))
    return made


def test_a_saved_search_is_its_persons_own(database, clock, people) -> None:
    lan, minh = people
    searches = Searches()
    saved = SavedSearches(database, searches.count, clock)
    form = DatasetSearchForm(text="dân số", chosen={"theme": ("y-te", "xa-hoi")}, sort="title", page=7)
    made = saved.save(lan, "  Dân số\x00 của tôi ", form)
    (view,) = saved.of(lan)
    assert (view.name, view.form) == ("Dân số của tôi", form.at_page(1))
    assert saved.of(minh) == ()
    for change in (saved.look, saved.delete):
        with pytest.raises(NotFoundError):
            change(minh, made)
        with pytest.raises(UnauthenticatedError):
            change(VISITOR, made)
    with pytest.raises(UnauthenticatedError):
        saved.save(VISITOR, "x", form)
    saved.delete(lan, made)
    assert saved.of(lan) == ()
    with pytest.raises(NotFoundError):
        saved.delete(lan, made)
    assert audited(database)[-2:] == ["saved-search.save", "saved-search.delete"]


def test_what_is_new_counts_from_the_last_look(database, clock, people) -> None:
    lan, _ = people
    searches = Searches()
    saved = SavedSearches(database, searches.count, clock)
    began = clock.now
    made = saved.save(lan, "", DatasetSearchForm(text="dân số"))
    searches.answer = 3
    clock.advance(days=2)
    assert [(view.name, view.fresh) for view in saved.of(lan)] == [("dân số", 3)]
    assert searches.asked[-1] == (DatasetSearchForm(text="dân số"), began)
    assert saved.look(lan, made) == DatasetSearchForm(text="dân số", sort="newest")
    saved.of(lan)
    assert searches.asked[-1][1] == clock.now


def test_saved_searches_have_a_name_and_an_end(database, clock, people) -> None:
    lan, _ = people
    saved = SavedSearches(database, Searches().count, clock)
    for form in (DatasetSearchForm(), DatasetSearchForm(text="x", chosen={"theme": ("y" * 5000,)})):
        with pytest.raises(InvalidInputError):
            saved.save(lan, " ", form)
    for number in range(MOST_EACH):
        saved.save(lan, f"{number}", DatasetSearchForm(text="x"))
    with pytest.raises(InvalidInputError, match="not right"):
        saved.save(lan, "one more", DatasetSearchForm(text="x"))
