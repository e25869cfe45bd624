"""Tax codes: ten digits of which the last checks the others, thirteen with a branch (`-001`).

The check digit is 10 − (sum of digits × 31, 29, 23, 19, 17, 13, 7, 5, 3) mod 11. One amount of ten digits in
eleven passes it, so values alone must be text and nearly all pass. Since July 2025 people use the twelve
digits of their citizen number, which are accepted under a name (the screen finds them there as well).
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.citizen_id import CITIZEN_ID_FORM, is_citizen_id
from opendata.resources.meanings.meaning import WHOLE, Meaning
from opendata.resources.meanings.value_tests import checked, either

_WEIGHTS: Final = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_DIGITS: Final = 10


def has_check_digit(text: str) -> bool:
    """Of the first ten digits; a code that lost a leading zero is given it back."""
    digits = text.partition("-")[0].replace(" ", "")
    digits = digits.zfill(_DIGITS)
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return int(digits[9]) == _DIGITS - total % 11


_CODE: Final = checked(r"\d{10}(?: ?-? ?\d{3})?", has_check_digit)

TAX_CODE: Final = Meaning(
    key="tax-code",
    title=N_("Tax code"),
    description=N_("Tax code of an organisation (10 digits) or its branch (13), with a right check digit."),
    search_words={
        "vi": ("mã số thuế", "MST", "mã số doanh nghiệp"),
        "en": ("tax code", "enterprise code"),
    },
    types=WHOLE,
    names=(
        "mã số thuế",
        "mst",
        "mã thuế",
        "mã số doanh nghiệp",
        "mã doanh nghiệp",
        "masothue",
        "tax code",
        "tax id",
        "tax number",
        "enterprise code",
    ),
    named=either(_CODE, checked(r"\d{9}", has_check_digit), checked(CITIZEN_ID_FORM, is_citizen_id)),
    named_share=0.8,
    alone=_CODE,
    alone_share=0.98,
    alone_distinct=8,
    rank=2,
)
