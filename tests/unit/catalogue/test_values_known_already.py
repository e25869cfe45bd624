"""Values that many records share are cleaned once: the same comes out as from a profile that knows none yet."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.catalogue import profile as profiles
from opendata.catalogue.importing import _parsed
from opendata.catalogue.profile import MetadataProfile, load_profile
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.kernel.errors import FieldError

PROFILE = load_profile(bundled("catalog_schemas"), load_vocabularies(bundled("catalog_schemas")))
USUAL = st.sampled_from(
    [
        "BTC",
        "btc",
        "Bộ Tài chính",
        "hà nội",
        " 01 ",
        "2026-01-31",
        "2026-01-31T23:00:00Z",
        "2026-02-30",
        "monthly",
        "a@b.vn",
        "a@b",
        "https://x.vn/a",
        "x.vn",
        "ô\u0323",
        "",
        "  ",
        "A, b;a",
        "\ud800",
        "x" * 300,
    ]
)
VALUES = st.one_of(
    USUAL, st.text(max_size=8), st.none(), st.integers(), st.lists(USUAL | st.none() | st.integers(), max_size=4),
    st.dictionaries(st.sampled_from(["vi", "en", "fr"]), USUAL | st.lists(USUAL, max_size=2), max_size=2),
)  # fmt: skip
RECORDS = st.dictionaries(
    st.sampled_from([*(item.name for item in PROFILE.fields), "unheard"]), VALUES, max_size=6
)


def told(result: tuple[dict[str, object], list[FieldError]]) -> object:
    cleaned, errors = result
    return cleaned, list(cleaned), [(one.field, str(one.template), dict(one.params)) for one in errors]


@given(st.lists(RECORDS, min_size=2, max_size=6))
def test_what_was_cleaned_before_changes_nothing(records):
    knowing: MetadataProfile = replace(PROFILE)
    for record in [*records, *records]:
        profiles._keyword.cache_clear()
        fresh = told(replace(PROFILE).clean(record))
        assert told(knowing.clean(record)) == fresh


def test_only_so_many_are_remembered(monkeypatch):
    monkeypatch.setattr(profiles, "_MOST_KNOWN", 3)
    knowing = replace(PROFILE)
    for day in range(1, 29):
        for _ in range(2):
            assert knowing.clean({"issued": f" 2026-02-{day:02d}"}, require=False)[0] == {
                "issued": f"2026-02-{day:02d}"
            }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize(
    "text", ['{"title": "Độ ẩm"}', '{ "title": "\\ud800"}', '{"a": 1', "{}", '{"a":NaN}', "[1]"]
)
def test_a_line_is_read_in_whatever_unicode_it_is_written(text, encoding):
    content = text.encode(encoding)
    try:
        expected = json.loads(content)
    except ValueError:
        expected = None
    found = _parsed(content)
    assert isinstance(found, FieldError) if not isinstance(expected, dict) else str(found) == str(expected)


@given(st.binary(max_size=6))
def test_bytes_that_are_no_text_are_a_problem_of_their_line(content):
    assert isinstance(_parsed(b'{"a": "' + content + b"\xff"), FieldError)
