"""The screen for personal data: what it stops, what it lets pass, and that it never tells a value."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.meanings.personal_finding import PersonalFinding
from opendata.resources.meanings.recognise import recognise
from opendata.resources.meanings.screen import screen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.slices.meanings.conftest import Table

RANDOM = random.Random(91)
NAMES = ["Nguyễn Văn An", "Trần Thị Bé", "Lê Hoàng Phúc"]
IDS = ["001090123456", "079185000321", "048203004567"]
PHONES = ["0912345689", "+84 387 654 321", "0765-432-109"]
EMAILS = ["nguyenan@gmail.com", "tb@yahoo.com.vn", "vanthu@moh.gov.vn"]


def found(table: Table) -> tuple[PersonalFinding, ...]:
    return screen(*table, recognise(*table))


def test_a_list_of_people_is_stopped_at_every_point(make_table: Callable[..., Table]) -> None:
    table = make_table(
        ("Họ và tên", "string", [*NAMES, None]),
        ("Ngày sinh", "string", ["01/02/1990", "03/04/1985", None, "05/06/1999"]),
        ("CCCD", "string", [*IDS, ""]),
        ("SĐT", "string", [*PHONES, "không có"]),
        ("Email", "string", [*EMAILS, None]),
        ("Biển số xe", "string", ["51F-123.45", "29A-12345", None, None]),
    )
    assert found(table) == (
        PersonalFinding("personal-names-births", ("Họ và tên", "Ngày sinh"), 2, 4, ("N. V. A", "T. T. B")),
        PersonalFinding(
            "personal-citizen-ids", ("CCCD",), 3, 4, ("001******456", "079******321", "048******567")
        ),
        PersonalFinding("personal-phones", ("SĐT",), 3, 4, ("09xx xxx x89", "03xx xxx x21", "07xx xxx x09")),
        PersonalFinding(
            "personal-emails", ("Email",), 3, 4, ("ng***@g***.com", "t***@y***.vn", "va***@m***.vn")
        ),
        PersonalFinding("personal-plates", ("Biển số xe",), 2, 4, ("51F-***45", "29A-***45")),
    )


def test_no_value_leaves_the_screen(make_table: Callable[..., Table]) -> None:
    notes = [
        f"Ông {name}, CCCD {number}, gọi {phone}, {email}"
        for name, number, phone, email in zip(NAMES, IDS, PHONES, EMAILS, strict=True)
    ]
    table = make_table(
        ("Họ tên", "string", NAMES),
        ("Năm sinh", "integer", [1990, 1985, 1999]),
        ("CCCD", "string", IDS),
        ("SĐT", "string", PHONES),
        ("Email", "string", EMAILS),
        ("Ghi chú", "string", notes),
    )
    findings = found(table)
    assert len(findings) == 7
    told = json.dumps([finding.to_json() for finding in findings], ensure_ascii=False)
    told += " ".join(finding.problem().message() for finding in findings)
    for value in (*NAMES, *IDS, *PHONES, *EMAILS, "654 321", "123456", "nguyenan"):
        assert value not in told


def test_people_are_found_inside_texts(make_table: Callable[..., Table]) -> None:
    quiet = [f"Hồ sơ {number} đã giải quyết" for number in range(60)]
    table = make_table(
        (
            "Nội dung",
            "string",
            [
                *quiet,
                "Liên hệ 0912 345 689.",
                "gọi 0387654321 nhé",
                "ĐT: 0765432109",
                "gửi về an.nguyen@gmail.com",
            ],
        ),
        ("Khác", "string", [*quiet, *(f"Công dân {number} phản ánh" for number in IDS), "x"]),
        ("Cũ", "string", [*quiet, "CMND số 201234567 cấp ngày 1/1/2010", "y", "z", "t"]),
    )
    assert [(one.code, one.columns, one.count, one.sample) for one in found(table)] == [
        ("personal-phones-in-text", ("Nội dung",), 3, ("09xx xxx x89", "03xx xxx x21", "07xx xxx x09")),
        ("personal-ids-in-text", ("Khác",), 3, ("001******456", "079******321", "048******567")),
        ("personal-ids-in-text", ("Cũ",), 1, ("201***567",)),
    ]


def test_an_address_in_a_small_table_is_asked_about(make_table: Callable[..., Table]) -> None:
    """One in twenty rows is enough; one in hundreds is left to the officer's eye."""
    notes = ["", "Tiếp nhận tại vanthu@moh.gov.vn"] + ["Không"] * 8
    assert [one.code for one in found(make_table(("Ghi chú", "string", notes)))] == [
        "personal-emails-in-text"
    ]
    assert found(make_table(("Ghi chú", "string", notes * 1 + ["Không"] * 400))) == ()


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("Mã giao dịch", [f"GD {RANDOM.randrange(10**12):012d}" for _ in range(400)]),
        ("Mã khách", [f"K {RANDOM.randrange(10**10):010d}" for _ in range(400)]),
        ("Số tiền", ["1.234.567.890 đồng", "0,001090123456", "12 345 678 901 đồng"]),
        ("Số hiệu", ["001090123456789", "0912345689012345", "79/2025/QĐ-TTg"]),
        ("Tọa độ", ["105.001090123456 21.0912345689", "106.079185000321 10.0387654321"]),
        ("Tài khoản", ["@boyte", "@vpcp"]),
        ("CCCD", ["001******456", "079******321"]),
        ("Trang", ["https://moh.gov.vn/0912345689", "https://x.vn/001090123456"]),
        ("Thời hạn", ["01/01/2020 - 31/12/2024", "2020-01-01 08:00:00"]),
        ("Tên", NAMES),
    ],
)
def test_what_is_no_personal_data_passes(
    make_table: Callable[..., Table], label: str, values: list[str]
) -> None:
    assert found(make_table((label, "string", values))) == ()


