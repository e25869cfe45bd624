"""Amounts in đồng, and in thousand, million and billion đồng.

Numbers have the unit that the name of their column says; texts have the one that nearly all of them end with:
`45.000 đ`, `1,5 tỷ đồng`. `đồng` in a name is compared with its diacritics where the name has any: `hợp đồng`,
`lao động` and `Đồng Nai` are no money.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.meaning import FIGURES, Meaning
from opendata.resources.meanings.value_tests import anything, matches

_OTHER_DONG: Final = (
    "hợp đồng",
    "lao động",
    "hoạt động",
    "cộng đồng",
    "hội đồng",
    "đồng bằng",
    "đồng bào",
    "đồng nai",
    "đồng tháp",
    "đồng ruộng",
    "đồng hồ",
    "đồng ý",
    "kim loại đồng",
    "quặng đồng",
    "di động",
    "động vật",
    "bất động sản",
    "tác động",
    "người đồng",
    "lâm đồng",
    "hà đông",
    "mùa đông",
    "cổ đông",
    "đồng euro",
    "đồng thời",
    "đồng phạm",
    "đồng chí",
    "đồng đều",
    "đồng phục",
    "đồng hành",
    "đồng thuận",
    "đồng sở hữu",
    "đồng cỏ",
    "bất đồng",
    "tương đồng",
    "cánh đồng",
    "dây đồng",
    "đồng đô la",
)

_DONG: Final = r"(?i:đồng|vnđ|vnd|đ|₫)"


def _amount(key: str, title: str, description: str, words: tuple[str, ...], scale: str) -> Meaning:
    return Meaning(
        key=key,
        title=title,
        description=description,
        search_words={
            "vi": ("số tiền", "giá trị bằng đồng", "tiền"),
            "en": ("amount of money", "amount in VND"),
        },
        types=FIGURES,
        names=words,
        not_names=_OTHER_DONG,
        named=anything,
        alone=matches(rf"[+\-−]? ?\d+(?:[., ]\d+)* ?{scale}{_DONG}"),
        alone_distinct=3,
        rank=1 if scale else 0,
    )


AMOUNT_VND: Final = _amount(
    "amount-vnd",
    N_("Amount in đồng"),
    N_("Amount of money in Vietnamese đồng."),
    ("~đồng", "vnđ", "vnd", "việt nam đồng", "đvn"),
    "",
)
AMOUNT_THOUSAND_VND: Final = _amount(
    "amount-thousand-vnd",
    N_("Amount in thousand đồng"),
    N_("Amount of money in thousands of Vietnamese đồng."),
    ("nghìn đồng", "ngàn đồng", "1000 đồng", "1 000 đồng", "1000đ", "thousand vnd", "nghìn vnd"),
    "(?i:nghìn|ngàn) ?",
)
AMOUNT_MILLION_VND: Final = _amount(
    "amount-million-vnd",
    N_("Amount in million đồng"),
    N_("Amount of money in millions of Vietnamese đồng."),
    (
        "triệu đồng",
        "tr đ",
        "trđ",
        "tr đồng",
        "triệu vnd",
        "triệu vnđ",
        "million vnd",
        "vnd million",
        "mil vnd",
    ),
    r"(?i:triệu|tr\.?) ?",
)
AMOUNT_BILLION_VND: Final = _amount(
    "amount-billion-vnd",
    N_("Amount in billion đồng"),
    N_("Amount of money in billions of Vietnamese đồng."),
    ("tỷ đồng", "tỉ đồng", "nghìn tỷ đồng", "tỷ vnd", "tỷ vnđ", "billion vnd", "vnd billion", "bil vnd"),
    "(?i:tỷ|tỉ) ?",
)
