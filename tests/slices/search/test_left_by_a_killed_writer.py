"""What a killed tantivy writer may leave in the folder, met by the next writer."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, TextField
from opendata.search.service import SearchService

if TYPE_CHECKING:
    from pathlib import Path

TITLES = IndexSchema(texts=(TextField("title"),))


def document(name: str) -> SearchDocument:
    return SearchDocument(id=name, access=(PUBLIC,), texts={"title": f"bộ dữ liệu {name}"})


def deletes(root: Path) -> set[Path]:
    return {path.relative_to(root) for path in root.rglob("*.del")}


def test_a_list_of_deletes_without_its_commit_does_not_stop_the_next_one(tmp_path: Path) -> None:
    """Its name counts commits, so the next writer arrives at the same one. That of a copy tells which."""
    root = tmp_path / "index"
    service = SearchService(f"tantivy://{root}", TITLES)
    service.rebuild([document(f"d{n}") for n in range(20)], 1)
    service.close()
    shutil.copytree(root, tmp_path / "copy")
    before = deletes(root)
    twin = SearchService(f"tantivy://{tmp_path / 'copy'}", TITLES)
    twin.index([], ["d1"], 2)
    (left,) = deletes(tmp_path / "copy") - before
    (root / left).write_bytes(b"half written")
    again = SearchService(f"tantivy://{root}", TITLES)
    again.index([], ["d1"], 2)
    assert (again.position(), again.count()) == (2, 19)
    again.index([document("new")], ["d2"], 3)
    assert again.count() == 19
