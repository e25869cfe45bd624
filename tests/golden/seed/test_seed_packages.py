"""The seed datasets: valid for any Data Package tool, complete in both languages, and true to what they say."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import json
import re
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # comes with frictionless, without types
import pytest
from frictionless import Package, Resource
from openpyxl import load_workbook

from opendata.catalogue.profile import load_profile
from opendata.catalogue.seed_packages import BrokenSeedPackageError, read_packages
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled

SEED = bundled("seed_datasets")
SCHEMAS = bundled("catalog_schemas")
FOLDERS = sorted(path.name for path in SEED.iterdir() if path.is_dir())
ROWS = json.loads((Path(__file__).parent / "seed_rows.json").read_text(encoding="utf-8"))
MEGABYTE = 1 << 20

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:frictionless", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def packages():
    return {package.slug: package for package in read_packages(SEED)}


@pytest.fixture(scope="module")
def vocabularies():
    return load_vocabularies(SCHEMAS)


def descriptor(slug):
    return json.loads((SEED / slug / "datapackage.json").read_text(encoding="utf-8"))


def table(slug, name, delimiter=","):
    with (SEED / slug / name).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=delimiter))


def texts_of(value):
    """Every text inside, with the key it stands under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ((found_key or key, text) for found_key, text in texts_of(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)
    elif isinstance(value, str):
        yield "", value


def test_there_are_enough_and_they_are_small():
    assert len(FOLDERS) >= 14
    assert sum(path.stat().st_size for path in SEED.rglob("*") if path.is_file()) < 2 * MEGABYTE


@pytest.mark.parametrize("slug", FOLDERS)
def test_the_descriptor_obeys_our_schema(slug):
    schema = json.loads((SCHEMAS / "json_schemas/seed_package.schema.json").read_text(encoding="utf-8"))
    found = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(descriptor(slug))]
    assert found == []
    assert descriptor(slug)["name"] == slug


def tables(slug):
    """The package's tables as frictionless resources. JSON goes in as records: its own reader is an extra."""
    for resource in Package(str(SEED / slug / "datapackage.json")).resources:
        if resource.format != "json":
            yield resource.name, resource
            continue
        records = json.loads((SEED / slug / resource.path).read_text(encoding="utf-8"))
        yield resource.name, Resource(data=records, schema=resource.schema)


@pytest.mark.parametrize("slug", FOLDERS)
def test_every_table_validates_clean(slug):
    """The semicolon and decimal-comma files are clean too, under the dialect and formats they declare."""
    for name, resource in tables(slug):
        report = resource.validate()
        assert report.flatten(["title", "rowNumber", "fieldName", "note"]) == [], name
        assert report.valid


@pytest.mark.parametrize("slug", FOLDERS)
def test_rows_are_as_many_as_the_golden_list_and_the_description_say(slug):
    counted = {name: len(resource.read_rows()) for name, resource in tables(slug)}
    assert counted == ROWS[slug]
    for entry in descriptor(slug)["resources"]:
        for language, text in entry["opendata"]["description"].items():
            said = re.search(r"([\d.,]+) (?:dòng|bản ghi|rows|records)", text)
            if said and said.group(1).replace(".", "").replace(",", "").isdigit():
                assert int(re.sub(r"\D", "", said.group(1))) == counted[entry["name"]], (
                    entry["name"],
                    language,
                )


@pytest.mark.parametrize("slug", FOLDERS)
def test_the_metadata_passes_the_profile(slug, packages, vocabularies):
    cleaned, errors = load_profile(SCHEMAS, vocabularies).clean(packages[slug].metadata)
    assert errors == []
    for name in ("title", "description", "source"):
        assert set(cleaned[name]) == {"vi", "en"}, name
    assert {"theme", "license", "frequency", "place", "keywords", "issued", "modified"} <= set(cleaned)
    assert cleaned["issued"] <= cleaned["modified"]
    assert vocabularies.agencies.get(cleaned["publisher"]).is_current
    assert vocabularies.licences.get(cleaned["license"]).is_open


