"""The vocabularies that ship: well formed, complete, without contradictions; and how they are looked up."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # comes with frictionless, without types
import pytest

from opendata.catalogue.search_names import alias_key
from opendata.catalogue.vocabularies import BrokenVocabularyError, Vocabularies, load_vocabularies
from opendata.kernel.bundled import bundled

SCHEMAS = bundled("catalog_schemas")
KINDS = ("themes", "licences", "frequencies", "places", "regions", "agencies", "formats", "aliases")
MERGERS = Path(__file__).parents[4] / "shared/data/vn/derived/province_63_to_34.csv"
LAST_DAY_OF_63 = dt.date(2025, 6, 30)


@pytest.fixture(scope="module")
def vocabularies() -> Vocabularies:
    return load_vocabularies(SCHEMAS)


def former_63(vocabularies):
    """(old code, old name) → code of today, for the 63 units of the day before the merger."""
    return {
        (old.code, old.full_labels["vi"]): place.code
        for place in vocabularies.places
        for old in place.predecessors
        if old.valid_to == LAST_DAY_OF_63
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_obeys_its_json_schema(kind):
    schema = json.loads((SCHEMAS / "json_schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    data = json.loads((SCHEMAS / "vocabularies" / f"{kind}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    found = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(data)]
    assert found == []


def test_every_json_schema_has_its_file():
    named = {path.name.removesuffix(".schema.json") for path in (SCHEMAS / "json_schemas").iterdir()}
    assert named == {*KINDS, "dataset_profile", "seed_package"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "aliases"])
def test_no_name_means_two_terms_in_force(vocabularies, kind):
    owner: dict[str, str] = {}
    for term in vocabularies.named(kind).current():
        for name in {text.casefold() for text in (term.code, *term.labels.values(), *term.aliases)}:
            assert owner.setdefault(name, term.code) == term.code, f"{name} is {owner[name]} and {term.code}"


def test_themes_are_the_twelve_of_the_national_portal_and_the_rest_of_the_eu_table(vocabularies):
    assert [t.label("vi") for t in vocabularies.themes if t.native] == [
        "Nông nghiệp",
        "Kinh tế – Thương mại",
        "Tài chính",
        "Giáo dục",
        "Y tế",
        "Lao động",
        "Xã hội",
        "Môi trường",
        "Năng lượng",
        "Cơ sở hạ tầng",
        "Công nghệ",
        "Địa phương",
    ]
    assert {t.eu for t in vocabularies.themes if not t.native} == {"GOVE", "JUST", "INTR"}
    assert len({t.icon for t in vocabularies.themes}) == len(vocabularies.themes)


def test_places_are_seven_cities_and_twenty_seven_provinces(vocabularies):
    kinds = [place.kind for place in vocabularies.places]
    assert (kinds.count("city"), kinds.count("province"), kinds.count("country")) == (7, 27, 1)


def test_sixty_three_old_units_lead_to_thirty_four(vocabularies):
    old = former_63(vocabularies)
    assert len(old) == 63
    assert len(set(old.values())) == 34


def test_mergers_equal_the_independent_table(vocabularies):
    if not MERGERS.exists():
        pytest.skip("the shared test data is not here")
    with MERGERS.open(encoding="utf-8") as lines:
        table = {(row["old_code"], row["old_name"]): row["new_code"] for row in csv.DictReader(lines)}
    assert former_63(vocabularies) == table


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("15", "Yên Bái", "Lào Cai"),
        ("24", "Bắc Giang", "Bắc Ninh"),
        ("44", "Quảng Bình", "Quảng Trị"),
        ("52", "Bình Định", "Gia Lai"),
        ("80", "Long An", "Tây Ninh"),
        ("82", "Tiền Giang", "Đồng Tháp"),
        ("91", "Kiên Giang", "An Giang"),
        ("01", "Hà Nội", "Hà Nội"),
    ],
)
def test_a_code_is_looked_up_with_its_day(vocabularies, code, before, after):
    assert vocabularies.place_on(code, LAST_DAY_OF_63).label("vi") == before
    assert vocabularies.place_on(code, dt.date(2025, 7, 1)).label("vi") == after


def test_a_unit_that_changed_kind_keeps_its_history(vocabularies):
    assert vocabularies.place_on("75", dt.date(2026, 4, 29)).full_labels["vi"] == "Tỉnh Đồng Nai"
    assert vocabularies.place_on("75", dt.date(2026, 4, 30)).full_labels["vi"] == "Thành phố Đồng Nai"
    assert vocabularies.place_on("46", dt.date(2024, 12, 31)).label("vi") == "Thừa Thiên Huế"
    assert vocabularies.place_on("99", dt.date(2026, 1, 1)) is None


def test_no_code_has_two_owners_on_one_day(vocabularies):
    units = [unit for place in vocabularies.places for unit in (place, *place.predecessors)]
    first, last = dt.date.min, dt.date.max
    for one in units:
        for other in units:
            if one is other or one.code != other.code:
                continue
            starts = max(one.valid_from or first, other.valid_from or first)
            ends = min(one.valid_to or last, other.valid_to or last)
            # Where the source does not say since when, the earlier end is the border.
            unknown = one.valid_from is None or other.valid_from is None
            assert starts > ends or (unknown and one.valid_to != other.valid_to), (one, other)


def test_agencies_in_force(vocabularies):
    kinds = [agency.kind for agency in vocabularies.agencies.current()]
    assert kinds.count("ministry") == 14
    assert kinds.count("ministerial-agency") == 3
    assert kinds.count("provincial-committee") == 34


def test_every_successor_parent_and_place_is_there(vocabularies):
    for agency in vocabularies.agencies:
        assert agency.place in vocabularies.places, agency.code
        assert agency.parent is None or agency.parent in vocabularies.agencies, agency.code
        assert (agency.successor is None) == agency.is_current, agency.code
        if agency.successor:
            assert vocabularies.agencies.get(agency.successor).is_current, agency.code


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("BTTTT", "BKHCN"),
        ("BKHDT", "BTC"),
        ("BGTVT", "BXD"),
        ("BTNMT", "BNNMT"),
        ("BNNPTNT", "BNNMT"),
        ("BLDTBXH", "BNV"),
        ("UBND.BACGIANG", "UBND.BACNINH"),
    ],
)
def test_who_took_over(vocabularies, old, new):
    assert vocabularies.agencies.get(old).successor == new


def test_every_province_has_one_committee_in_force(vocabularies):
    seats = [a.place for a in vocabularies.agencies.current() if a.kind == "provincial-committee"]
    assert sorted(seats) == sorted(p.code for p in vocabularies.places if p.kind != "country")


def test_only_frequencies_with_a_rhythm_can_be_overdue(vocabularies):
    endless = {f.code for f in vocabularies.frequencies if f.expected_days is None}
    assert endless == {"AS_NEEDED", "IRREG", "NEVER", "UNKNOWN"}
    days = [f.expected_days for f in vocabularies.frequencies if f.expected_days]
    assert days == sorted(days)


def test_the_repealed_terms_are_a_licence_of_their_own(vocabularies):
    decree = vocabularies.licences.get("nd-47-2020")
    assert decree.valid_to == dt.date(2025, 8, 18)
    assert "18 Aug 2025" in decree.note["en"]
    assert decree not in vocabularies.licences.current()


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("themes", "y-te", "y-te"),
        ("themes", "Y tế", "y-te"),
        ("themes", "HEAL", "y-te"),
        ("themes", "http://publications.europa.eu/resource/authority/data-theme/HEAL", "y-te"),
        ("themes", "SOCI", "xa-hoi"),
        ("licences", "CC-BY-4.0", "cc-by-4.0"),
        ("licences", "cc by 4.0", "cc-by-4.0"),
        ("frequencies", "hàng năm", "ANNUAL"),
        ("frequencies", "annual", "ANNUAL"),
        ("places", "Thành phố Hồ Chí Minh", "79"),
        ("places", "Sài Gòn", "79"),
        ("places", "Bắc Giang", "24"),
        ("places", "bac giang", "24"),
        ("places", "Bắc Ninh", "24"),
        ("places", "Ba\u0306\u0301c Ninh", "24"),
        ("agencies", "Bộ Tài chính", "BTC"),
        ("agencies", "Bộ TT&TT", "BTTTT"),
        ("agencies", "bnv", "BNV"),
    ],
)
def test_a_term_is_found_by_the_names_people_and_feeds_use(vocabularies, kind, given, code):
    assert vocabularies.named(kind).find(given).code == code


def test_what_is_not_there_is_not_found(vocabularies):
    assert vocabularies.themes.find("the thao") is None
    assert vocabularies.places.find("27") is None  # the old code of Bắc Ninh, in use no more
    assert vocabularies.themes.label("gone", "vi") == "gone"


def test_lists_for_people_are_in_dictionary_order(vocabularies):
    names = [place.label("vi") for place in vocabularies.places.by_label("vi")]
    assert names.index("Cà Mau") < names.index("Cao Bằng") < names.index("Cần Thơ") < names.index("Đà Nẵng")
    assert names.index("Hà Tĩnh") < names.index("Hải Phòng") < names.index("Hồ Chí Minh") < names.index("Huế")
    assert not any(not agency.is_current for agency in vocabularies.agencies.by_label("vi"))


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("TP.HCM", "Hồ Chí Minh"),
        ("tphcm", "Hồ Chí Minh"),
        ("sai gon", "Hồ Chí Minh"),
        ("Hồ Chí Minh", "Sài Gòn"),
        ("hn", "Hà Nội"),
        ("UBND", "Ủy ban nhân dân"),
        ("uỷ ban nhân dân", "UBND"),
        ("gdp", "tổng sản phẩm trong nước"),
        ("Bắc Giang", "Bắc Ninh"),
        ("vung tau", "Hồ Chí Minh"),
        ("BRVT", "Bà Rịa - Vũng Tàu"),
        ("Bộ TT&TT", "Bộ Khoa học và Công nghệ"),
        ("BTTTT", "Bộ Thông tin và Truyền thông"),
        ("Tổng cục Thống kê", "Cục Thống kê"),
    ],
)
def test_search_aliases(vocabularies, typed, means):
    assert means in vocabularies.search_aliases[alias_key(typed)]


def test_search_aliases_lead_to_other_words_only(vocabularies):
    for key, phrases in vocabularies.search_aliases.items():
        assert key == alias_key(key)
        assert phrases
        keys = [alias_key(phrase) for phrase in phrases]
        assert key not in keys
        assert len(set(keys)) == len(keys)


def test_the_successor_does_not_mean_its_predecessor_but_knows_it(vocabularies):
    assert "Bắc Giang" not in vocabularies.search_aliases.get("bac ninh", ())
    assert "Bắc Giang" in vocabularies.former_names["bac ninh"]
    assert "Bộ Kế hoạch và Đầu tư" in vocabularies.former_names["bo tai chinh"]


def test_names_for_the_index_include_the_old_ones(vocabularies):
    assert {"Hồ Chí Minh", "Sài Gòn", "Bình Dương", "Vũng Tàu"} <= set(vocabularies.place_names("79"))
    assert {"Bộ Giao thông vận tải", "Ministry of Construction"} <= set(vocabularies.agency_names("BXD"))
    assert vocabularies.place_names("zz") == ()
    assert vocabularies.agency_names("ZZ") == ()


def test_formats_by_ending(vocabularies):
    assert vocabularies.format_of(".XLSX").code == "xlsx"
    assert vocabularies.format_of("pdf").machine_readable is False
    assert vocabularies.format_of("exe") is None
    endings = [ending for kind in vocabularies.formats for ending in kind.extensions]
    assert len(set(endings)) == len(endings)


def copy_schemas(folder):
    (folder / "vocabularies").mkdir()
    for path in (SCHEMAS / "vocabularies").iterdir():
        (folder / "vocabularies" / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: data["terms"].append(data["terms"][0]), "there twice"),
        (lambda data: data.pop("terms"), "'terms' is missing"),
        (lambda data: data["terms"][0].pop("labels"), "labels"),
        (lambda data: data["terms"][0].update(colour="red"), "colour"),
        (lambda data: data.update(terms="none"), ""),
    ],
)
def test_a_spoilt_file_is_named(tmp_path, spoil, reason):
    path = copy_schemas(tmp_path) / "vocabularies" / "themes.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    spoil(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(BrokenVocabularyError, match=r"themes\.json") as caught:
        load_vocabularies(tmp_path)
    assert reason in str(caught.value)


@pytest.mark.parametrize("content", ["", "[1, 2", "\x00"])
def test_a_file_that_is_no_json_is_named(tmp_path, content):
    (copy_schemas(tmp_path) / "vocabularies" / "aliases.json").write_text(content, encoding="utf-8")
    with pytest.raises(BrokenVocabularyError, match=r"aliases\.json"):
        load_vocabularies(tmp_path)


def test_every_province_is_in_one_region(vocabularies):
    parts = sorted(code for region in vocabularies.regions for code in region.parts)
    assert parts == sorted(place.code for place in vocabularies.places if place.kind != "country")
    assert vocabularies.around("01") == ("01", "dong-bang-song-hong")
    assert vocabularies.around("VN") == ("VN",)


@pytest.mark.parametrize(
    ("text", "code"),
    [("Hà Giang", "08"), ("02", "08"), ("hà giang", "08"), ("24", "24"), ("Bắc Giang", "24"), ("VN", "VN"),
     ("Tây Nguyên", "nam-trung-bo-tay-nguyen"), ("dong-nam-bo", "dong-nam-bo"), ("Atlantis", "Atlantis")],
)  # fmt: skip
def test_what_is_no_more_leads_to_the_place_of_today(vocabularies, text, code):
    assert vocabularies.place_today(text) == code


def test_every_unit_of_the_63_leads_to_its_heir(vocabularies):
    for (_, name), code in former_63(vocabularies).items():
        assert vocabularies.place_today(name) == code
