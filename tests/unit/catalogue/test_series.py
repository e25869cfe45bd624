"""Which titles are editions of one series, and which period each is about."""

from __future__ import annotations

import datetime as dt
import re
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.catalogue import series
from opendata.catalogue.series import edition_of, key_text
from opendata.kernel.text import clean_line, fold


def key(title: str, publisher: str = "BTC") -> int:
    return edition_of({"vi": title}, publisher).key


@pytest.mark.parametrize(
    ("title", "label", "order"),
    [
        ("Dân số các tỉnh năm 2023", "2023", 20231300),
        ("Năm 2021: dân số các tỉnh", "2021", 20211300),
        ("GDP quý I/2023", "quý I/2023", 20230300),
        ("GDP Quý 4 năm 2022", "Quý 4 năm 2022", 20221200),
        ("Chỉ số giá tháng 3/2024", "tháng 3/2024", 20240300),
        ("Chỉ số giá tháng 12 năm 2023", "tháng 12 năm 2023", 20231200),
        ("Thu ngân sách 6 tháng đầu năm 2023", "6 tháng đầu năm 2023", 20230600),
        ("Điểm thi năm học 2022-2023", "2022-2023", 20231300),
        ("Kế hoạch giai đoạn 2016–2020", "2016–2020", 20201300),
        ("Số liệu đến ngày 31/12/2023", "31/12/2023", 20231231),
        ("Giá vàng 2024-03-05", "2024-03-05", 20240305),
        ("Retail prices March 2023", "March 2023", 20230300),
        ("Retail prices, Jan 2022", "Jan 2022", 20220100),
        ("Trade Q1 2023", "Q1 2023", 20230300),
        ("Population 2022-23", "2022-23", 20231300),
        ("Quyết định 19/2025/QĐ-TTg và kết quả năm 2025", "2025", 20251300),
    ],
)
def test_the_period_of_a_title(title: str, label: str, order: int) -> None:
    found = edition_of({"vi": title}, "BTC")
    assert (found.labels, found.order) == ({"vi": label}, order)
    assert found.key


