"""What of a dataset its document holds beside its texts: the prior, and values of columns that hold few."""

from __future__ import annotations

import datetime as dt

import pytest

from opendata.catalogue.documents import INDEX_SCHEMA, Contribution, DocumentBuilder
from opendata.catalogue.models import Dataset
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.resources.documents import usual_values


def dataset(fields=None, *, year=2020, downloads=0) -> Dataset:
    return Dataset(
        id="01A",
        slug="a",
        state="published",
        agency_code="BYT",
        modified_at=dt.datetime(year, 1, 1, tzinfo=dt.UTC),
        download_count=downloads,
        fields={"title": {"vi": "Bệnh viện"}, **(fields or {})},
    )


@pytest.fixture(scope="module")
def builder() -> DocumentBuilder:
    return DocumentBuilder(load_vocabularies(bundled("catalog_schemas")))


def test_what_is_fresh_whole_or_used_is_more_welcome(builder):
    plain = builder.document(dataset(), []).prior
    whole = {"description": {"vi": "Danh sách."}, "license": "cc0-1.0"}
    assert builder.document(dataset(year=2024), []).prior > plain
    assert builder.document(dataset(whole), []).prior > plain
    assert builder.document(dataset(), [Contribution(files=["a.csv"], rows=3)]).prior > plain
    assert builder.document(dataset(downloads=50), []).prior > plain
    most = builder.document(dataset(whole, year=2090, downloads=10**9), [Contribution(files=["a"], rows=1)])
    assert most.prior == pytest.approx(1.0)
    assert builder.document(dataset(year=1990), []).prior == 0.0
    most.check(INDEX_SCHEMA.names())


FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"


@pytest.mark.parametrize(
    ("title", "start", "end", "expected"),
    [
        ("Bệnh viện", None, None, None),
        ("Bệnh viện năm 2023", None, None, ("2023-01-01", "2023-12-31")),
        ("Bệnh viện năm 2023", "2021-05-01", "2022-04-30", ("2021-05-01", "2022-04-30")),
        ("Bệnh viện năm 2023", "2021-05-01", None, ("2021-05-01", "2023-12-31")),
        ("Bệnh viện năm 2023", None, "2023-06-30", ("2023-01-01", "2023-06-30")),
        ("Bệnh viện năm 2019", "2021-05-01", None, ("2021-05-01", LAST_DAY)),
        ("Bệnh viện năm 2024", None, "2021-05-01", (FIRST_DAY, "2021-05-01")),
        ("Bệnh viện", "2021-05-01", None, ("2021-05-01", LAST_DAY)),
    ],
)
def test_the_record_says_which_days_it_is_about_and_its_title_the_rest(builder, title, start, end, expected):
    given = {"title": {"vi": title}, "period_start": start, "period_end": end}
    numbers = builder.document(dataset({k: v for k, v in given.items() if v}), []).numbers
    days = tuple(
        dt.date.fromordinal(int(numbers[name])).isoformat()
        for name in ("period_start", "period_end")
        if name in numbers
    )
    assert days == (expected or ())


def test_the_legal_basis_and_usual_values_are_searched(builder):
    made = builder.document(
        dataset({"legal_basis": "Quyết định 19/2025/QĐ-TTg"}), [Contribution(values=["Phường", "Xã"])]
    )
    assert made.texts["basis"] == "Quyết định 19/2025/QĐ-TTg"
    assert made.texts["values"] == "Phường, Xã"
    made.check(INDEX_SCHEMA.names())


def test_usual_values_are_words_of_columns_that_hold_few():
    def column(distinct: int, *values: object) -> dict[str, object]:
        return {"distinct": distinct, "top": [{"value": value, "count": 1} for value in values]}

    profile = {
        "columns": [
            column(2, "Phường", "Xã"),
            column(2, "Xã", "Đặc khu"),
            column(5000, "Nguyễn Văn A"),
            column(3, 1, 2.5, None, True),
            column(2, "01", "2024-05-01", "A"),
            column(1, "x" * 500),
            column(0),
            {"distinct": None, "top": None},
        ]
    }
    assert usual_values(profile) == ["Phường", "Xã", "Đặc khu"]
    assert usual_values({}) == []
