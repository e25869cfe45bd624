"""Phone numbers of Viet Nam: mobile prefixes since 2018, ten-digit ones before, land lines, +84, hotlines.

A column that is not called so must be text with the leading zero or +84: ten-digit amounts have neither.
Numbers that all have a right check digit of a tax code are tax codes.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.meaning import WHOLE, Meaning
from opendata.resources.meanings.value_tests import matches

_APART: Final = r"[ .\-]?"
_START: Final = r"(?:\(?(?:\+?84|0)\)?[ .\-]?(?:\(0\))?"
MOBILE_FORM: Final = (
    _START + r"(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-46-9])" + _APART + r"(?:\d" + _APART + r"){6}\d)"
)
_LAND_LINE: Final = r"\(?(?:\+?84|0)?\)?[ .\-]?2\d{1,2}\)?[ .\-]?(?:\d" + _APART + r"){6,7}\d"
_HOTLINE: Final = r"1[89]00" + _APART + r"\d{2}" + _APART + r"\d{2,4}"
_OLDER_MOBILE: Final = r"0?1[269]\d" + _APART + r"(?:\d" + _APART + r"){6}\d"
_WITHOUT_ZERO: Final = r"(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-46-9])\d{7}"

PHONE: Final = Meaning(
    key="phone",
    title=N_("Phone number"),
    description=N_("Phone number of Viet Nam, mobile or land line."),
    search_words={"vi": ("số điện thoại", "điện thoại", "hotline"), "en": ("phone number", "telephone")},
    types=WHOLE,
    names=(
        "điện thoại",
        "số điện thoại",
        "đt",
        "sđt",
        "sdt",
        "số đt",
        "di động",
        "đtdđ",
        "hotline",
        "đường dây nóng",
        "zalo",
        "phone",
        "phone number",
        "mobile",
        "telephone",
        "tel",
        "fax",
    ),
    not_names=("số lượng điện thoại", "thuê bao điện thoại", "số thuê bao", "mobile money"),
    named=matches(f"{MOBILE_FORM}|{_LAND_LINE}|{_HOTLINE}|{_OLDER_MOBILE}|{_WITHOUT_ZERO}"),
    named_share=0.6,
    alone=matches(MOBILE_FORM),
    alone_share=0.95,
    rank=1,
    is_personal=True,
)
