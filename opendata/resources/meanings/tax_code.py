"""Tax codes: ten digits of which the last checks the others, thirteen with a branch (`-001`).

The check digit is 10 − (sum of digits × 31, 29, 23, 19, 17, 13, 7, 5, 3) mod 11. One amount of ten digits in
eleven passes it, so values alone must be text and nearly all pass. Since July 2025 people use the twelve
digits of their citizen number, which are accepted under a name (the screen finds them there as well).
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from opendata.kernel.errors import N_
from opendata.resources.meanings.citizen_id import citizen_id_form
from opendata.resources.meanings.meaning import WHOLE, Meaning
from opendata.resources.meanings.value_tests import both, either, matches, spelled

_WEIGHTS: Final = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_DIGITS: Final = 10
_MODULUS: Final = 11


def has_check_digit(values: pa.Array) -> pa.Array:
    """The tenth digit checks the nine before it. Nine digits alone have lost their leading zero."""
    text = spelled(values)
    form = pc.match_substring_regex(text, pattern=r"^\d{10}|^\d{9}$")
    head = pc.utf8_lpad(pc.utf8_slice_codeunits(text, 0, _DIGITS), width=_DIGITS, padding="0")
    digits = pc.if_else(form, head, "0" * _DIGITS)
    places = [pc.utf8_slice_codeunits(digits, place, place + 1).cast(pa.int64()) for place in range(_DIGITS)]
    total = pc.multiply(places[0], _WEIGHTS[0])
    for place, weight in enumerate(_WEIGHTS[1:], start=1):
        total = pc.add(total, pc.multiply(places[place], weight))
    rest = pc.subtract(total, pc.multiply(pc.divide(total, _MODULUS), _MODULUS))
    return pc.and_(form, pc.equal(places[-1], pc.subtract(_DIGITS, rest)))


_CODE: Final = both(matches(r"\d{10}(?: ?-? ?\d{3})?"), has_check_digit)

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
    named=either(_CODE, both(matches(r"\d{9}"), has_check_digit), matches(citizen_id_form)),
    named_share=0.8,
    alone=_CODE,
    alone_share=0.98,
    alone_distinct=8,
    rank=2,
)