def test_names_alone_and_births_alone_pass(make_table: Callable[..., Table]) -> None:
    """A list of ministers is no secret, nor is a table of birth years."""
    assert found(make_table(("Họ và tên", "string", NAMES), ("Chức vụ", "string", ["a", "b", "c"]))) == ()
    assert found(make_table(("Năm sinh", "integer", [1990, 1985]), ("Số trẻ", "integer", [3, 4]))) == ()


def test_counts_are_exact_over_many_row_groups(make_table: Callable[..., Table]) -> None:
    numbers: list[str | None] = [
        f"0{RANDOM.choice(('912', '387', '765'))}{RANDOM.randrange(10**6):06d}" for _ in range(5000)
    ]
    numbers[::7] = [None] * len(numbers[::7])
    (finding,) = found(make_table(("Điện thoại", "string", numbers), row_group_size=300))
    assert (finding.count, finding.total) == (5000 - len(numbers[::7]), 5000)
    assert len(finding.sample) == 3


def test_a_finding_is_told_and_stored(make_table: Callable[..., Table]) -> None:
    (finding,) = found(make_table(("CCCD", "string", IDS)))
    assert PersonalFinding.from_json(json.loads(json.dumps(finding.to_json()))) == finding
    problem = finding.problem()
    assert (problem.code, problem.severity, problem.column) == ("personal-citizen-ids", "warning", "CCCD")
    assert problem.sentence() == (
        "Column “CCCD” holds citizen numbers (CCCD or CMND) in 3 of 3 rows, such as "
        "001******456, 079******321, 048******567."
    )
    of_sheet = PersonalFinding.from_json(finding.to_json() | {"table": "to-1"})
    assert of_sheet.problem().table == "to-1"
    assert of_sheet.to_json()["table"] == "to-1"
    together = PersonalFinding("personal-names-births", ("Tên", "Sinh"), 2, 9, ("N. A.",)).problem()
    assert "“Tên” and “Sinh” together" in together.sentence()


def test_published_lists_of_places_hold_nobody(real_data: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("gso_63_wards_2025-07-18.csv", "2025_34_province_ward_with_location.csv")):
        work = tmp_path / str(number)
        work.mkdir()
        table = ingest_file(real_data / "admin" / name, name, work).tables[0]
        assert found((table.parquet_path, table.columns)) == ()


def test_samples_differ_by_what_is_shown(make_table: Callable[..., Table]) -> None:
    """Two addresses that look alike masked, repeated down the column, are shown once; so are names."""
    alike = ["nguyenan@gmail.com", "nguyenbinh@gmail.com"] * 20
    texts = [f"Liên hệ {value}" for value in alike]
    names = ["Nguyễn Văn An", "Nguyễn Viết Anh"] * 20
    births = ["01/02/1990"] * 42
    table = make_table(
        ("Email", "string", [*alike, "tb@yahoo.com.vn", "vanthu@moh.gov.vn"]),
        ("Ghi chú", "string", [*texts, "Liên hệ tb@yahoo.com.vn", "không"]),
        ("Họ và tên", "string", [*names, "Trần Thị Bé", "Lê Hoàng Phúc"]),
        ("Ngày sinh", "string", births),
    )
    samples = {finding.code: finding.sample for finding in found(table)}
    assert samples["personal-emails"] == ("ng***@g***.com", "t***@y***.vn", "va***@m***.vn")
    assert samples["personal-emails-in-text"] == ("ng***@g***.com", "t***@y***.vn")
    assert samples["personal-names-births"] == ("N. V. A", "T. T. B", "L. H. P")
