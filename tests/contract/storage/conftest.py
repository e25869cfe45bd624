"""One store per adapter for the contract suite. A new adapter is one entry in `ADAPTERS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from opendata.kernel.storage import FileStore, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class StoreUnderTest:
    """`url` opens the same store again (also from another process); `damage` changes kept bytes behind its
    back; `leftovers` counts what is neither a kept file nor being written.
    """

    url: str
    store: FileStore
    damage: Callable[[str, bytes], None]
    leftovers: Callable[[], int]


def local(tmp_path: Path) -> StoreUnderTest:
    folder = tmp_path / "kho tệp #1"
    url = folder.as_uri()

    def damage(sha256: str, content: bytes) -> None:
        path = folder / sha256[:2] / sha256[2:4] / sha256
        path.chmod(0o640)
        path.write_bytes(content)

    def leftovers() -> int:
        kept = set(open_store(url).digests())
        return sum(path.is_file() and path.name not in kept for path in folder.rglob("*"))

    store = open_store(url)
    store.prepare()
    return StoreUnderTest(url, store, damage, leftovers)


ADAPTERS = {"local": local}


@pytest.fixture(params=sorted(ADAPTERS))
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> StoreUnderTest:
    return ADAPTERS[request.param](tmp_path)
