"""What only the local folder has: its addresses, its permissions and files that people put there."""

from __future__ import annotations

import io
import stat
from typing import TYPE_CHECKING

import pytest

from opendata.kernel.scratch import drop_abandoned, scratch_folder
from opendata.kernel.storage import LocalStore, StorageError, open_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("url", ["", "s3://bucket", "/var/lib/files", "file://elsewhere/var/lib"])
def test_other_addresses_are_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match="OPENDATA_STORE_URL"):
        open_store(url)


def test_kept_files_cannot_be_written(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    stored = store.put(io.BytesIO(b"abc"))
    assert stat.S_IMODE(store.path(stored.sha256).stat().st_mode) == 0o440


def test_check_fails_where_nothing_was_prepared(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="prepared"):
        LocalStore(tmp_path / "absent").check()


def test_foreign_files_are_passed_over(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    stored = store.put(io.BytesIO(b"abc"))
    (tmp_path / stored.sha256[:2] / stored.sha256[2:4] / "notes.txt").write_text("mine")
    assert list(store.digests()) == [stored.sha256]


def test_bytes_that_read_back_differently_are_not_kept_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that lies: what was renamed into place is not what was written."""
    store = LocalStore(tmp_path)
    rename = type(tmp_path).rename

    def lying(self: Path, target: Path) -> Path:
        self.chmod(0o640)
        self.write_bytes(b"something else")
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "rename", lying)
    with pytest.raises(StorageError, match="reads back differently"):
        store.put(io.BytesIO(b"abc"))


def test_working_folders_go_away_and_are_not_swept_while_in_use(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "work") as folder:
        (folder / "part").write_text("x")
        assert drop_abandoned(tmp_path / "work") == 0
        assert (folder / "part").exists()
    assert list((tmp_path / "work").iterdir()) == []


def test_abandoned_working_folders_are_dropped_with_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "work" / "old" / "deep").mkdir(parents=True)
    (tmp_path / "work" / "old" / "deep" / "file").write_text("x")
    (tmp_path / "work" / "single").write_text("x")
    assert drop_abandoned(tmp_path / "work") == 2
    assert list((tmp_path / "work").iterdir()) == []
