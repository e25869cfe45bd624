"""The ingest job: what readers get moves only when a file has passed, once, and never backwards."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from sqlalchemy import func, select

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.kernel.errors import NotFoundError
from opendata.kernel.jobs import Attempt
from opendata.resources.models import PublishedTable, ResourceVersion
from opendata.resources.service import ResourceService, Upload
from tests.slices.resources.conftest import ACTORS, CSV, FIRST, Shelf, upload

NEWER = "mã,tên\n03,Buôn Đôn\n".encode()
BROKEN = b"ma,ten\n" + b"\x00" * 100


def tables(shelf: Shelf) -> int:
    with shelf.database.reading() as session:
        return session.scalar(select(func.count()).select_from(PublishedTable)) or 0


def row_counts(shelf: Shelf, resource_id: str) -> list[int]:
    return [table.row_count for table in shelf.queries.resource(VISITOR, resource_id).tables]


def test_a_file_that_passes_is_published_with_its_dataset(shelf) -> None:
    received = shelf.resources.add_resource(ACTORS["editor"], shelf.add_dataset(), upload())
    with pytest.raises(NotFoundError):
        shelf.queries.resource(VISITOR, received.resource_id)
    version = shelf.ingest_version(received)
    assert (version.state, version.format, version.problems) == ("published", "csv", ())
    view = shelf.queries.resource(VISITOR, received.resource_id)
    assert view.current == version
    (table,) = view.tables
    assert (table.row_count, [column["name"] for column in table.columns]) == (2, ["mã", "tên"])
    assert shelf.store.path(table.parquet_sha256).stat().st_size == table.parquet_size
    dataset = shelf.catalogue_queries.dataset(VISITOR, "bang")
    assert (dataset.state, dataset.modified_at) == ("published", version.finished_at)
    assert [action for _, action, _ in shelf.trail()] == ["resource.upload", "resource.publish"]
    assert shelf.told()[-1] == "dataset.changed"


def test_a_draft_stays_a_draft_unless_it_was_to_go_public(shelf) -> None:
    dataset = shelf.add_dataset(publish_when_ready=False)
    received = shelf.resources.add_resource(COMMAND_LINE, dataset, upload())
    assert shelf.ingest_version(received).state == "published"
    assert shelf.catalogue_queries.dataset(COMMAND_LINE, dataset).state == "draft"
    with pytest.raises(NotFoundError):
        shelf.queries.resource(VISITOR, received.resource_id)


def test_a_dataset_withdrawn_meanwhile_stays_withdrawn(shelf) -> None:
    dataset = shelf.add_dataset()
    received = shelf.resources.add_resource(COMMAND_LINE, dataset, upload())
    shelf.catalogue.withdraw_dataset(COMMAND_LINE, dataset)
    shelf.ingest_version(received)
    assert shelf.catalogue_queries.dataset(COMMAND_LINE, dataset).state == "withdrawn"


def test_the_old_version_serves_until_the_new_one_has_passed(shelf) -> None:
    first = shelf.publish()
    second = shelf.replace(first, NEWER)
    assert row_counts(shelf, first.resource_id) == [2]
    assert shelf.queries.version(VISITOR, first.resource_id, None).number == 1
    shelf.ingest_version(second)
    assert row_counts(shelf, first.resource_id) == [1]
    assert shelf.queries.version(VISITOR, first.resource_id, None).number == 2
    assert [table.row_count for table in shelf.queries.tables_of_version(VISITOR, first.version_id)] == [2]


def test_a_failed_version_leaves_readers_where_they_are(shelf) -> None:
    first = shelf.publish()
    modified = shelf.catalogue_queries.dataset(VISITOR, "bang").modified_at
    told = shelf.told()
    failed = shelf.ingest_version(shelf.replace(first, BROKEN))
    assert failed.state == "failed"
    assert failed.finished_at is not None
    assert [problem.severity for problem in failed.problems] == ["error"]
    assert row_counts(shelf, first.resource_id) == [2]
    assert shelf.catalogue_queries.dataset(VISITOR, "bang").modified_at == modified
    assert [version.number for version in shelf.queries.versions(VISITOR, first.resource_id)] == [1]
    assert [v.number for v in shelf.queries.versions(ACTORS["editor"], first.resource_id)] == [2, 1]
    with pytest.raises(NotFoundError):
        shelf.queries.version(VISITOR, first.resource_id, 2)
    with pytest.raises(NotFoundError):
        shelf.queries.tables_of_version(VISITOR, failed.id)
    assert shelf.told() == [*told, "resource.received"]
    assert shelf.trail()[-1][1:] == ("resource.fail", {"problems": [failed.problems[0].code]})


def test_an_older_version_that_finishes_later_does_not_swing_readers_back(shelf) -> None:
    first = shelf.publish()
    older = shelf.replace(first, b"a,b\n1,2\n3,4\n5,6\n")
    newer = shelf.replace(first, NEWER)
    shelf.ingest_version(newer)
    shelf.ingest_version(older)
    assert row_counts(shelf, first.resource_id) == [1]
    versions = shelf.queries.versions(VISITOR, first.resource_id)
    assert [(version.number, version.state) for version in versions] == [
        (3, "published"),
        (2, "published"),
        (1, "published"),
    ]


def test_when_the_newer_one_fails_the_older_one_is_taken(shelf) -> None:
    first = shelf.publish()
    older = shelf.replace(first, NEWER)
    newer = shelf.replace(first, BROKEN)
    shelf.ingest_version(newer)
    shelf.ingest_version(older)
    assert row_counts(shelf, first.resource_id) == [1]


@pytest.mark.parametrize("content", [CSV, BROKEN], ids=["passes", "fails"])
def test_running_a_settled_version_again_does_nothing(shelf, content: bytes) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload(content))
    settled = shelf.ingest_version(received)
    before = (shelf.trail(), shelf.told(), tables(shelf))
    assert shelf.ingest_version(received) == settled
    shelf.ingest.give_up({"version_id": received.version_id}, ValueError("late"))
    assert shelf.latest(received) == settled
    assert (shelf.trail(), shelf.told(), tables(shelf)) == before


def test_a_version_left_in_the_middle_is_begun_again(shelf) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    with shelf.database.bookkeeping() as unit:
        version = unit.session.get_one(ResourceVersion, received.version_id)
        version.state, version.stage, version.progress_done = "processing", "convert", 12
    assert shelf.ingest_version(received).state == "published"


def test_giving_up_says_so_on_the_version(shelf) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    shelf.ingest.give_up({"version_id": received.version_id}, None)
    version = shelf.latest(received)
    assert (version.state, [problem.code for problem in version.problems]) == (
        "failed",
        ["ingest-interrupted"],
    )
    assert shelf.catalogue_queries.dataset(COMMAND_LINE, "bang").state == "draft"


def test_a_file_lost_from_the_store_is_an_error_to_try_again(shelf) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    shelf.store.delete(shelf.latest(received).sha256)
    with pytest.raises(FileNotFoundError):
        shelf.ingest.run({"version_id": received.version_id}, FIRST)


@pytest.mark.parametrize("gone", ["before", "during"])
def test_a_file_deleted_meanwhile_is_no_error(shelf, monkeypatch, gone: str) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    if gone == "before":
        shelf.resources.delete_resource(COMMAND_LINE, received.resource_id)
    else:
        put = shelf.store.put

        def deleting_first(stream):
            shelf.resources.delete_resource(COMMAND_LINE, received.resource_id)
            return put(stream)

        monkeypatch.setattr(shelf.store, "put", deleting_first)
    shelf.ingest.run({"version_id": received.version_id}, FIRST)
    assert tables(shelf) == 0
    assert shelf.catalogue_queries.dataset(COMMAND_LINE, "bang").state == "draft"


def test_a_version_nobody_knows_is_passed_over(shelf) -> None:
    shelf.ingest.run({"version_id": "0" * 26}, Attempt(2, is_last=False))
    shelf.ingest.give_up({"version_id": "0" * 26}, None)
    assert shelf.trail() == []


def test_working_folders_are_cleared_also_those_of_killed_workers(shelf) -> None:
    (shelf.workspace / "left" / "over").mkdir(parents=True)
    (shelf.workspace / "left" / "part.parquet").write_bytes(b"x")
    shelf.publish()
    assert list(shelf.workspace.iterdir()) == []


def test_a_schema_from_the_publisher_is_kept_to(shelf) -> None:
    schema = {"fields": [{"name": "mã", "type": "integer"}, {"name": "tên", "type": "string"}]}
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload(table_schema=schema))
    version = shelf.ingest_version(received)
    assert version.state == "published"
    assert shelf.queries.resource(VISITOR, received.resource_id).tables[0].columns[0]["type"] == "integer"
    wrong = {"fields": [{"name": "mã", "type": "date"}, {"name": "tên", "type": "string"}]}
    again = shelf.resources.replace_file(COMMAND_LINE, received.resource_id, upload(table_schema=wrong))
    assert shelf.ingest_version(again).state == "failed"


def test_a_schema_holds_for_later_versions_until_it_is_dropped(shelf) -> None:
    schema = {"fields": [{"name": "mã", "type": "integer"}, {"name": "tên", "type": "string"}]}
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload(table_schema=schema))
    assert shelf.ingest_version(received).state == "published"

    def again(content: bytes, given: dict[str, Any] | None = None) -> str:
        sent = shelf.resources.replace_file(
            COMMAND_LINE, received.resource_id, upload(content, table_schema=given)
        )
        return shelf.ingest_version(sent).state

    wrong = "mã,tên\nx,An\n".encode()
    assert again(wrong) == "failed"
    assert again(wrong, {"fields": [{"name": "mã", "type": "nonsense"}]}) == "failed"
    assert again(wrong) == "failed", "a schema that was itself refused is not kept, the one before it is"
    assert again("mã,tên\n7,An\n".encode()) == "published"
    assert again(wrong, {"fields": []}) == "published"
    assert again(wrong) == "published", "dropped for good"


# -- what bad files get ---------------------------------------------------------------------


def workbook(*, cut: bool = False) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for number in range(200):
        sheet.append([number, f"tên {number}"])
    buffer = io.BytesIO()
    book.save(buffer)
    content = buffer.getvalue()
    return content[: len(content) // 2] if cut else content


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("readme.txt", "hello " * 100)
    return buffer.getvalue()


HOSTILE = {
    "nothing but NUL": ("x.csv", b"\x00" * 100_000, "holds-nul"),
    "200 columns and no row": ("x.csv", ",".join(f"c{n}" for n in range(200)).encode() + b"\n", "no-rows"),
    "half a workbook": ("x.xlsx", workbook(cut=True), "archive-damaged"),
    "an archive called CSV": ("x.csv", archive(), "content-differs"),
    "only line ends": ("x.csv", b"\n" * 1000, "no-data"),
    "one quote too many": ("x.csv", b'a,b\n"1,2\n3,4\n' * 3, "unclosed-quote"),
    "half a JSON": ("x.json", b'[{"a": 1}, {"a"', None),
    "nested a million deep": ("x.json", b"[" * 1_000_000, None),
    "a page called CSV": ("x.csv", b"<!doctype html><html><body>404</body></html>", "content-differs"),
    "Parquet in name only": ("x.parquet", b"PAR1" + b"\x00" * 100 + b"PAR1", "parquet-unreadable"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_becomes_a_failed_version_and_nothing_else(shelf, name: str) -> None:
    filename, content, code = HOSTILE[name]
    first = shelf.publish()
    digests, known, dataset = (
        set(shelf.store.digests()),
        tables(shelf),
        shelf.catalogue_queries.dataset(VISITOR, "bang"),
    )
    received = shelf.replace(first, content, filename)
    version = shelf.ingest_version(received)
    assert version.state == "failed"
    codes = [problem.code for problem in version.problems if problem.severity == "error"]
    assert codes == ([code] if code else codes)
    assert all(problem.message().strip() for problem in version.problems)
    assert set(shelf.store.digests()) == digests | {version.sha256}
    assert tables(shelf) == known
    assert shelf.catalogue_queries.dataset(VISITOR, "bang") == dataset
    assert row_counts(shelf, first.resource_id) == [2]
    assert list(shelf.workspace.iterdir()) == []


def test_text_that_is_not_utf8_is_read_and_said_to_be_a_guess(shelf) -> None:
    received = shelf.publish(b"m\xc3,t\xff\xfe\n1,\xe1\xbb\n2,b\n")
    assert "encoding-guessed" in [problem.code for problem in shelf.latest(received).problems]


def test_what_is_no_table_is_kept_with_a_reason(shelf) -> None:
    received = shelf.publish(b"%PDF-1.7\n" + b"x" * 1000, "quyet-dinh.pdf")
    view = shelf.queries.resource(VISITOR, received.resource_id)
    assert view.current is not None
    assert view.current.no_table is not None
    assert (view.tables, view.current.no_table.code) == ((), "not-tabular")
    assert view.current.format == "pdf"


class OneLongLine:
    """100 MB without a line end."""

    def __init__(self) -> None:
        self._left = 100

    def read(self, size: int, /) -> bytes:
        if not self._left:
            return b""
        self._left -= 1
        return b"x" * (1 << 20)


def test_a_line_of_100_mb_is_refused_in_words(shelf) -> None:
    service = ResourceService(shelf.database, shelf.store, 200 << 20)
    received = service.add_resource(COMMAND_LINE, shelf.add_dataset(), Upload(OneLongLine(), "x.csv"))
    version = shelf.ingest_version(received)
    assert (version.state, [problem.code for problem in version.problems]) == ("failed", ["line-too-long"])
    assert version.size == 100 << 20
    assert list(shelf.workspace.iterdir()) == []
