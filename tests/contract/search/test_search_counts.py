"""How many visible documents match a clause, asked without a search: on every engine."""

from __future__ import annotations

import pytest

from opendata.search.engines import open_engine
from opendata.search.query import AnyOf, Phrase, Prefix, Word

from .conftest import EVERYONE, SCHEMA, document

ASKED = {
    Word("so"): (2, 3),
    Word("tieu"): (0, 1),
    Phrase(("phat", "trien")): (1, 1),
    Phrase(("trien", "phat")): (0, 0),
    AnyOf((Word("rung"), Word("tieu"))): (1, 2),
    Prefix("tri"): (1, 1),
    Word("khong"): (0, 0),
}


@pytest.fixture
def opened(url):
    made = open_engine(url, SCHEMA)
    yield made
    made.close()


def test_documents_are_counted_for_each_clause_that_the_asking_person_may_see(opened):
    assert opened.counts(list(ASKED), EVERYONE) == [0] * len(ASKED)  # no index yet
    shown = [document("one", "Chỉ số phát triển"), document("two", "Số vụ cháy rừng")]
    hidden = [document("hidden", "Chỉ số giá tiêu dùng", access=("agency:X",))]
    opened.rebuild(shown + hidden, 1)
    assert opened.counts(list(ASKED), EVERYONE) == [for_all for for_all, _ in ASKED.values()]
    assert opened.counts(list(ASKED), EVERYONE | {"agency:X"}) == [inside for _, inside in ASKED.values()]
    assert opened.counts(list(ASKED), frozenset()) == [0] * len(ASKED)
    opened.apply([], ["two"], 2)
    assert opened.counts([Word("so"), Word("rung")], EVERYONE) == [1, 0]