@pytest.mark.parametrize("slug", FOLDERS)
def test_standard_tools_see_the_vietnamese_of_the_catalogue(slug):
    package = descriptor(slug)
    assert package["title"] == package["opendata"]["title"]["vi"]
    assert package["description"] == package["opendata"]["description"]["vi"]
    assert package["keywords"] == package["opendata"]["keywords"]["vi"]
    for entry in package["resources"]:
        for thing in (entry, *entry["schema"]["fields"]):
            assert thing["title"] == thing["opendata"]["title"]["vi"]
            assert thing["description"] == thing["opendata"]["description"]["vi"]


@pytest.mark.parametrize("slug", FOLDERS)
def test_texts_are_composed_and_in_their_language(slug):
    package = descriptor(slug)
    for key, text in texts_of(package):
        assert text == unicodedata.normalize("NFC", text)
        assert text == text.strip()
        assert "  " not in text
        assert not re.search(r"<[a-z]", text), "Markdown only, no HTML"
        if key == "en" and text[0].isascii():
            # Vietnamese letters in an English sentence are names (Tết) or values quoted between “ ”.
            bare = re.sub(r"“[^”]*”|\([^)]*\)|Tết", "", text)
            assert not re.search(r"[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]", bare), text
    assert len(package["opendata"]["description"]["vi"]) > 80
    assert len(package["opendata"]["description"]["en"]) > 80


@pytest.mark.parametrize("slug", FOLDERS)
def test_a_source_is_named(slug):
    package = descriptor(slug)
    assert package["sources"]
    assert all(source["title"] for source in package["sources"])
    assert "CC BY-SA" not in json.dumps(package, ensure_ascii=False)


@pytest.mark.parametrize("slug", FOLDERS)
def test_nothing_lies_in_the_folder_that_the_package_does_not_name(slug):
    named = {entry["path"] for entry in descriptor(slug)["resources"]}
    assert {path.name for path in (SEED / slug).iterdir()} == named | {"datapackage.json"}


def test_facets_have_something_to_show(packages, vocabularies):
    metadata = [package.metadata for package in packages.values()]
    assert {m["theme"] for m in metadata} == {theme.code for theme in vocabularies.themes}
    for name, least in (("publisher", 12), ("license", 4), ("frequency", 6), ("place", 3)):
        assert len({m[name] for m in metadata}) >= least, name
    kinds = Counter(resource.path.suffix for package in packages.values() for resource in package.resources)
    assert kinds[".xlsx"] >= 1
    assert kinds[".json"] >= 1
    assert kinds[".csv"] >= 10


def test_the_seed_shows_what_files_of_offices_are_like():
    """Leading zeros, day-first dates, decimal commas with semicolons and a byte order mark, two sheets."""
    assert table("danh-muc-xa-phuong-dac-khu", "xa_phuong_dac_khu.csv")[0]["ma_xa"] == "00004"
    assert table("sap-xep-63-thanh-34-tinh", "sap_xep_63_34.csv")[0]["hieu_luc_tu"] == "01/07/2025"
    office = (SEED / "dien-tich-dan-so-34-tinh/dien_tich_dan_so.csv").read_bytes()
    assert office.startswith(b"\xef\xbb\xbf")
    assert b";3.359,80;8.718.000;" in office
    assert b"\r\n" in office
    assert load_workbook(SEED / "ngay-nghi-le-tet/ngay_nghi_le_tet.xlsx").sheetnames == [
        "Ngày nghỉ",
        "Lịch Tết",
    ]


def test_a_workbook_is_one_file_with_a_table_a_sheet(packages):
    (resource,) = packages["ngay-nghi-le-tet"].resources
    assert [found.name for found in resource.tables] == ["Ngày nghỉ", "Lịch Tết"]
    assert resource.table_schema == resource.tables[0].table_schema
    assert set(resource.title) == {"vi", "en"}


