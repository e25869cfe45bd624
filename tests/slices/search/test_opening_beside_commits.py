"""A process that opens an index reads its files once, however often others commit meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opendata.search.engines.columns import commits
from opendata.search.engines.columns.arrays_file import verify_file
from opendata.search.engines.columns.writing import open_segment
from opendata.search.port import IndexState, SearchRequest
from opendata.search.service import SearchService
from tests.contract.search.conftest import EVERYONE, SCHEMA, document

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

COMMITS = 12


def test_commits_while_the_files_are_checked_do_not_begin_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"columns://{tmp_path}/index"
    writer = SearchService(url, SCHEMA)
    writer.rebuild([document(f"d{number}", "Một") for number in range(400)], position=0)
    read: list[str] = []

    def verify_beside_a_commit(path: Path) -> None:
        read.append(path.name)
        if len(read) <= COMMITS:
            writer.index([document(f"n{len(read)}", "Hai")], [], position=len(read))
        verify_file(path)

    writer.index([document("d0", "Hai")], [], position=0)
    monkeypatch.setattr(commits, "verify_file", verify_beside_a_commit)
    reader = SearchService(url, SCHEMA)
    assert reader.status().state is IndexState.READY
    assert len(read) > COMMITS
    assert len(set(read)) == len(read)
    assert reader.search(SearchRequest(access=EVERYONE, text="Hai")).total == COMMITS + 1


def test_a_commit_between_the_check_and_the_reading_is_met_by_reading_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"columns://{tmp_path}/index"
    writer = SearchService(url, SCHEMA)
    writer.rebuild([document(f"d{number}", "Một") for number in range(300)], position=0)
    writer.index([document("n0", "Hai")], [], position=1)
    read: list[str] = []
    opened: list[str] = []

    def counted(path: Path) -> None:
        read.append(path.name)
        verify_file(path)

    def opening_after_a_commit(schema: object, path: Path) -> object:
        opened.append(path.name)
        if len(opened) == 1:
            writer.index([document("n1", "Hai")], [], position=2)
        if not path.exists():  # as in a process of its own, which does not hold it already
            raise FileNotFoundError(path)
        return open_segment(SCHEMA, path)

    monkeypatch.setattr(commits, "verify_file", counted)
    monkeypatch.setattr(commits, "open_segment", opening_after_a_commit)
    reader = SearchService(url, SCHEMA)
    assert reader.search(SearchRequest(access=EVERYONE, text="Hai")).total == 2
    assert len(set(read)) == len(read) == 2
