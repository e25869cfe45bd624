"""What columns mean: true ones are recognised, and what merely looks alike is not."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.meanings.recognise import recognise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.slices.meanings.conftest import Table

RANDOM = random.Random(34)

# Names and codes as published; communes and their codes of 2025 from the General Statistics Office's list.
CODES_OF_TODAY = ["01", "04", "08", "11", "12", "14", "15", "19", "20", "22", "24", "25"]
CODES_OF_63 = ["02", "06", "10", "17", "26", "27", "30", "34", "35", "36", "49", "54"]
NAMES_OF_TODAY = [
    "Hà Nội",
    "Cao Bằng",
    "Tuyên Quang",
    "Điện Biên",
    "Lai Châu",
    "Sơn La",
    "Lào Cai",
    "Thái Nguyên",
    "Lạng Sơn",
    "Quảng Ninh",
    "Bắc Ninh",
]
FORMER_NAMES = [
    "Hà Giang",
    "Bắc Kạn",
    "Yên Bái",
    "Hòa Bình",
    "Bắc Giang",
    "Vĩnh Phúc",
    "Hải Dương",
    "Thái Bình",
    "Hà Nam",
    "Nam Định",
]
COMMUNES = [
    ("00004", "Phường Ba Đình"),
    ("00008", "Phường Ngọc Hà"),
    ("00025", "Phường Giảng Võ"),
    ("00070", "Phường Hoàn Kiếm"),
    ("00082", "Phường Cửa Nam"),
    ("00091", "Phường Phú Thượng"),
    ("00097", "Phường Hồng Hà"),
    ("00103", "Phường Tây Hồ"),
    ("00118", "Phường Bồ Đề"),
    ("00127", "Phường Việt Hưng"),
    ("00136", "Phường Phúc Lợi"),
]
# Tax codes that companies print on their own pages: Viettel, Vinamilk, FPT, MobiFone, VNPT, EVN, and banks.
TAX_CODES = [
    "0100109106",
    "0300588569",
    "0101248141",
    "0100686209",
    "0100684378",
    "0100100079",
    "0100112437",
    "0100111948",
    "0100150619",
    "0100107518",
]
MOBILES = [f"09{RANDOM.choice('012346789')}{RANDOM.randrange(10**7):07d}" for _ in range(40)]
CITIZENS = [
    f"0{RANDOM.choice(('01', '79', '48', '92'))}{RANDOM.choice('01')}{RANDOM.randrange(50, 99)}{RANDOM.randrange(10**6):06d}"
    for _ in range(40)
]
PEOPLE = [
    f"{family} {middle} {given}"
    for family in ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh")
    for middle in ("Văn", "Thị", "Đức")
    for given in ("An", "Bình", "Hương")
]

TRUE: list[tuple[str, str, str, list[Any]]] = [
    ("province-code-34", "Mã tỉnh", "string", CODES_OF_TODAY),
    ("province-code-34", "provinceCode", "integer", [int(code) for code in CODES_OF_TODAY]),
    ("province-code-63", "ma_tinh", "string", CODES_OF_TODAY[:3] + CODES_OF_63),
    ("province-code-63", "MA_TP", "integer", [2, 6, 10, 1]),
    ("province-code", "Mã TP", "string", ["01", "79"]),
    ("province-name-34", "Tỉnh, thành phố", "string", [f"Tỉnh {name}" for name in NAMES_OF_TODAY]),
    ("province-name-34", "Đơn vị", "string", NAMES_OF_TODAY),
    ("province-name-63", "địa phương", "string", NAMES_OF_TODAY + FORMER_NAMES),
    ("province-name-63", "Tên", "string", ["TP. Hà Nội", "Hoa Binh", *FORMER_NAMES, "ĐỒNG NAI"]),
    ("province-name", "Tỉnh", "string", ["Hà Nội", "TP Hồ Chí Minh", "Đà Nẵng"]),
    ("commune-code-2025", "Mã xã", "string", [code for code, _ in COMMUNES]),
    ("commune-code-2025", "ward_code", "integer", [int(code) for code, _ in COMMUNES]),
    ("commune-code-2025", "Mã", "string", [code for code, _ in COMMUNES]),
    ("commune-code-former", "Mã phường", "string", ["00001", "00006", "00007", "00013"]),
    ("commune-code", "maXa", "string", ["00004", "00008"]),
    ("commune-name-2025", "Tên đơn vị", "string", [name for _, name in COMMUNES]),
    ("commune-name-2025", "Xã/Phường", "string", [name.removeprefix("Phường ") for _, name in COMMUNES]),
    (
        "commune-name-former",
        "Phường",
        "string",
        ["Phúc Xá", "Trúc Bạch", "Cống Vị", "Liễu Giai", "Quán Thánh"],
    ),
    ("agency-code", "Mã cơ quan", "string", ["G12.18", "H55.242", "G01", "000.00.00.H41"]),
    (
        "agency-code",
        "unit",
        "string",
        ["000.00.00.H41", "000.01.12.H41", "000.00.00.G12", "000.00.01.G12", "000.00.00.H10"],
    ),
    ("agency-name", "Cơ quan", "string", ["Bộ Y tế", "Bộ Công an", "Bộ Thông tin và Truyền thông"]),
    ("citizen-id", "Số CCCD", "string", CITIZENS),
    ("citizen-id", "ghi chú", "string", CITIZENS),
    ("citizen-id", "cccd", "integer", [int(number) for number in CITIZENS]),
    ("citizen-id", "Số CMND", "integer", [201234567, 301234567]),
    ("phone", "ĐT", "string", ["0912 345 678", "(024) 3825 2526", "+84 28 3829 7834", "1900 1234"]),
    ("phone", "Liên hệ", "string", MOBILES),
    ("phone", "so_dien_thoai", "integer", [912345678, 387654321, 2438252526]),
    ("email", "Liên hệ", "string", ["vanthu@moh.gov.vn", "a.nguyen@gmail.com"]),
    ("url", "Nguồn", "string", ["https://gso.gov.vn/x", "http://moh.gov.vn"]),
    ("url", "Website", "string", ["www.moh.gov.vn", "gso.gov.vn"]),
    ("personal-name", "Họ và tên", "string", PEOPLE),
    ("personal-name", "Đại diện", "string", PEOPLE),
    ("personal-name", "ho_ten", "string", ["NGUYEN VAN AN", "tran thi be", "Lê Bình"]),
    ("birth-date", "Ngày sinh", "string", ["01/02/1990", "15.12.1985"]),
    ("birth-date", "Năm sinh", "integer", [1990, 1985]),
    ("tax-code", "MST", "string", [*TAX_CODES, "0100109106-001"]),
    ("tax-code", "Mã", "string", TAX_CODES),
    ("tax-code", "ma_so_thue", "integer", [int(code) for code in TAX_CODES]),
    (
        "licence-plate",
        "Biển số",
        "string",
        ["51F-123.45", "29A-12345", "30E1-123.45", "59-X1 123.45", "80A-1234"],
    ),
    ("licence-plate", "xe", "string", [f"{n}B-{n * 7 + 10000}" for n in range(30, 42)]),
    ("postal-code", "Mã bưu chính", "string", ["01000", "11000", "70000"]),
    ("postal-code", "zip_code", "integer", [1000, 11000, 70000]),
    ("latitude", "Vĩ độ", "number", [21.0278, 10.7769, 16.0544]),
    ("longitude", "wardLon", "number", [105.834, 106.7009, 108.2022]),
    ("coordinate-pair", "điểm", "string", ["21.0278, 105.8342", "10.7769,106.7009"]),
    ("coordinate-pair", "geom", "string", ["POINT (105.8342 21.0278)", "POINT(106.7009 10.7769)"]),
    ("year", "Năm", "integer", [2019, 2020, 2021]),
    ("year", "nam", "integer", [2019, 2020]),
    ("year", "Năm học", "string", ["2019-2020", "2020-2021"]),
    ("quarter", "Kỳ", "string", ["Quý I/2024", "Quý II/2024", "Q3/2024", "quý 4 năm 2024"]),
    ("quarter", "Quý", "integer", [1, 2, 3, 4]),
    ("percentage", "Tỷ lệ (%)", "number", [12.5, 99.9, -3.0]),
    ("percentage", "ty_le_%", "number", [12.5, 99.9]),
    ("percentage", "Thay đổi", "string", ["12,5%", "99%", "-3,4 %"]),
    ("amount-vnd", "Số tiền (đồng)", "integer", [1_200_000, 350_000]),
    ("amount-vnd", "Thành tiền", "string", ["45.000 đ", "1.200.000đ", "700 VNĐ", "-3,5 đồng"]),
    ("amount-thousand-vnd", "x", "string", ["45 nghìn đồng", "1.200 ngàn đồng", "7 nghìn đồng"]),
    ("amount-million-vnd", "x", "string", ["45 triệu đồng", "1,5 tr.đ", "7 triệu đồng"]),
    ("amount-billion-vnd", "x", "string", ["45 tỷ đồng", "1,5 tỉ đồng", "7 Tỷ đồng"]),
    ("amount-vnd", "gia_vnd", "number", [1_200_000.0]),
    ("amount-thousand-vnd", "Giá (nghìn đồng)", "number", [12.5]),
    ("amount-million-vnd", "Tổng thu (triệu đồng)", "number", [12.5, 8.0]),
    ("amount-billion-vnd", "GRDP (tỷ đồng)", "number", [12.5, 8.0]),
    ("gender", "Giới tính", "integer", [0, 1]),
    ("gender", "x", "string", ["Nam", "Nữ", "nam"]),
    ("ethnic-group", "Dân tộc", "string", ["Kinh", "Tày", "H'Mông", "Ê Đê", "Gia-rai"]),
    (
        "ethnic-group",
        "name",
        "string",
        ["Kinh", "Tày", "Thái", "Hoa", "Khmer", "Mường", "Nùng", "Dao", "Ngái", "Ba Na", "Chăm"],
    ),
]

FALSE: list[tuple[str, str, list[Any]]] = [
    # Figures are nothing by their length.
    ("Số hồ sơ", "integer", [int(number) for number in CITIZENS]),
    ("Số tiền", "integer", [9_123_456_789, 1_000_000_000]),
    ("Doanh thu", "integer", [int(code) for code in TAX_CODES]),
    ("Số lượng", "integer", [2019, 2020, 2021, 1990]),
    ("Dân số", "integer", [10000, 11000, 70000]),
    ("tuổi", "number", [21.0278, 10.7769, 16.0544]),
    ("value", "number", [105.834, 106.7009]),
    ("STT", "integer", list(range(1, 35))),
    # Codes that look like others.
    ("Mã hồ sơ", "string", [f"001000{number:06d}" for number in range(1, 60)]),
    ("Mã giao dịch", "string", [f"{RANDOM.randrange(10**12):012d}" for _ in range(200)]),
    ("Mã khách hàng", "string", [f"{RANDOM.randrange(10**10):010d}" for _ in range(200)]),
    ("Tháng", "string", [f"{month:02d}" for month in range(1, 13)]),
    ("STT", "string", [f"{number:02d}" for number in range(1, 64)]),
    ("Mã hàng", "string", [f"{number:05d}" for number in range(10000, 10040)]),
    ("Mã phòng", "string", ["H41", "G12", "A01", "B02", "C03", "D04"]),
    ("Mã QH", "string", ["001", "002", "003", "004"]),
    # Words that stand in other words.
    ("Số lao động", "integer", [12, 40]),
    ("so_hop_dong", "integer", [12, 40]),
    ("Số hợp đồng", "integer", [12, 40]),
    ("hang_dong_nam_a", "integer", [4, 6]),
    ("Dân số (triệu người)", "number", [98.5]),
    ("Diện tích cánh đồng", "number", [98.5]),
    ("Diện tích Đồng Nai", "number", [12.5]),
    ("Vĩnh Long", "number", [105.2, 106.3]),
    ("Đà Lạt", "number", [15.5, 16.0]),
    ("Thế giới", "integer", [0, 1]),
    ("Số năm kinh nghiệm", "integer", [3, 12]),
    ("Quy mô", "integer", [1, 2, 3]),
    ("Hợp tác xã", "string", ["Tân An", "Phúc Lợi"]),
    ("Tỷ lệ bản đồ", "integer", [25000, 50000]),
    # Named so, but holding something else.
    ("Số điện thoại", "integer", [120, 340, 15]),
    ("CCCD", "string", ["đã cấp", "chưa cấp"]),
    ("CCCD", "string", ["001******456", "079******123"]),
    ("Mã số thuế", "string", ["0100109100", "0300588560", "0101248140"]),
    ("Năm", "integer", [1, 2, 3]),
    ("Dân tộc", "string", ["Anh", "Pháp", "Đức"]),
    ("Vĩ độ", "number", [1_180_000.0, 1_190_000.0]),
    ("Tên đường", "string", ["Nguyễn Trãi", "Lê Lợi", "Trần Hưng Đạo", "Lý Thường Kiệt"] * 8),
    ("Ghi chú", "string", ["Nam", "nam", "Nam"]),
    ("Nội dung", "string", ["", "không có", "Đang làm"]),
]


@pytest.mark.parametrize(("meaning", "label", "kind", "values"), TRUE)
def test_what_it_is(
    make_table: Callable[..., Table], meaning: str, label: str, kind: str, values: list[Any]
) -> None:
    assert recognise(*make_table((label, kind, values))) == (meaning,)


@pytest.mark.parametrize(("label", "kind", "values"), FALSE)
def test_what_it_is_not(make_table: Callable[..., Table], label: str, kind: str, values: list[Any]) -> None:
    assert recognise(*make_table((label, kind, values))) == (None,)


def test_every_value_counts_not_a_sample(make_table: Callable[..., Table]) -> None:
    """Values that fit stand where a glance falls; those that do not, everywhere else."""
    good, bad = ["01000"] * 200, ["x"] * 3000
    assert recognise(*make_table(("Mã bưu chính", "string", good + bad + good), row_group_size=200)) == (
        None,
    )


def test_a_share_of_wrong_values_is_borne(make_table: Callable[..., Table]) -> None:
    codes = [code for code, _ in COMMUNES] * 10
    assert recognise(*make_table(("Mã xã", "string", [*codes, "không rõ", None, "", "x"]))) == (
        "commune-code-2025",
    )


def test_columns_keep_their_order_and_their_own_values(make_table: Callable[..., Table]) -> None:
    """`a` and `a.b` are two columns to us; to pyarrow the first name means both."""
    table = make_table(
        ("Năm", "integer", [2020, 2021]), ("Năm.b", "string", ["x", "y"]), ("Quý", "integer", [1, 2])
    )
    assert recognise(*table) == ("year", None, "quarter")


def test_empty_tables_and_columns_mean_nothing(make_table: Callable[..., Table]) -> None:
    assert recognise(*make_table(("Mã xã", "string", []), ("Năm", "integer", []))) == (None, None)
    assert recognise(*make_table(("Mã xã", "string", [None, ""]), ("đồng", "integer", [None, None]))) == (
        None,
        None,
    )


def of_file(path: Path, work: Path) -> dict[str, str | None]:
    work.mkdir()
    table = ingest_file(path, path.name, work).tables[0]
    found = recognise(table.parquet_path, table.columns)
    return {column.name: meaning for column, meaning in zip(table.columns, found, strict=True)}


def test_the_list_of_communes_until_2025(real_data: Path, tmp_path: Path) -> None:
    assert of_file(real_data / "admin/gso_63_wards_2025-07-18.csv", tmp_path / "w") == {
        "Mã": "commune-code-former",
        "Tên": "commune-name-former",
        "Tên Tiếng Anh": None,
        "Cấp": None,
        "Mã QH": None,
        "Quận Huyện": None,
        "Mã TP": "province-code-63",
        "Tỉnh / Thành Phố": "province-name-63",
    }


def test_the_list_of_communes_since_2025(real_data: Path, tmp_path: Path) -> None:
    assert of_file(real_data / "admin/2025_34_province_ward_with_location.csv", tmp_path / "w") == {
        "province": "province-name-34",
        "ward": "commune-name-2025",
        "provinceShort": "province-name-34",
        "wardShort": "commune-name-2025",
        "wardType": None,
        "provinceCode": "province-code-34",
        "provinceLat": "latitude",
        "provinceLon": "longitude",
        "wardCode": "commune-code-2025",
        "wardLat": "latitude",
        "wardLon": "longitude",
        "wardAreaKm2": None,
    }


def test_small_vocabularies(real_data: Path, tmp_path: Path) -> None:
    groups = of_file(real_data / "vocab/ethnic-minorities.csv", tmp_path / "a")
    assert groups == {"name": "ethnic-group", "type": None, "type_en": None}
    # A column that is only called `code` is not certain enough to be one of postal codes.
    codes = of_file(real_data / "vocab/postal-codes.csv", tmp_path / "b")
    assert codes["code"] is None
    assert codes["province"] == "province-name-63"
    assert of_file(real_data / "vocab/ministries_2021.csv", tmp_path / "c")["name"] == "agency-name"
