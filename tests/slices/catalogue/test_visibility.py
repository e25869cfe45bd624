"""One rule in three forms: for one dataset, as SQL over all of them, and as words in the search index."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select

from opendata.accounts.policy import Role
from opendata.catalogue.models import Dataset, DatasetState
from opendata.catalogue.policy import (
    can_edit_dataset,
    can_view_dataset,
    document_tokens,
    visible_datasets,
    visible_tokens,
)
from opendata.kernel.ids import utc_now
from opendata.search.port import PUBLIC
from tests.slices.catalogue.conftest import ACTORS, AGENCY, OTHER, person

THIRD = "BTC"
MORE = {
    "many": person("many", BKHCN=Role.ADMIN, BYT=Role.EDITOR, BTC=Role.ADMIN),
    "strange agency": person("strange", **{"public": Role.ADMIN, "portal": Role.ADMIN, "": Role.ADMIN}),
}


@pytest.fixture
def datasets(database) -> list[Dataset]:
    now = utc_now()
    with database.bookkeeping() as unit:
        made = [
            Dataset(
                id=f"{agency}-{state}",
                slug=f"{agency}-{state}".lower(),
                state=state,
                fields={},
                agency_code=agency,
                created_at=now,
                modified_at=now,
            )
            for agency, state in itertools.product((AGENCY, OTHER, THIRD), DatasetState)
        ]
        unit.session.add_all(made)
    return made


def expected(name: str) -> set[str]:
    """Written out, not computed: who sees which of the nine."""
    public = {f"{agency}-published" for agency in (AGENCY, OTHER, THIRD)}
    own = {
        "editor": {AGENCY},
        "admin": {AGENCY},
        "elsewhere": {OTHER},
        "both": {AGENCY, OTHER},
        "many": {AGENCY, OTHER, THIRD},
        "platform": {AGENCY, OTHER, THIRD},
        "system": {AGENCY, OTHER, THIRD},
    }.get(name, set())
    return public | {f"{agency}-{state}" for agency in own for state in DatasetState}


@pytest.mark.parametrize("name", [*ACTORS, *MORE])
def test_the_three_forms_agree(datasets, database, name: str) -> None:
    actor = {**ACTORS, **MORE}[name]
    one_by_one = {dataset.id for dataset in datasets if can_view_dataset(actor, dataset)}
    with database.reading() as session:
        by_sql = set(session.scalars(select(Dataset.id).where(visible_datasets(actor))))
    by_words = {
        dataset.id for dataset in datasets if visible_tokens(actor).intersection(document_tokens(dataset))
    }
    assert one_by_one == expected(name)
    assert by_sql == expected(name)
    assert by_words == expected(name)


@pytest.mark.parametrize("name", [*ACTORS, *MORE])
def test_who_may_edit_may_see(datasets, name: str) -> None:
    actor = {**ACTORS, **MORE}[name]
    for dataset in datasets:
        assert can_view_dataset(actor, dataset) or not can_edit_dataset(actor, dataset)


def test_nobody_carries_no_words_at_all() -> None:
    """An empty set of rights must find nothing, so even a visitor carries one word."""
    assert visible_tokens(ACTORS["visitor"]) == {PUBLIC}