@pytest.mark.parametrize(
    ("title", "first", "last"),
    [
        ("Dân số các tỉnh năm 2023", "2023-01-01", "2023-12-31"),
        ("Năm 2021: dân số, so với năm 2019", "2019-01-01", "2021-12-31"),
        ("Kế hoạch giai đoạn 2016–2020", "2016-01-01", "2020-12-31"),
        ("Giai đoạn 2020-2016", "2016-01-01", "2020-12-31"),
        ("Population 2022-23", "2022-01-01", "2023-12-31"),
        ("GDP Quý 4 năm 2022", "2022-10-01", "2022-12-31"),
        ("Trade 2023Q1", "2023-01-01", "2023-03-31"),
        ("CPI tháng 2/2024", "2024-02-01", "2024-02-29"),
        ("Retail prices, Feb 2023", "2023-02-01", "2023-02-28"),
        ("Retail prices September 2023", "2023-09-01", "2023-09-30"),
        ("Thu ngân sách 6 tháng đầu năm 2023", "2023-01-01", "2023-06-30"),
        ("Thu ngân sách 3 tháng cuối năm 2023", "2023-10-01", "2023-12-31"),
        ("Thu ngân sách 9 tháng năm 2023", "2023-01-01", "2023-09-30"),
        ("Số liệu đến ngày 31/12/2023", "2023-12-31", "2023-12-31"),
        ("Giá vàng 2024-03-05", "2024-03-05", "2024-03-05"),
        ("Giá vàng 30/2/2024", "2024-02-01", "2024-02-29"),
        ("Số liệu tháng 15/2024", "2024-01-01", "2024-12-31"),
    ],
)
def test_the_days_a_title_speaks_of(title: str, first: str, last: str) -> None:
    days = (dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    assert edition_of({"vi": title}, "BTC").days == days


@pytest.mark.parametrize(
    "title",
    ["Danh sách theo Nghị định 194/2025/NĐ-CP", "QCVN 102:2016 về cấu trúc", "Mã H55.2024", "Báo cáo 12/BC-2023",
     "Hồ sơ số 20231", "Dân số các tỉnh"],
)  # fmt: skip
def test_a_number_inside_a_code_is_no_period(title: str) -> None:
    assert edition_of({"vi": title}, "BTC").labels == {}
    assert edition_of({"vi": title}, "BTC").days is None


def test_titles_that_differ_in_their_period_only_are_one_series() -> None:
    titles = (
        "Dân số các tỉnh năm 2023",
        "Dân số các tỉnh 2019",
        "DÂN SỐ CÁC TỈNH, năm 2020",
        "Dân số các tỉnh",
    )
    assert len({key(title) for title in titles}) == 1
    assert key("CPI tháng 3/2024") == key("CPI tháng 12 năm 2023")
    assert key("Dân số các huyện năm 2023") != key("Dân số các tỉnh năm 2023")
    assert key("Dân số các tỉnh năm 2023", "BYT") != key("Dân số các tỉnh năm 2023")


def test_labels_are_in_both_languages_and_a_bare_year_is_no_series() -> None:
    found = edition_of({"vi": "Dân số quý I/2023", "en": "Population, Q1 2023"}, "BTC")
    assert found.labels == {"vi": "quý I/2023", "en": "Q1 2023"}
    assert edition_of({"vi": "2023"}, "BTC").key == 0
    assert edition_of({}, "BTC").key == 0
    assert edition_of({"en": "Roads 2020"}, "BTC").key == edition_of({"en": "Roads 2021"}, "BTC").key


@given(st.text(max_size=80), st.integers(1900, 2099))
def test_any_title_has_an_edition_that_a_float_and_an_address_can_hold(title: str, year: int) -> None:
    for written in (title, f"{title} năm {year}"):
        found = edition_of({"vi": written}, "BTC")
        assert int(float(found.key)) == found.key < 2**53
        assert int(key_text(found.key), 16) == found.key
        assert len(key_text(found.key)) == 14
        assert 0 <= found.order < 21_000_000
        assert found.days is None or found.days[0] <= found.days[1]


_PARTS = st.sampled_from(
    ("2020", "1999", "2020-21", "-", "–", "/", ".", ",", "năm", "tháng", "quý", "Q", "IV", "3", "12", "31", "đến",
     "ngày", "giai đoạn", "niên khoá", "từ", "of", "September", "mar", "cuối", "194/2025/NĐ-CP", "x", "y" * 40)
)  # fmt: skip


@given(st.lists(st.tuples(_PARTS, st.sampled_from(("", " "))), max_size=12))
def test_no_period_begins_further_before_its_year_than_is_looked(parts: list[tuple[str, str]]) -> None:
    line = clean_line("".join(chain(*parts)))
    year = series._ANY_YEAR.search(line)
    begins = max(0, year.start() - series._LONGEST_PERIOD) if year else len(line)
    anywhere = [found.span() for found in series._PERIOD.finditer(line)]
    assert [found.span() for found in series._PERIOD.finditer(line, begins)] == anywhere


_LONE = st.sampled_from(
    ("Jan", "mar.", "September", "quý", "Q", "quarter", "IV", "iii", "v", "i", "năm", "NĂM", "year", "of", "từ",
     "đến", "2023", "1999", "19", "20", "3", "٣", "-", "–", "/", ".", ",", ":", "tháng", "x", "ı", "İ", "ſep")
)  # fmt: skip


@given(st.lists(st.tuples(_LONE, st.sampled_from(("", " "))), max_size=6))
def test_a_line_whose_only_number_is_a_year_is_read_as_the_long_pattern_reads_it(
    parts: list[tuple[str, str]],
) -> None:
    line = clean_line("".join(chain(*parts)))
    read = series._taken_apart(line)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(series, "_LONE_YEAR", re.compile("(?!)"))
        series._taken_apart.cache_clear()
        assert series._taken_apart(line) == read
    series._taken_apart.cache_clear()


@given(
    st.text(
        st.characters() | st.sampled_from("ộĐİßſ aZ1_-/\u0323\u00a0\u2000\u1100\u1161\u11a8"), max_size=20
    )
)
def test_words_folded_between_spaces_are_those_of_the_whole_title(title):
    assert series._stem(title) == " ".join(re.findall(r"\w+", fold(title)))
