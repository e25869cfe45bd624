"""Words of column names, masks of values, and the list of meanings as a whole."""

from __future__ import annotations

import pyarrow as pa
import pytest

from opendata.kernel.i18n import LANGUAGES, translator
from opendata.kernel.text import fold
from opendata.resources.meanings import lists
from opendata.resources.meanings.labels import names_match
from opendata.resources.meanings.masking import (
    masked_email,
    masked_name,
    masked_number,
    masked_phone,
    masked_plate,
)
from opendata.resources.meanings.registry import MEANINGS
from opendata.resources.meanings.tax_code import has_check_digit
from opendata.resources.meanings.value_tests import folded


@pytest.mark.parametrize(
    ("label", "names", "words"),
    [
        ("Mã TP", ("mã tp",), 2),
        ("MA_TP", ("mã tp",), 2),
        ("maTinh", ("mã tỉnh",), 2),
        ("provinceCode", ("province code",), 2),
        ("HTTPCode", ("code",), 1),
        ("Đơn vị / Mã tỉnh", ("mã tỉnh",), 2),
        ("Tỷ lệ (%)", ("phần trăm",), 2),
        ("ty_le_%", ("phần trăm",), 2),
        ("Giá (₫)", ("đồng",), 1),
        ("Mã\ntỉnh", ("mã tỉnh", "mã"), 2),
        ("Số điện thoại", ("điện thoại", "số điện thoại"), 3),
        ("Ma\u0303 ti\u0309nh", ("mã tỉnh",), 2),  # written in pieces (NFD)
        # Diacritics count where the label has any.
        ("Lao động", ("đồng",), 0),
        ("mã tính", ("mã tỉnh",), 0),
        ("tinhtrang", ("tình trạng", "tỉnh"), 0),
        ("lat", ("=lat",), 1),
        ("flat lat", ("=lat",), 0),
        ("", ("mã",), 0),
        ("123", ("mã",), 0),
    ],
)
def test_names_are_found_as_whole_words(label: str, names: tuple[str, ...], words: int) -> None:
    assert names_match(label, names) == words


def test_what_a_name_is_not_is_taken_out_first() -> None:
    assert names_match("Giá trị hợp đồng", ("đồng",), ("hợp đồng",)) == 0
    assert names_match("Giá trị hợp đồng (đồng)", ("đồng",), ("hợp đồng",)) == 1


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (masked_number, "001090123456", "001******456"),
        (masked_number, "201234567", "201***567"),
        (masked_number, "1090123456", "109****456"),
        (masked_number, "1234", "1**4"),
        (masked_phone, "0912345689", "09xx xxx x89"),
        (masked_phone, "+84 912 345 689", "09xx xxx x89"),
        (masked_phone, "912345689", "09xx xxx x89"),
        (masked_phone, "1900 1234", "19xx xxx x34"),
        (masked_email, "nguyenan@gmail.com", "ng***@g***.com"),
        (masked_email, "mailto:an@x.gov.vn", "a***@x***.vn"),
        (masked_email, "anna@x.vn; b@y.vn", "an***@x***.vn"),
        (masked_name, "Nguyễn  Văn An", "N. V. A"),
        (masked_name, "đỗ thị lan", "Đ. T. L"),
        (masked_plate, "51f-123.45", "51F-***45"),
        (masked_plate, "29-B1 123.45", "29B-***45"),
    ],
)
def test_masks_show_little(mask: object, value: str, shown: str) -> None:
    assert callable(mask)
    assert mask(value) == shown


def test_folding_whole_columns_is_folding_each() -> None:
    names = ["Đắk Lắk", "THỪA THIÊN – HUẾ", "TP. Hồ Chí Minh", "Ma\u0303", "  x  y "]
    by_hand = [" ".join("".join(c if c.isalnum() else " " for c in fold(name)).split()) for name in names]
    assert folded(pa.array(names)).to_pylist() == by_hand


def test_check_digits_of_well_known_companies() -> None:
    """Of Viettel, Vinamilk, FPT and a branch; and the same with a digit changed or two swapped."""
    codes = ["0100109106", "0300588569", "0101248141", "0100109106-001", "100109106", "0100109106001"]
    assert has_check_digit(pa.array(codes)).to_pylist() == [True] * len(codes)
    assert has_check_digit(pa.array([100109106, 300588569])).to_pylist() == [True, True]
    wrong = ["0100109107", "0300588596", "0110248141", "0200109106-001", "10010910", "", "x", "01001091o6"]
    assert has_check_digit(pa.array(wrong)).to_pylist() == [False] * len(wrong)


def test_lists_are_whole() -> None:
    assert len(lists.current_provinces().codes) == 34
    assert len(lists.former_provinces().codes) == 63
    assert lists.current_provinces().codes < lists.former_provinces().codes
    assert len(lists.current_communes().codes) == 3321
    assert len(lists.former_communes().codes) == 10035
    assert {"ba dinh", "con dao"} <= lists.current_communes().names
    assert {"kinh", "hmong", "e de", "bru van kieu"} <= lists.ethnic_groups()


def test_every_meaning_can_be_shown_and_found() -> None:
    for key, meaning in MEANINGS.items():
        assert key == meaning.key == key.lower()
        assert set(meaning.search_words) == set(LANGUAGES)
        assert all(meaning.search_words.values())
        assert meaning.named or meaning.alone
        vietnamese = translator("vi")
        assert vietnamese.gettext(meaning.title) != meaning.title
        assert vietnamese.gettext(meaning.description) != meaning.description
