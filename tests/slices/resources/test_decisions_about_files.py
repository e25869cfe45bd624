"""What a publisher decides about a file: how it is read, its faulty rows, the personal data in it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from opendata.accounts.policy import COMMAND_LINE, VISITOR, Actor, Role
from opendata.kernel.errors import ForbiddenError, InvalidInputError, NotFoundError, UnauthenticatedError
from opendata.kernel.jobs import Attempt
from opendata.resources.ingest.problems import Problem
from opendata.resources.jobs import InterruptedIngestError
from opendata.resources.service import NotHeldError, StillProcessedError, Upload

EDITOR = Actor("e", "Biên tập", "web", roles={"BKHCN": Role.EDITOR})
ADMIN = Actor("a", "Quản trị", "web", roles={"BKHCN": Role.ADMIN})
ELSEWHERE = Actor("o", "Nơi khác", "web", roles={"BYT": Role.ADMIN})

SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "mã", "type": "string", "constraints": {"unique": True}},
        {"name": "ngày", "type": "date", "format": "%d/%m/%Y"},
        {"name": "số", "type": "integer"},
    ]
}
FAULTY = "mã,ngày,số\n01,01/07/2025,5\n02,31/02/2025,x\n03,03/07/2025,7\n01,04/07/2025,8\n".encode()
PEOPLE = (
    "họ và tên,ngày sinh,số căn cước,điện thoại\n"
    + "".join(
        f"Trần Thị {name},{day:02d}/05/1990,0011900{day:05d},09123456{day:02d}\n"
        for day, name in enumerate(
            ["An", "Bình", "Chi", "Dung", "Giang", "Hà", "Hoa", "Lan", "Mai", "Nga"], 10
        )
    )
).encode()


def uploaded(content: bytes, name: str = "bảng.csv", **more: Any) -> Upload:
    return Upload(io.BytesIO(content), name, **more)


def faulty(shelf):
    received = shelf.resources.add_resource(
        COMMAND_LINE, shelf.add_dataset(), uploaded(FAULTY, table_schema=SCHEMA)
    )
    assert shelf.ingest_version(received).has_faulty_rows
    return received


def held(shelf, content: bytes = PEOPLE):
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), uploaded(content))
    assert shelf.ingest_version(received).is_held
    return received


def rows_of(shelf, sha256: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(shelf.store.path(sha256).read_text("utf-8-sig"))))


def test_faulty_rows_are_set_aside_with_line_column_value_and_reason(shelf) -> None:
    received = faulty(shelf)
    again = shelf.resources.read_again(EDITOR, received.resource_id, None, "set-aside")
    assert shelf.ingest_version(again).state == "published"
    (table,) = shelf.queries.resource(VISITOR, received.resource_id).tables
    assert (table.row_count, table.quarantine.rows) == (2, 2)
    assert [problem.code for problem in table.problems] == ["rows-set-aside"]
    assert table.report["valid"]
    head, *lines = rows_of(shelf, table.quarantine.sha256)
    assert head == ["row", "column", "value", "reason_vi", "reason_en"]
    assert [line[:3] for line in lines] == [["3", "ngày", "31/02/2025"], ["3", "số", "x"], ["5", "mã", "01"]]
    assert all("dòng" in line[3] and "row" in line[4] for line in lines)


def test_thousands_of_uneven_rows_are_set_aside_and_every_row_is_accounted_for(shelf) -> None:
    schema = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}
    rows = ["{0},số {0}", "{0}", "{0},số {0}", "{0},số {0},thừa {0}"]
    lines = [rows[number % 4].format(number) for number in range(10_000)]
    received = shelf.resources.add_resource(
        COMMAND_LINE, shelf.add_dataset(), uploaded("\n".join(["a,b", *lines]).encode(), table_schema=schema)
    )
    assert shelf.ingest_version(received).has_faulty_rows
    again = shelf.resources.read_again(EDITOR, received.resource_id, None, "set-aside")
    assert shelf.ingest_version(again).state == "published"
    (table,) = shelf.queries.resource(VISITOR, received.resource_id).tables
    assert (table.row_count, table.quarantine.rows) == (5_000, 5_000)
    _, *listed = rows_of(shelf, table.quarantine.sha256)
    uneven = [
        [str(number + 2), *(("b", "") if number % 4 == 1 else ("", f"thừa {number}"))]
        for number in range(10_000)
        if number % 2
    ]
    assert [line[:3] for line in listed] == uneven


def test_faulty_columns_are_kept_as_text_without_losing_a_row(shelf) -> None:
    received = faulty(shelf)
    again = shelf.resources.read_again(EDITOR, received.resource_id, None, "as-text")
    assert shelf.ingest_version(again).state == "published"
    (table,) = shelf.queries.resource(VISITOR, received.resource_id).tables
    assert (table.row_count, table.quarantine) == (4, None)
    assert [column["type"] for column in table.columns] == ["string", "string", "string"]
    assert "ngày, số" in table.problems[0].sentence()


def test_the_choice_about_rows_holds_for_one_version_only(shelf) -> None:
    received = faulty(shelf)
    shelf.ingest_version(shelf.resources.read_again(EDITOR, received.resource_id, None, "set-aside"))
    later = shelf.resources.replace_file(EDITOR, received.resource_id, uploaded(FAULTY, table_schema=SCHEMA))
    assert shelf.ingest_version(later).state == "failed"
    assert shelf.queries.resource(VISITOR, received.resource_id).current.number == 2


def test_nothing_is_left_when_every_row_is_faulty(shelf) -> None:
    schema = {"fields": [{"name": "a", "type": "integer"}]}
    received = shelf.resources.add_resource(
        COMMAND_LINE, shelf.add_dataset(), uploaded(b"a\nx\ny\n", table_schema=schema)
    )
    shelf.ingest_version(received)
    version = shelf.ingest_version(
        shelf.resources.read_again(EDITOR, received.resource_id, None, "set-aside")
    )
    assert [problem.code for problem in version.problems] == ["every-row-set-aside"]


def test_corrections_stay_with_the_file_and_hold_for_the_next_version(shelf) -> None:
    first = shelf.publish(b"ma,ngay\n01,01/07/2025\n02,02/07/2025\n")
    (table,) = shelf.queries.resource(VISITOR, first.resource_id).tables
    assert [column["type"] for column in table.columns] == ["string", "string"]
    (choice, *_) = table.columns[1]["choices"]
    assert choice == {"type": "date", "format": "%d/%m/%Y"}
    again = shelf.resources.read_again(EDITOR, first.resource_id, {"columns": {"ngay": choice}})
    assert shelf.ingest_version(again).state == "published"
    next_year = shelf.replace(first, b"ma,ngay\n03,03/08/2025\n")
    assert shelf.ingest_version(next_year).state == "published"
    view = shelf.queries.resource(VISITOR, first.resource_id)
    assert [column["type"] for column in view.tables[0].columns] == ["string", "date"]
    assert view.corrections["columns"] == {"ngay": choice}
    assert ("Biên tập", "resource.correct") in [(who, action) for who, action, _ in shelf.trail()]


def test_a_type_that_does_not_fit_the_next_version_stops_it_with_its_row(shelf) -> None:
    first = shelf.publish(b"a,b\n1,x\n")
    wanted = {"columns": {"b": {"type": "integer"}}}
    version = shelf.ingest_version(shelf.resources.read_again(EDITOR, first.resource_id, wanted))
    assert [(p.code, p.row, p.column) for p in version.problems] == [("cell-not-integer", 2, "b")]
    assert shelf.queries.resource(VISITOR, first.resource_id).current.number == 1


@pytest.mark.parametrize(
    ("corrections", "rows", "field"),
    [
        ({"encoding": "ebcdic"}, "refuse", "corrections"),
        ({"header_rows": [0]}, "refuse", "corrections"),
        ({"columns": {"a": {"type": "integer", "path": "/etc/passwd"}}}, "refuse", "corrections"),
        (None, "drop", "faulty_rows"),
    ],
)
def test_wishes_that_cannot_be_are_refused_and_change_nothing(shelf, corrections, rows, field) -> None:
    received = shelf.publish()
    with pytest.raises(InvalidInputError) as refused:
        shelf.resources.read_again(EDITOR, received.resource_id, corrections, rows)
    assert [error.field for error in refused.value.errors] == [field]
    view = shelf.queries.resource(EDITOR, received.resource_id)
    assert (view.latest.number, view.corrections) == (1, None)


def test_a_file_still_in_work_is_not_read_again(shelf) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), uploaded(FAULTY))
    with pytest.raises(StillProcessedError):
        shelf.resources.read_again(EDITOR, received.resource_id, None, "as-text")


def test_personal_data_is_held_masked_and_out_of_sight(shelf) -> None:
    received = held(shelf)
    version = shelf.latest(received)
    assert {finding["code"] for finding in version.findings} >= {"personal-citizen-ids", "personal-phones"}
    assert "001190000010" not in str(version.findings)
    assert "0912345610" not in str(version.findings)
    with pytest.raises(NotFoundError):
        shelf.queries.resource(VISITOR, received.resource_id)
    with pytest.raises(NotFoundError):
        shelf.queries.tables_of_version(EDITOR, received.version_id)
    assert shelf.catalogue_queries.dataset(COMMAND_LINE, "bang").state == "draft"
    assert shelf.trail()[-1][:2] == ("system", "resource.hold")


def test_only_those_with_the_right_release_it(shelf) -> None:
    received = held(shelf)
    for actor, refusal in (
        (VISITOR, UnauthenticatedError),
        (EDITOR, ForbiddenError),
        (ELSEWHERE, NotFoundError),
    ):
        with pytest.raises((refusal, ForbiddenError)):
            shelf.resources.release(actor, received.resource_id, 1)
    assert shelf.latest(received).is_held
    shelf.resources.release(ADMIN, received.resource_id, 1)
    view = shelf.queries.resource(VISITOR, received.resource_id)
    assert (view.current.number, view.tables[0].row_count, view.current.decided_by) == (1, 10, "Quản trị")
    assert shelf.catalogue_queries.dataset(VISITOR, "bang").state == "published"
    assert shelf.trail()[-1][:2] == ("Quản trị", "resource.release")
    with pytest.raises(NotHeldError):
        shelf.resources.release(ADMIN, received.resource_id, 1)


def test_turning_it_down_keeps_the_old_version_and_drops_the_tables(shelf) -> None:
    received = shelf.publish()
    later = shelf.replace(received, PEOPLE)
    assert shelf.ingest_version(later).is_held
    shelf.resources.turn_down(EDITOR, received.resource_id, 2)
    version = shelf.latest(received)
    assert (version.state, version.problems[-1].code) == ("failed", "personal-data-kept-back")
    assert shelf.queries.resource(VISITOR, received.resource_id).current.number == 1
    with pytest.raises(NotHeldError):
        shelf.resources.release(ADMIN, received.resource_id, 2)


def test_a_version_released_late_does_not_replace_a_newer_one(shelf) -> None:
    received = held(shelf)
    newer = shelf.replace(received, "mã,tên\n01,Ea Súp\n".encode())
    assert shelf.ingest_version(newer).state == "published"
    shelf.resources.release(ADMIN, received.resource_id, 1)
    assert shelf.queries.resource(VISITOR, received.resource_id).current.number == 2


def test_what_changed_between_two_versions_is_counted_and_listed(shelf) -> None:
    received = shelf.publish("mã,tên,dân số\n01,Hà Nội,8\n02,Huế,1\n04,Cao Bằng,5\n".encode())
    assert shelf.queries.resource(VISITOR, received.resource_id).tables[0].differences is None
    newer = shelf.replace(received, "mã,tên,dân số\n01,Hà Nội,9\n04,Cao Bằng,5\n08,Tuyên Quang,2\n".encode())
    shelf.ingest_version(newer)
    (table,) = shelf.queries.resource(VISITOR, received.resource_id).tables
    found = table.differences
    assert (found["key"], found["added"], found["removed"], found["changed"]) == (["mã"], 1, 1, 1)
    assert found["changed_columns"] == {"dân số": 1}
    assert rows_of(shelf, table.changed_rows.sha256) == [
        ["_change", "mã", "tên", "dân số"],
        ["before", "01", "Hà Nội", "8"],
        ["after", "01", "Hà Nội", "9"],
        ["removed", "02", "Huế", "1"],
        ["added", "08", "Tuyên Quang", "2"],
    ]


def test_a_comparison_that_fails_keeps_nothing_from_being_published(shelf, monkeypatch) -> None:
    received = shelf.publish()
    monkeypatch.setattr(
        "opendata.resources.comparing.run_limited",
        lambda *_args, **_more: Problem("needs-memory", {"limit": 1}),
    )
    assert shelf.ingest_version(shelf.replace(received, "mã,tên\n01,x\n".encode())).state == "published"
    (table,) = shelf.queries.resource(VISITOR, received.resource_id).tables
    assert table.differences is None
    assert [problem.code for problem in table.problems] == ["differences-unknown"]


def test_a_killed_child_is_tried_again_and_then_given_up(shelf, monkeypatch) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), uploaded(FAULTY))
    payload = {"version_id": received.version_id}
    monkeypatch.setattr(
        "opendata.resources.jobs.run_limited",
        lambda *_args, **_more: Problem("reader-stopped", {"reason": "SIGKILL"}),
    )
    for number in (1, 2):
        with pytest.raises(InterruptedIngestError):
            shelf.ingest.run(payload, Attempt(number, is_last=False))
        assert shelf.latest(received).state == "processing"
        assert (shelf.workspace / received.version_id).is_dir()
    shelf.ingest.run(payload, Attempt(3, is_last=True))
    version = shelf.latest(received)
    assert (version.state, version.problems[0].code) == ("failed", "reader-stopped")
    assert list(shelf.workspace.iterdir()) == []


def test_another_attempt_takes_up_the_stages_that_were_finished(shelf, monkeypatch, tmp_path) -> None:
    """The first attempt dies after the conversion; the second one must not read the source again."""
    from opendata.resources.ingest import pipeline

    source = tmp_path / "x.csv"
    source.write_bytes(FAULTY)
    folder = tmp_path / "stages"
    folder.mkdir()

    def dying(*_args: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "profile", dying)
        with pytest.raises(KeyboardInterrupt):
            pipeline.ingest_file(source, "x.csv", folder)
    with monkeypatch.context() as patched:
        for stage in ("identify", "validate", "convert"):
            patched.setattr(pipeline, stage, dying)
        result = pipeline.ingest_file(source, "x.csv", folder)
        assert result.tables[0].row_count == 4
        for other in ({"faulty_rows": "as-text"}, {"corrections": {"encoding": "utf-8"}}):
            with pytest.raises(KeyboardInterrupt):
                pipeline.ingest_file(source, "x.csv", folder, **other)
