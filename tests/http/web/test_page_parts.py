"""The pure parts of the pages, each against a reckoning of its own: numbers, pictures, Markdown, colours, addresses."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opendata.web
from opendata.kernel.i18n import translator
from opendata.web.addresses import is_local
from opendata.web.cell_text import cell_text, needs_groups, number_text, statistic_text
from opendata.web.charts import HEIGHT, WIDTH, histogram, picture, share_bar
from opendata.web.markdown import first_words, prose
from opendata.web.table_page import rows_per_page

# What a file without offsets holds: a time by the clock on the wall.
NAIVE = dt.datetime(2026, 12, 31, 8, 5)  # noqa: DTZ001 - see above
VI, EN = translator("vi"), translator("en")
TOKENS = Path(opendata.web.__file__).parent / "static" / "tokens.css"


# -- numbers and dates --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "grouped", "vi", "en"),
    [
        (2024, False, "2024", "2024"),
        (1234567, True, "1.234.567", "1,234,567"),
        (123, True, "123", "123"),
        (-1234, True, "−1.234", "−1,234"),
        (0, True, "0", "0"),
        (12.5, False, "12,5", "12.5"),
        (3.0, False, "3", "3"),
        (Decimal("3.50"), False, "3,50", "3.50"),
        (Decimal("1E+3"), True, "1.000", "1,000"),
        (1e-7, False, "0,0000001", "0.0000001"),
        (105.8372915, False, "105,8372915", "105.8372915"),
        (1e22, True, "10.000.000.000.000.000.000.000", "10,000,000,000,000,000,000,000"),
        (math.nan, False, "NaN", "NaN"),
        (-math.inf, False, "−Infinity", "−Infinity"),
    ],
)
def test_numbers_are_written_for_their_readers(value, grouped, vi, en) -> None:
    assert number_text(value, VI, grouped=grouped) == vi
    assert number_text(value, EN, grouped=grouped) == en


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_no_digit_is_lost(value, grouped) -> None:
    text = number_text(value, VI, grouped=grouped).replace(".", "").replace(",", ".").replace("−", "-")
    assert float(text) == value


@given(st.integers(), st.booleans())
def test_no_digit_of_a_whole_number_is_lost(value, grouped) -> None:
    assert int(number_text(value, EN, grouped=grouped).replace(",", "").replace("−", "-")) == value


def test_values_of_other_kinds() -> None:
    assert cell_text(True, EN) == "yes"
    assert cell_text(dt.date(2026, 12, 31), VI) == "31/12/2026"
    assert cell_text(NAIVE, VI) == "31/12/2026 08:05"
    assert cell_text(NAIVE.replace(second=9), EN) == "31 Dec 2026 08:05:09"
    # A moment with an offset is shown in Viet Nam's time: 20:00 UTC is the next morning there.
    assert cell_text(dt.datetime(2026, 12, 31, 20, 0, tzinfo=dt.UTC), VI) == "03:00, 01/01/2027"
    assert cell_text(dt.time(8, 30), VI) == "08:30:00"
    assert cell_text("  giữ nguyên  ", VI) == "  giữ nguyên  "


def test_years_stay_whole_and_large_columns_are_grouped() -> None:
    assert not needs_groups(1945, 2026)
    assert needs_groups(3, 10_000)
    assert needs_groups(-10_000, 3)
    assert not needs_groups("a", "b")


def test_statistics_are_read_back_from_text() -> None:
    assert statistic_text("2026-12-31", "date", VI) == "31/12/2026"
    assert statistic_text("not a date", "date", VI) == "not a date"
    assert statistic_text(0.123456789, "number", VI) == "0,1235"
    assert statistic_text(None, "number", VI) == "–"


# -- pictures -----------------------------------------------------------------------------


def column(**given_values):
    return {
        "count": 10, "nulls": 0, "distinct": 5, "min": 1, "max": 5, "mean": 3, "quantiles": {}, "top": [], "histogram": [],
    } | given_values  # fmt: skip


@given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=40))
def test_bars_are_as_high_as_their_counts(counts) -> None:
    bins = [{"from": n, "to": n + 1, "count": count} for n, count in enumerate(counts)]
    svg = str(histogram(bins, "integer", EN))
    bars = re.findall(r"M([\d.]+) 40v-([\d.]+)h([\d.]+)V40z", svg)
    assert len(bars) == sum(1 for count in counts if count)
    most = max(counts) or 1
    for (left, height, _width), number in zip(bars, [n for n, c in enumerate(counts) if c], strict=True):
        assert float(left) == pytest.approx(number * WIDTH / len(counts), abs=0.06)
        assert float(height) == pytest.approx(max(counts[number] / most * HEIGHT, 1.5), abs=0.06)


def test_a_picture_says_in_words_what_it_shows() -> None:
    bins = [{"from": 0, "to": 10, "count": 3}, {"from": 10, "to": 20, "count": 7}]
    svg = str(histogram(bins, "integer", EN))
    assert 'role="img"' in svg
    assert "from 0 to 20; most values, 7, lie between 10 and 20" in svg


def test_values_in_a_picture_are_escaped() -> None:
    bins = [{"from": "<b>", "to": "</title><script>", "count": 1}, {"from": "x", "to": "y", "count": 0}]
    assert "<script>" not in str(histogram(bins, "string", EN))


def test_frequent_values_come_with_their_shares() -> None:
    tops = [{"value": "Bắc", "count": 6}, {"value": "Nam", "count": 3}, {"value": "Trung", "count": 1}]
    seen = picture(column(top=tops, distinct=4), "string", EN)
    assert [(top.text, top.share) for top in seen.tops] == [("Bắc", 0.6), ("Nam", 0.3), ("Trung", 0.1)]
    assert seen.others == 1
    assert "h60v3" in str(seen.tops[0].bar)


def test_a_picture_that_would_say_nothing_is_a_remark() -> None:
    assert picture(column(count=0, nulls=10), "string", EN).remark == "No value at all"
    assert picture(column(distinct=10), "string", EN).remark == "Every value is different"
    rare = picture(column(count=1000, distinct=900, top=[{"value": "a", "count": 2}]), "string", EN)
    assert rare.remark == "900 different values"
    assert rare.tops == ()


def test_a_share_is_never_invisible() -> None:
    assert "h1.5v3" in str(share_bar(0.0001))
    assert "h100v3" in str(share_bar(1))


# -- Markdown -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://evil.example/pixel.png)",
        "<a href='javascript:alert(1)'>x</a>",
        "<svg onload=alert(1)>",
        '[x](https://a.example "onclick=alert(1)")',
        "```html\n<script>alert(1)</script>\n```",
        "<iframe src='https://evil.example'></iframe>",
    ],
)
def test_descriptions_cannot_carry_code(hostile) -> None:
    html = str(prose(f"Trước\n\n{hostile}\n\nsau"))
    for found in re.findall(r"<[^>]*>", html):
        assert re.fullmatch(r"</?(p|pre|code|a|strong|em)( [^>]*)?>", found), found
        assert not re.search(r"\son\w+\s*=", found.partition('title="')[0])
        assert "javascript:" not in found
        assert "data:" not in found
    assert "src=" not in re.sub(r"&lt;.*?&gt;", "", html)


def test_descriptions_keep_their_form() -> None:
    html = str(
        prose("# Đầu đề\n\n**đậm** [nguồn](https://gso.gov.vn)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- một")
    )
    assert "<h3>Đầu đề</h3>" in html
    assert "<strong>đậm</strong>" in html
    assert "<td>1</td>" in html
    assert "<li>một</li>" in html
    assert 'rel="nofollow noopener noreferrer ugc"' in html


def test_the_first_words_are_plain_and_end_at_a_word() -> None:
    assert first_words("**Dân số** theo [tỉnh](https://x.example/a)\n\nĐoạn hai") == "Dân số theo tỉnh"
    cut = first_words("từ " * 200)
    assert len(cut) <= 301
    assert cut.endswith("từ…")


# -- colours ------------------------------------------------------------------------------

PAIRS = [
    ("ink", "paper", 7.0), ("ink", "paper-soft", 7.0), ("ink-soft", "paper", 4.5), ("ink-soft", "paper-soft", 4.5),
    ("ink-soft", "paper-sunk", 4.5), ("accent", "paper", 4.5), ("accent", "paper-soft", 4.5), ("accent", "accent-soft", 4.5),
    ("accent-strong", "paper", 4.5), ("accent-strong", "accent-soft", 4.5), ("on-accent", "accent", 4.5),
    ("on-accent", "accent-strong", 4.5), ("on-band", "band", 4.5), ("on-band-soft", "band", 4.5), ("band", "on-band", 4.5),
    ("success", "success-soft", 4.5), ("warning", "warning-soft", 4.5), ("warning", "paper", 4.5), ("ink", "success-soft", 4.5),
    ("ink", "warning-soft", 4.5), ("ink", "accent-soft", 4.5), ("ink", "mark", 4.5), ("line-strong", "paper", 3.0),
    ("chart", "paper-soft", 3.0),
]  # fmt: skip


def colours(part: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(scheme) -> None:
    """WCAG 2.2: 4.5 for text, 3 for what a control or a picture is known by; body text aims at 7."""
    light, _, dark = TOKENS.read_text().partition("@media (prefers-color-scheme: dark)")
    known = colours(light) | (colours(dark) if scheme == "dark" else {})
    weak = {
        (front, back): round(contrast(known[front], known[back]), 2)
        for front, back, least in PAIRS
        if contrast(known[front], known[back]) < least
    }
    assert weak == {}


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_sheets_name_colours_only_by_token() -> None:
    for sheet in TOKENS.parent.glob("*.css"):
        if sheet.name not in {"tokens.css", "print.css"}:
            assert re.findall(r"#[0-9a-f]{3,8}\b|rgb\(", sheet.read_text()) == [], sheet.name


def test_every_token_that_is_used_exists() -> None:
    known = set(re.findall(r"--([\w-]+):", TOKENS.read_text()))
    for sheet in TOKENS.parent.glob("*.css"):
        assert set(re.findall(r"var\(--([\w-]+)", sheet.read_text())) <= known, sheet.name


# -- addresses ----------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/vi/publish", "/vi/datasets?q=a%20b&x=%2F%2F"])
def test_local_addresses(address) -> None:
    assert is_local(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "vi",
        "//a.example",
        "/\\a.example",
        "https://a.example",
        "/a\nb",
        "/a\tb",
        "/\x00",
        "/é",
        "javascript:1",
    ],
)
def test_addresses_that_may_lead_elsewhere(address) -> None:
    assert not is_local(address)


@pytest.mark.parametrize("columns", [0, 1, 5, 20, 200])
def test_a_page_of_rows_is_never_empty_nor_huge(columns) -> None:
    assert 10 <= rows_per_page(columns) <= 40