def test_generated_data_says_so_everywhere(packages):
    package = packages["quan-trac-khong-khi-minh-hoa"]
    for texts in (
        package.metadata["title"],
        package.metadata["description"],
        package.resources[0].title,
        package.resources[0].description,
    ):
        assert "dữ liệu minh hoạ, sinh ngẫu nhiên" in texts["vi"].lower()
        assert "demonstration data, randomly generated" in texts["en"].lower()


def test_provinces_agree_with_the_vocabulary(vocabularies):
    rows = table("dien-tich-dan-so-34-tinh", "dien_tich_dan_so.csv", ";")
    named = {row["Mã tỉnh"]: row["Tên tỉnh, thành phố"] for row in rows}
    assert named == {p.code: p.label("vi") for p in vocabularies.places if p.kind != "country"}
    units = [int(row[name]) for row in rows for name in ("Số phường", "Số xã", "Số đặc khu")]
    assert sum(units) == 3321


def test_communes_belong_to_provinces_of_the_vocabulary(vocabularies):
    rows = table("danh-muc-xa-phuong-dac-khu", "xa_phuong_dac_khu.csv")
    assert len({row["ma_xa"] for row in rows}) == len(rows) == 3321
    assert {(row["ma_tinh"], row["ten_tinh"]) for row in rows} == {
        (p.code, p.label("vi")) for p in vocabularies.places if p.kind != "country"
    }
    assert Counter(row["loai"] for row in rows)["Đặc khu"] == 13


def test_mergers_agree_with_the_vocabulary(vocabularies):
    rows = table("sap-xep-63-thanh-34-tinh", "sap_xep_63_34.csv")
    assert len({row["ma_cu"] for row in rows}) == len(rows) == 63
    assert len({row["ma_moi"] for row in rows}) == 34
    assert Counter(row["vung"] for row in rows) == {
        "Trung du và miền núi phía Bắc": 14,
        "Đồng bằng sông Hồng": 11,
        "Bắc Trung Bộ và duyên hải miền Trung": 14,
        "Tây Nguyên": 5,
        "Đông Nam Bộ": 6,
        "Đồng bằng sông Cửu Long": 13,
    }
    for row in rows:
        before = vocabularies.place_on(row["ma_cu"], dt.date(2025, 6, 30))
        after = vocabularies.place_on(row["ma_moi"], dt.date(2025, 7, 1))
        assert (before.full_labels["vi"], after.full_labels["vi"]) == (row["ten_cu"], row["ten_moi"])


def test_ministries_agree_with_the_vocabulary(vocabularies):
    records = json.loads((SEED / "bo-nganh-va-co-quan-ke-thua/bo_nganh.json").read_text(encoding="utf-8"))
    assert len({record["ten_moi"] for record in records}) == 17
    for record in records:
        successor = vocabularies.agencies.get(record["ma_tren_cong"])
        assert successor.label("vi") == record["ten_moi"]
        old = vocabularies.agencies.find(record["ten_cu"])
        assert successor.code in {old.code, old.successor}


def test_code_lists_are_those_of_the_catalogue(vocabularies):
    for name, vocabulary in (
        ("chu_de.csv", vocabularies.themes),
        ("giay_phep.csv", vocabularies.licences),
        ("tan_suat.csv", vocabularies.frequencies),
    ):
        rows = table("danh-muc-dung-chung-cua-cong", name)
        assert [(row["ma"], row["ten"], row["ten_tieng_anh"]) for row in rows] == [
            (term.code, term.label("vi"), term.label("en")) for term in vocabulary
        ]


def test_census_parts_add_up():
    for row in table("dan-so-qua-cac-cuoc-tong-dieu-tra", "tong_dieu_tra.csv"):
        assert int(row["nam"]) + int(row["nu"]) == int(row["tong_so"])
        if row["thanh_thi"]:
            assert int(row["thanh_thi"]) + int(row["nong_thon"]) == int(row["tong_so"])


