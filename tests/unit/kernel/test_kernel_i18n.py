"""Numbers, dates and messages as Vietnamese and English readers write them."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

import opendata
from opendata.kernel.i18n import Translator, choose_language, translator

CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Find data"
msgstr "Tìm dữ liệu"

msgid "Last changed by %(name)s"
msgstr "%(name)s sửa lần cuối"

msgid "Not translated"
msgstr ""

msgid "%(count)s file"
msgid_plural "%(count)s files"
msgstr[0] "%(count)s tệp"

msgid "%(count)s row"
msgid_plural "%(count)s rows"
msgstr[0] ""
"""
VI = Translator("vi", read_po(io.BytesIO(CATALOGUE.encode()), locale="vi"))
EN = Translator("en", None)


@pytest.mark.parametrize(
    ("value", "vi", "en"),
    [
        (0, "0", "0"),
        (1234567, "1.234.567", "1,234,567"),
        (-1234, "-1.234", "-1,234"),
        (1234567.5, "1.234.567,5", "1,234,567.5"),
        (Decimal("98765432109876.123456"), "98.765.432.109.876,123456", "98,765,432,109,876.123456"),
        (0.1 + 0.2, "0,3", "0.3"),
        (3.0, "3", "3"),
    ],
)
def test_numbers(value: float | Decimal, vi: str, en: str) -> None:
    assert (VI.number(value), EN.number(value)) == (vi, en)


def test_percent() -> None:
    assert (VI.percent(0.1234), EN.percent(0.1234)) == ("12,3%", "12.3%")
    assert (VI.percent(1), EN.percent(1)) == ("100%", "100%")


def test_dates_of_moments_are_those_of_viet_nam() -> None:
    """Half past midnight in Ha Noi is still the day before in UTC."""
    moment = dt.datetime(2025, 6, 30, 17, 30, tzinfo=dt.UTC)
    assert (VI.date(moment), EN.date(moment)) == ("01/07/2025", "1 Jul 2025")
    assert (VI.moment(moment), EN.moment(moment)) == ("00:30, 01/07/2025", "1 Jul 2025, 00:30")
    day = dt.date(2025, 7, 1)
    assert (VI.date(day), EN.date(day)) == ("01/07/2025", "1 Jul 2025")


def test_ago() -> None:
    now = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)
    assert VI.ago(now - dt.timedelta(hours=3), now) == "3 giờ trước"
    assert EN.ago(now - dt.timedelta(days=2), now) == "2 days ago"


@pytest.mark.parametrize(
    ("count", "vi", "en"),
    [
        (0, "0 B", "0 B"),
        (1023, "1.023 B", "1,023 B"),
        (1024, "1 KB", "1 KB"),
        (1536, "1,5 KB", "1.5 KB"),
        (1048575, "1 MB", "1 MB"),
        (1468006, "1,4 MB", "1.4 MB"),
        (5 * 1024**3, "5 GB", "5 GB"),
        (3 * 1024**5, "3.072 TB", "3,072 TB"),
    ],
)
def test_sizes(count: int, vi: str, en: str) -> None:
    assert (VI.size(count), EN.size(count)) == (vi.replace(" ", "\u00a0"), en.replace(" ", "\u00a0"))


def test_messages() -> None:
    assert VI.gettext("Find data") == "Tìm dữ liệu"
    assert EN.gettext("Find data") == "Find data"
    assert VI.gettext("Last changed by %(name)s", name="50% Lan") == "50% Lan sửa lần cuối"
    assert VI.gettext("Not translated") == "Not translated"
    assert VI.gettext("Not known, 100%") == "Not known, 100%"


@pytest.mark.parametrize(
    ("count", "vi", "en"),
    [(0, "0 tệp", "0 files"), (1, "1 tệp", "1 file"), (1234, "1.234 tệp", "1,234 files")],
)
def test_plurals(count: int, vi: str, en: str) -> None:
    assert VI.ngettext("%(count)s file", "%(count)s files", count) == vi
    assert EN.ngettext("%(count)s file", "%(count)s files", count) == en


def test_plural_without_translation_falls_back_to_english() -> None:
    assert VI.ngettext("%(count)s row", "%(count)s rows", 2) == "2 rows"
    assert VI.ngettext("%(count)s row", "%(count)s rows", 1) == "1 row"


def test_pick_prefers_the_language_and_falls_back() -> None:
    assert VI.pick({"vi": "Dân số", "en": "Population"}) == "Dân số"
    assert EN.pick({"vi": "Dân số"}) == "Dân số"
    assert EN.pick({"en": "", "vi": "Dân số"}) == "Dân số"
    assert EN.pick({}) == EN.pick(None) == ""


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "vi"),
        ("en", "en"),
        ("en-US,en;q=0.9,vi;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.5,vi;q=0.6", "vi"),
        ("VI-vn, EN;q=0.1", "vi"),
        ("en;q=0, vi;q=0.1", "vi"),
        ("en;q=0", "vi"),
        ("fr, de", "vi"),
        ("*", "vi"),
        ("en ; q=0.9 , vi ; q=0.2", "en"),
        ("vi;q=0.2, en;Q=0.9", "en"),
        ("en;q=nonsense, vi;q=0.1", "vi"),
        ("en;q=nan", "vi"),
        (";;;,,,q=;=", "vi"),
        ("vi, en", "vi"),
        ("en, vi", "en"),
    ],
)
def test_language_of_a_browser(header: str, language: str) -> None:
    assert choose_language(header) == language


def test_english_sentences_are_their_own_translation() -> None:
    assert translator("en").gettext("Sign in, or send a valid API token, to do this.").startswith("Sign in")


def test_every_sentence_is_the_one_of_the_catalogue() -> None:
    with (Path(opendata.__file__).parent / "translations/vi/LC_MESSAGES/messages.po").open("rb") as source:
        catalog = read_po(source, locale="vi")
    say = translator("vi")
    for message in catalog:
        if isinstance(message.id, tuple) and isinstance(message.string, tuple):
            names = dict.fromkeys(re.findall(r"%\((\w+)\)", "".join(message.string)), "2")
            others = {name: value for name, value in names.items() if name != "count"}
            one, many = message.id
            assert say.ngettext(one, many, 2, **others) == message.string[0] % names
        elif message.id:
            assert say.gettext(str(message.id)) == message.string


def test_numbers_alike_are_written_by_their_kind() -> None:
    say = translator("vi")
    kinds = (1234567, 1234567.0, Decimal("1234567.5"), Decimal(1234567), 1234567)
    whole = "1.234.567"
    assert [say.number(value) for value in kinds] == [whole, whole, "1.234.567,5", whole, whole]
    assert say.number(Decimal("0.25")) == say.number(0.25) == "0,25"
    assert translator("en").number(1234567) == "1,234,567"


@pytest.mark.parametrize("language", ["vi", "en"])
@given(value=st.integers(-(10**20), 10**20))
def test_whole_numbers_are_written_as_babel_would(language: str, value: int) -> None:
    assert translator(language).number(value) == format_decimal(value, format="#,##0", locale=language)
