"""What stands around a table in an office's file, told by its words: units, notes, signatures, totals.

Used for the rows above, under and below a table, in sheets and in delimited text. Words of Vietnamese forms
and their English counterparts; a row is only ever left out where its shape says so too.
"""

from __future__ import annotations

import re
from typing import Final

_UNIT_WORDS: Final = (
    r"%|‰|đồng|vnđ|vnd|usd|eur|đô la|người|nhân khẩu|hộ|con|cái|chiếc|ha|m|m2|m²|m3|m³|km|km2|km²|km\^2|kg|tạ"
    r"|tấn|lít|kwh|mwh|mw|kw|°c|oc|độ|mm|cm|giờ|ngày|tháng|năm|lần|điểm|lượt|lượt người|ca|giường|bộ|quả|bản"
    r"|dự án|doanh nghiệp|cơ sở|xã|huyện|học sinh|sinh viên|lớp|trường|persons?|people|households?|number"
    r"|per ?cent|dong|heads?|tons?|tonnes?|units?|cases?|years?|days?|hectares?"
)
_SCALES: Final = (
    r"(?:nghìn|ngàn|ngh\.|triệu|tỷ|tỉ|1000|1\.000|1,000|thousand|mill?\.?|million|bill?\.?|billion)"
)
_UNIT: Final = re.compile(
    rf"\(?\s*(?:{_SCALES}\s*)*(?:{_UNIT_WORDS}|{_SCALES})(?:\s*/\s*(?:{_UNIT_WORDS}|[\w² ³]{{1,12}}))?\s*\)?",
    re.IGNORECASE,
)
_UNIT_NOTE: Final = re.compile(
    r"\(?\s*(?:đơn vị(?: tính)?|đvt|đv tính|đv|units?)\s*(?:\([^)]*\)\s*)?[:;]?\s*(\S.*?)\s*\)?",
    re.IGNORECASE,
)
_HAS_COLON: Final = re.compile(
    r"\(?\s*(?:đơn vị(?: tính)?|đvt|đv tính|đv|units?)\s*(?:\([^)]*\)\s*)?[:;]", re.IGNORECASE
)
_NOTE: Final = re.compile(
    r"[\s\"“(*]*(?:ghi chú|chú thích|lưu ý|nguồn|source|note|notes|remarks?|trích|theo báo cáo)\b\s*(?:\(|:|\.|$|-)",
    re.IGNORECASE,
)
_NUMBERED_NOTE: Final = re.compile(r"\s*(?:\(?[*†‡]+\)?|\(\d{1,2}\)|\[\d{1,2}\])\s*:?\s*\S.{3,}", re.DOTALL)
_SIGNATURE: Final = re.compile(
    r"\s*(?:người (?:lập|báo cáo|tổng hợp|duyệt|kiểm tra|ký)|thủ trưởng|giám đốc|phó giám đốc|kế toán|chủ tịch"
    r"|phó chủ tịch|cục trưởng|vụ trưởng|trưởng phòng|tổng giám đốc|chánh văn phòng|bộ trưởng|thứ trưởng|nơi nhận"
    r"|t[mlu]\.|kt\.|\(?\s*(?:đã )?ký\b|\(ký|họ (?:và )?tên|prepared by|approved by|signature"
    r"|.{0,40}\bngày\s+[\d.… ]+\s*tháng\s+[\d.… ]+\s*năm\s+[\d.… ]+$)",
    re.IGNORECASE,
)
_TOTAL: Final = re.compile(
    r"\W*(?:tổng(?: số| cộng| chung| toàn \w+)?|cộng(?: chung)?|cả nước|toàn (?:quốc|tỉnh|ngành|thành phố|quận|huyện)"
    r"|(?:grand |sub)?totals?|sum|whole country|median|mean|average|min|max|trung bình|trung vị|bình quân chung)"
    r"\s*(?:\([^)]*\))?\s*:?\W*",
    re.IGNORECASE,
)
_TABLE_TITLE: Final = re.compile(
    r"\s*(?:bảng|biểu(?: số| mẫu)?|phụ lục|phụ biểu|mẫu(?: số)?|table|annex)\s*(?:số\s*)?(?:\d|[IVX]+\b|[A-Z]\b)",
    re.IGNORECASE,
)
_MEASURE_NAME: Final = re.compile(
    r"\s*(?:số (?!liệu)|số$|tổng\b|diện tích|dân số|sản lượng|sản phẩm|khối lượng|trọng lượng|số lượng|giá\b|đơn giá"
    r"|thành tiền|kinh phí|chi phí|doanh thu|tỷ lệ|tỉ lệ|tỷ trọng|mật độ|năng suất|công suất|chiều \w+|độ \w+|ngày \D"
    r"|ngày$|năm \D|năm$|mức |thu nhập|number of|numbers?$|count|total|amounts?|values?$|population|area\b|price|costs?$"
    r"|quantity|rate\b|share\b|percent|date\b|year$|size$|height|width|length|weight|density|revenue|budget)",
    re.IGNORECASE,
)
_LONGEST: Final = 400  # a longer text is never a unit or a total, and no text is searched for long
_NUMBERED: Final = re.compile(r"\(?\s*(?:(\d{1,3})|([A-ZĐa-zđ]))\s*\)?(?:\s*=\s*[\d()+\-–x*/:% ]+)?")


