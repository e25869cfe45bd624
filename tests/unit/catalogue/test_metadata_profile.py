"""The metadata profile: what goes in comes out clean, or each wrong field is named with a sentence."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata

import jsonschema  # type: ignore[import-untyped]  # comes with frictionless, without types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.catalogue.profile import MetadataProfile, load_profile
from opendata.catalogue.vocabularies import BrokenVocabularyError, load_vocabularies
from opendata.kernel.bundled import bundled

SCHEMAS = bundled("catalog_schemas")
FIELDS = (
    "title",
    "description",
    "keywords",
    "theme",
    "publisher",
    "identifier",
    "place",
    "license",
    "legal_basis",
    "source",
    "source_url",
    "frequency",
    "issued",
    "modified",
    "period_start",
    "period_end",
    "contact_name",
    "contact_email",
)
LEAST = {"title": "Danh sách trường học", "publisher": "BGDDT"}


@pytest.fixture(scope="module")
def profile() -> MetadataProfile:
    return load_profile(SCHEMAS, load_vocabularies(SCHEMAS))


def clean_one(profile, name, value):
    """The stored value of one field given besides the required ones; None when it was left out."""
    cleaned, errors = profile.clean(LEAST | {name: value})
    assert errors == []
    return cleaned.get(name)


def error_of(profile, name, value):
    cleaned, errors = profile.clean(LEAST | {name: value})
    assert [error.field for error in errors] == [name]
    assert name not in cleaned or name in LEAST
    return errors[0].message()


def test_the_file_obeys_its_json_schema():
    schema = json.loads((SCHEMAS / "json_schemas/dataset_profile.schema.json").read_text(encoding="utf-8"))
    data = json.loads((SCHEMAS / "dataset_profile.json").read_text(encoding="utf-8"))
    assert [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(data)] == []


def test_the_core_fields_are_there(profile):
    assert tuple(profile.by_name) == FIELDS
    grouped = [field.name for group in profile.groups for field in profile.in_group(group.name)]
    assert grouped == list(profile.by_name)


def test_examples_are_valid_themselves(profile):
    for language in ("vi", "en"):
        example = {field.name: field.example[language] for field in profile.fields}
        assert profile.clean(example)[1] == []


def test_what_comes_out_goes_in_again_unchanged(profile):
    given_metadata = {
        "contact_email": "dulieu@example.vn",
        "title": {"en": "Schools", "vi": " Trường\u00a0 học "},
        "description": "Dòng một\r\n\r\n- dòng hai  \n",
        "keywords": {"vi": "trường học; giáo dục", "en": ["schools", "Giáo dục"]},
        "theme": "Giáo dục",
        "publisher": "Bộ Giáo dục và Đào tạo",
        "license": "CC-BY-4.0",
        "frequency": "annual",
        "place": "TP.HCM",
        "issued": dt.date(2026, 9, 5),
        "modified": "2026-09-30T18:00:00Z",
        "source": None,
    }
    cleaned, errors = profile.clean(given_metadata)
    assert errors == []
    assert cleaned == {
        "title": {"vi": "Trường học", "en": "Schools"},
        "description": {"vi": "Dòng một\n\n- dòng hai"},
        "keywords": ["trường học", "giáo dục", "schools"],
        "theme": "giao-duc",
        "publisher": "BGDDT",
        "place": "79",
        "license": "cc-by-4.0",
        "frequency": "ANNUAL",
        "issued": "2026-09-05",
        "modified": "2026-10-01",
        "contact_email": "dulieu@example.vn",
    }
    assert list(cleaned) == [name for name in profile.by_name if name in cleaned]
    assert profile.clean(json.loads(json.dumps(cleaned))) == (cleaned, [])


def test_a_text_is_vietnamese_until_said_otherwise(profile):
    assert clean_one(profile, "title", "Trường học") == {"vi": "Trường học"}
    assert clean_one(profile, "title", {"en": "Schools"}) == {"en": "Schools"}


def test_decomposed_text_is_composed_and_control_characters_go(profile):
    decomposed = unicodedata.normalize("NFD", "Dữ liệu Đắk Lắk")
    assert clean_one(profile, "title", f"\x00{decomposed}\x07\u2028") == {"vi": "Dữ liệu Đắk Lắk"}


def test_halves_of_surrogate_pairs_never_come_out(profile):
    broken = {"title": "Dữ\ud800liệu", "publisher": "BGDDT", "theme": "y\udfff", "t\ud800": "x"}
    cleaned, errors = profile.clean(broken)
    json.dumps(cleaned, ensure_ascii=False).encode("utf-8")
    assert {error.field for error in errors} >= {"theme"}
    for error in errors:
        f"{error.field} {error.message()}".encode()


def test_required_fields(profile):
    cleaned, errors = profile.clean({"title": "  ", "publisher": None})
    assert cleaned == {}
    assert [error.field for error in errors] == ["title", "publisher"]
    assert profile.clean({}, require=False) == ({}, [])


@pytest.mark.parametrize("empty", [None, "", " \n ", [], {}])
def test_empty_is_not_given(profile, empty):
    for name in profile.by_name:
        if name not in LEAST:
            assert clean_one(profile, name, empty) is None, name


def test_an_unknown_field_is_an_error_that_names_the_known_ones(profile):
    message = error_of(profile, "titel", "x")
    assert "“titel”" in message
    assert "title, description" in message


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("title", 7, "must be text"),
        ("title", ["a"], "one text a language"),
        ("title", {"fr": "Écoles"}, "no language “fr”"),
        ("title", {"vi": 3}, "must be text"),
        ("title", "a" * 301, "At most 300 characters; this has 301"),
        ("keywords", 5, "list of words"),
        ("keywords", ["a", 5], "must be text"),
        ("keywords", {"fr": ["a"]}, "no language"),
        ("keywords", [f"từ {n}" for n in range(31)], "At most 30 keywords; there are 31"),
        ("keywords", ["a" * 101], "At most 100 characters"),
        ("theme", "giao-dục-x", "Did you mean “giao-duc”"),
        ("theme", "zzzzzz", "Choose a code"),
        ("theme", 4, "code from the list"),
        ("place", "27", "Choose a code"),
        ("publisher", "không có", "not in the list"),
        ("publisher", "A" * 36, "not in the list"),
        ("issued", "31/12/2026", "year-month-day"),
        ("issued", "2026-02-30", "not a date"),
        ("issued", 2026, "not a date"),
        ("issued", True, "not a date"),
        ("issued", "0001-01-01T00:00:00+14:00", "not a date"),
        ("contact_email", "not an address", "e-mail address"),
        ("contact_email", "a@b", "e-mail address"),
        ("source_url", "javascript:alert(1)", "web address"),
        ("source_url", "ftp://example.vn/a", "web address"),
        ("source_url", "https://", "web address"),
        ("source_url", "http://[::1", "web address"),
        ("source_url", "x" * 2001, "At most 2000"),
    ],
)
def test_a_wrong_value_is_said_in_a_sentence(profile, name, value, says):
    assert says in error_of(profile, name, value)


def test_a_wrong_value_is_quoted_short(profile):
    assert len(error_of(profile, "theme", "dài " * 10_000)) < 200


def test_agencies_added_to_a_running_portal_are_taken_by_their_form(profile):
    assert clean_one(profile, "publisher", "H41.12") == "H41.12"


def test_the_period_ends_after_it_begins(profile):
    cleaned, errors = profile.clean(LEAST | {"period_start": "2026-02-01", "period_end": "2026-01-31"})
    assert [error.field for error in errors] == ["period_end"]
    assert "2026-02-01" in errors[0].message()
    assert profile.clean(LEAST | {"period_start": "2026-02-01", "period_end": "2026-02-01"})[1] == []
    assert cleaned["period_start"] == "2026-02-01"


def test_all_wrong_fields_are_named_at_once(profile):
    _, errors = profile.clean({"title": 1, "theme": "x", "issued": "x", "colour": "x"})
    assert {error.field for error in errors} == {"title", "theme", "issued", "colour", "publisher"}


def test_what_would_make_it_better(profile):
    cleaned, _ = profile.clean(LEAST)
    names = [field.name for field in profile.missing_recommended(cleaned)]
    assert names == ["description", "keywords", "theme", "license", "frequency"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first draw builds Unicode tables
@given(metadata=st.dictionaries(st.sampled_from([*FIELDS, "other"]), json_values))
def test_whatever_is_given_comes_out_storable_and_stable(profile, metadata):
    cleaned, errors = profile.clean(metadata)
    for error in errors:
        error.message().encode("utf-8")
    json.dumps(cleaned, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert profile.clean(cleaned, require=False)[0] == cleaned


def copy_schemas(folder):
    (folder / "dataset_profile.json").write_bytes((SCHEMAS / "dataset_profile.json").read_bytes())
    return folder / "dataset_profile.json"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: data["fields"][0].update(kind="colour"), "no kind 'colour'"),
        (lambda data: data["fields"][0].update(group="attic"), "no group 'attic'"),
        (lambda data: data["fields"][3].update(vocabulary="colours"), "colours"),
        (lambda data: data["fields"][0].pop("labels"), "labels"),
        (lambda data: data.pop("groups"), "'groups' is missing"),
    ],
)
def test_a_spoilt_profile_is_refused_with_the_point(tmp_path, spoil, reason):
    path = copy_schemas(tmp_path)
    data = json.loads(path.read_text(encoding="utf-8"))
    spoil(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(BrokenVocabularyError) as caught:
        load_profile(tmp_path, load_vocabularies(SCHEMAS))
    assert reason in str(caught.value)
