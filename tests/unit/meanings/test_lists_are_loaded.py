"""The official lists are read once, before any child is forked, and never again."""

from __future__ import annotations

import pyarrow as pa

from opendata.resources.ingest import nursery
from opendata.resources.meanings import lists
from opendata.resources.meanings.lists import current_communes
from opendata.resources.meanings.registry import MEANINGS, load_lists


def test_no_list_is_read_again(monkeypatch) -> None:
    load_lists()

    def unreadable(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(lists, "_read", unreadable)
    monkeypatch.setattr(lists, "load_vocabularies", unreadable)
    for meaning in MEANINGS.values():
        for test in filter(None, (meaning.named, meaning.alone, meaning.contrast)):
            assert len(test(pa.array(["Xã Tân An"]))) == 1
    assert len(current_communes().codes) == 3321


def test_the_server_loads_them() -> None:
    assert (load_lists.__module__, load_lists.__name__) in nursery.PREPARED