def test_budget_plans_add_up_to_the_published_totals_of_2010():
    """Decision 3234/QĐ-BTC of 21 Dec 2009: 492,500,000 and 211,763,272 million VND."""
    rows = [r for r in table("du-toan-ngan-sach-tinh-2006-2015", "du_toan_tinh.csv") if r["nam"] == "2010"]
    assert sum(float(row["tong_thu"]) for row in rows) == 492_500_000
    assert abs(sum(float(row["tong_chi"]) for row in rows) - 211_763_272) <= 1


def test_ethnic_groups():
    rows = table("cac-dan-toc-viet-nam", "dan_toc.csv")
    assert [row["ma_dan_toc"] for row in rows] == [f"{number:02d}" for number in range(1, 55)]
    assert len({row["ten_dan_toc"] for row in rows}) == 54
    groups = Counter(row["nhom_ngon_ngu"] for row in rows)
    assert sorted(groups.values(), reverse=True) == [21, 8, 6, 5, 4, 4, 3, 3]


def test_solar_terms_come_in_order_every_fifteen_degrees():
    rows = table("lich-24-tiet-khi", "tiet_khi.csv")
    longitudes = [int(row["kinh_do_mat_troi"]) for row in rows]
    days = [dt.date.fromisoformat(row["ngay_bat_dau"]) for row in rows]
    assert all((after - before) % 360 == 15 for before, after in itertools.pairwise(longitudes))
    assert all(14 <= (after - before).days <= 17 for before, after in itertools.pairwise(days))


def test_tet_falls_between_21_january_and_20_february():
    sheet = load_workbook(SEED / "ngay-nghi-le-tet/ngay_nghi_le_tet.xlsx")["Lịch Tết"]
    dates = {row[0]: row[2].date() for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert list(dates) == list(range(2015, 2031))
    assert all((1, 21) <= (day.month, day.day) <= (2, 20) and day.year == year for year, day in dates.items())
    # As kept in these years; 2030 is one of those in which Viet Nam and China differ.
    assert (dates[2020], dates[2025], dates[2030]) == (
        dt.date(2020, 1, 25),
        dt.date(2025, 1, 29),
        dt.date(2030, 2, 2),
    )


def test_character_codes_are_those_of_unicode():
    rows = table("bang-chu-cai-tieng-viet", "ky_tu.csv")
    for row in rows:
        assert ord(row["ky_tu"]) == int(row["ma_nfc"].removeprefix("U+"), 16)
        taken_apart = "".join(chr(int(code.removeprefix("U+"), 16)) for code in row["ma_nfd"].split())
        assert unicodedata.normalize("NFC", taken_apart) == row["ky_tu"]
        assert bytes.fromhex(row["utf8_hex"]).decode() == row["ky_tu"]


def test_reader_refuses_what_is_no_package(tmp_path):
    folder = tmp_path / "hong"
    folder.mkdir()
    for content, reason in (
        ("{", "Expecting"),
        ("{}", "'resources' is missing"),
        (
            '{"name": "hong", "opendata": {}, "resources": [{"path": "a.csv", "opendata": {}}]}',
            "a.csv is not there",
        ),
        ("[]", ""),
    ):
        (folder / "datapackage.json").write_text(content, encoding="utf-8")
        with pytest.raises(BrokenSeedPackageError) as caught:
            list(read_packages(tmp_path))
        assert reason in str(caught.value)
        assert "hong" in str(caught.value)


def test_workbooks_hold_values_only():
    for path in SEED.rglob("*.xlsx"):
        with zipfile.ZipFile(path) as archive:
            assert not [
                name for name in archive.namelist() if "vba" in name.lower() or "external" in name.lower()
            ]
        for sheet in load_workbook(path):
            assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
