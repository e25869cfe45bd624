"""What an import says about wrong lines, whom it obeys, and how it knows a dataset again."""

from __future__ import annotations

import io
import json

import pytest
from sqlalchemy import select

from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue.importing import LONGEST_LINE, CatalogueImport, ImportOptions, lines_of
from opendata.catalogue.models import Dataset
from opendata.kernel.ids import new_id

from .conftest import ACTORS, AGENCY, OTHER

GOOD = {"title": "Dân số", "publisher": AGENCY, "identifier": "1"}


@pytest.fixture
def load(database, metadata_profile, clock):
    def run(*rows, actor=COMMAND_LINE, **options):
        importer = CatalogueImport(database, metadata_profile, clock)
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        problems: list = []
        *_, last = importer.run(actor, lines, ImportOptions(**options), problems.append)
        return last, [(p.line, p.code, p.error.field) for p in problems]

    return run


def held(database) -> list[Dataset]:
    with database.reading() as session:
        return list(session.scalars(select(Dataset)))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", ("unreadable-record", "")),
        (b"\xff\xfe\x00", ("unreadable-record", "")),
        (b"[1]", ("unreadable-record", "")),
        (b"null", ("unreadable-record", "")),
        (b"[" * 100_000, ("unreadable-record", "")),
        (b"{" + b" " * LONGEST_LINE + b"}", ("unreadable-record", "")),
        ({}, ("invalid-input", "title")),
        ({**GOOD, "colour": "red"}, ("invalid-input", "colour")),
        ({**GOOD, "theme": "no such theme"}, ("invalid-input", "theme")),
        ({**GOOD, "id": "7"}, ("invalid-input", "id")),
        ({**GOOD, "id": 7}, ("invalid-input", "id")),
        ({**GOOD, "slug": "Không Phải"}, ("invalid-input", "slug")),
        ({**GOOD, "slug": 5}, ("invalid-input", "slug")),
        ({**GOOD, "slug": "a" * 101}, ("invalid-input", "slug")),
        ({**GOOD, "state": "gone"}, ("invalid-input", "state")),
        ({**GOOD, "state": []}, ("invalid-input", "state")),
        ({**GOOD, "publisher": "NOSUCH"}, ("unknown-agency", "publisher")),
    ],
)
def test_a_wrong_line_is_told_and_the_others_are_loaded(load, database, line, problem):
    summary, problems = load(GOOD, line, {**GOOD, "identifier": "2"})
    assert (2, *problem) in problems
    assert (summary.created, summary.faulty) == (2, 1)
    assert len(held(database)) == 2


def test_what_the_api_answers_can_be_loaded_as_it_is(load, database, catalogue):
    made = catalogue.create_dataset(COMMAND_LINE, {"title": "Mưa", "publisher": AGENCY})
    answer = {
        **made.fields, "id": made.id, "slug": made.slug, "state": "published", "revision": 7, "labels": {},
        "freshness": None, "created_at": "2020-01-01T00:00:00Z", "modified_at": "2020-01-01T00:00:00Z",
        "published_at": None, "downloads": 3, "views": 4, "page_url": "https://x", "api_url": "https://y",
        "resources": [{"title": "a.csv"}],
    }  # fmt: skip
    summary, problems = load(answer)
    assert (summary.changed, problems) == (1, [])
    (found,) = held(database)
    assert (found.state, found.slug) == ("published", made.slug)


def test_ids_and_addresses_given_are_kept_and_known_again(load, database):
    own = new_id()
    load({**GOOD, "id": own, "slug": "dan-so-2024"}, {"title": "B", "publisher": AGENCY, "slug": "b-1"})
    assert {(d.id, d.slug) for d in held(database)} >= {(own, "dan-so-2024")}
    again, problems = load({"title": "B mới", "publisher": AGENCY, "slug": "b-1"})
    assert (again.changed, again.created, problems) == (1, 0, [])
    moved, problems = load({**GOOD, "id": own, "slug": "dan-so-moi"})
    assert (moved.changed, problems) == (1, [])
    assert "dan-so-moi" in {d.slug for d in held(database)}


def test_an_address_of_another_dataset_is_refused(load, database):
    load({**GOOD, "slug": "mot"})
    summary, problems = load({**GOOD, "identifier": "9", "slug": "mot", "id": new_id()})
    assert problems == [(1, "slug-taken", "slug")]
    assert (summary.created, summary.faulty, len(held(database))) == (0, 1, 1)


def test_the_second_line_of_one_dataset_is_told(load):
    summary, problems = load(GOOD, {**GOOD, "keywords": "x"})
    assert problems == [(2, "twice", "")]
    assert (summary.created, summary.faulty) == (1, 1)


def test_the_agency_given_is_that_of_records_without_one(load, database):
    load({"title": "A"}, {"title": "B", "publisher": OTHER}, agency=AGENCY)
    assert {d.fields["title"]["vi"]: d.agency_code for d in held(database)} == {"A": AGENCY, "B": OTHER}


@pytest.mark.parametrize(("actor", "created"), [("visitor", 0), ("editor", 1), ("elsewhere", 1), ("both", 2)])
def test_nobody_loads_more_than_they_may_write(load, database, actor, created):
    summary, problems = load(GOOD, {**GOOD, "publisher": OTHER, "identifier": "2"}, actor=ACTORS[actor])
    assert summary.created == created == len(held(database))
    assert [code for _, code, _ in problems] == ["forbidden"] * (2 - created)


def test_lines_of_any_length_are_read_in_bounded_pieces():
    stream = io.BytesIO(b"a\n" + b"x" * (3 * LONGEST_LINE) + b"\nb\n" + b"y" * (2 * LONGEST_LINE))
    found = list(lines_of(stream))
    assert [len(line) for line in found] == [2, LONGEST_LINE + 1, 2, LONGEST_LINE + 1]
