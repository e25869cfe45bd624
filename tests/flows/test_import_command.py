"""`opendata import-catalogue` as an operator uses it: from file to search results."""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from opendata.catalogue.indexing import IndexDatasets
from opendata.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # each command ends its process
ROWS = [
    {"slug": f"bo-{n}", "title": f"Độ mặn nước sông {n}", "publisher": "BKHCN"} for n in range(3)
]  # fmt: skip


@pytest.fixture
def ready(prepared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    shutil.copytree(prepared_folder, tmp_path / "data")
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENDATA_DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: str, given: bytes | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def content(rows: list[dict[str, str]]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


def test_a_file_is_in_the_index_when_the_command_ends(ready, tmp_path):
    path = tmp_path / "catalogue.jsonl.gz"
    path.write_bytes(gzip.compress(content(ROWS)))
    done = ready("import-catalogue", str(path))
    assert done.exit_code == 0, done.output
    assert "3 new, 0 changed" in done.output
    found = json.loads(ready("search", "do man nuoc song", "--json").output)
    assert found["total"] == 3
    again = ready("import-catalogue", str(path))
    assert "0 new, 0 changed, 3 as they were" in again.output


def test_a_large_file_is_indexed_beside_storing_even_where_there_was_no_index(ready, tmp_path, monkeypatch):
    shutil.rmtree(tmp_path / "data" / "search", ignore_errors=True)
    run_beside, beside = IndexDatasets.run_beside, []

    def noted(indexing, written, helpers):
        beside.append(run_beside(indexing, written, helpers))
        return beside[-1]

    monkeypatch.setattr(IndexDatasets, "run_beside", noted)
    monkeypatch.setattr("opendata.catalogue.importing.BATCH", 2)
    monkeypatch.setattr("opendata.cli.importing.WORTH_INDEXING_BESIDE", 1)
    monkeypatch.setattr("opendata.catalogue.indexing.BATCHES_A_COMMIT", 2)
    monkeypatch.setattr("opendata.catalogue.indexing.worthwhile_children", lambda: 1)
    rows = [{**ROWS[0], "slug": f"bo-{n}", "title": f"Độ mặn nước sông {n}"} for n in range(9)]
    path = tmp_path / "catalogue.jsonl"
    path.write_bytes(content(rows))
    assert json.loads(ready("search", "do man", "--json").output)["total"] == 0
    done = ready("import-catalogue", str(path))
    assert (done.exit_code, "9 new, 0 changed" in done.output, beside) == (0, True, [True])
    assert json.loads(ready("search", "do man nuoc song", "--json").output)["total"] == 9
    assert ready("check").exit_code == 0


def test_wrong_lines_are_told_in_both_languages_and_written_to_a_file(ready, tmp_path):
    report = tmp_path / "problems.jsonl"
    bad = content([*ROWS, {"publisher": "BKHCN"}])
    done = ready("import-catalogue", "-", "--problems", str(report), given=bad)
    assert done.exit_code == 1
    assert "4 [invalid-input] title:" in done.stderr
    assert "Fill this in" in done.stderr
    (row,) = map(json.loads, report.read_text().splitlines())
    assert (row["line"], row["code"], row["field"]) == (4, "invalid-input", "title")
    assert set(row["message"]) == {"vi", "en"}
    assert "3 new" in done.output


def test_a_dry_run_writes_nothing(ready):
    done = ready("import-catalogue", "-", "--dry-run", given=content(ROWS))
    assert (done.exit_code, "Nothing was written." in done.output) == (0, True)
    assert json.loads(ready("search", "do man", "--json").output)["total"] == 0


def test_a_cut_off_archive_ends_with_a_sentence(ready, tmp_path):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(content(ROWS * 200))[:-20])
    done = ready("import-catalogue", str(path))
    assert done.exit_code == 1
    assert "damaged or cut off" in done.stderr