def is_unit(text: str) -> bool:
    """A unit and nothing else: `triệu đồng`, `(người)`, `%`, `tấn/ha`."""
    return len(text) < _LONGEST and _UNIT.fullmatch(text.strip()) is not None


def unit_note(text: str) -> str | None:
    """The unit that a note above a table names: `triệu đồng` of `Đơn vị tính: triệu đồng`."""
    line = " ".join(text[:_LONGEST].split())
    found = _UNIT_NOTE.fullmatch(line)
    if found is None:
        return None
    unit = found[1].strip(" .;:)")
    return unit if unit and (_HAS_COLON.match(line) or is_unit(unit)) else None


def is_note(text: str) -> bool:
    return _NOTE.match(text[:_LONGEST]) is not None


def is_numbered_note(text: str) -> bool:
    """A footnote: `(1) …`, `* …`. Data may be written so too; what stands above it decides."""
    return _NUMBERED_NOTE.match(text[:_LONGEST]) is not None


def is_signature(text: str) -> bool:
    return _SIGNATURE.match(text[:_LONGEST]) is not None


def is_table_title(text: str) -> bool:
    """A line that numbers the table below it: `Bảng 2: Trạm y tế`, `Biểu số 3`, `Phụ lục II`."""
    return _TABLE_TITLE.match(text[:_LONGEST]) is not None


def is_measure_name(text: str) -> bool:
    """The name of a column of numbers or dates by its first words: `Số giường`, `Diện tích (ha)`, `Population`."""
    return _MEASURE_NAME.match(text[:_LONGEST]) is not None


def is_total(text: str) -> bool:
    return len(text) < _LONGEST and _TOTAL.fullmatch(" ".join(text.split())) is not None


def column_number(text: str) -> tuple[int, bool] | None:
    """The number of a column under a header (`3`, `(3)`, `6=7+8`), or of a letter, and whether it is bare digits."""
    found = _NUMBERED.fullmatch(text[:_LONGEST].strip())
    if found is None:
        return None
    if found[1]:
        return int(found[1]), text.strip() == found[1]
    return ord(found[2].upper()) - ord("A") + 1 if found[2].upper() != "Đ" else 4, False


def is_row_of_column_numbers(texts: list[str]) -> bool | None:
    """Whether filled cells count the columns: `A B 1 2 3`, `(1) (2) (3)`. None: they do, but as data may too."""
    if len(texts) < 3:  # noqa: PLR2004 - two would be a chance
        return False
    letters = numbers = bare = 0
    last_letter = last_number = 0
    for text in texts:
        found = column_number(text)
        if found is None:
            return False
        place, is_bare = found
        if text.strip(" ()")[:1].isdigit():
            if place <= last_number or (numbers == 0 and place > 1):
                return False
            numbers, last_number, bare = numbers + 1, place, bare + is_bare
        else:
            if numbers or place <= last_letter:
                return False
            letters, last_letter = letters + 1, place
    if numbers == 0 or last_number > 2 * len(texts):
        return False
    return None if bare == len(texts) else True
