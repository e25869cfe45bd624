"""Years and quarters. A year needs a name: counts and postal codes have four digits too."""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.meaning import Meaning
from opendata.resources.meanings.value_tests import either, matches

_YEAR: Final = r"(?:1[5-9]|20|21)\d{2}"
_WITH_YEAR: Final = either(
    matches(rf"(?i)(?:qu[ýy]|q|quarter) ?\.?(?:I{{1,3}}|IV|0?[1-4]) ?[/\-., ]? ?(?:năm |nam )?{_YEAR}"),
    matches(rf"(?i){_YEAR} ?[/\-. ]? ?(?:quý |quy |q)(?:I{{1,3}}|IV|[1-4])"),
)

YEAR: Final = Meaning(
    key="year",
    title=N_("Year"),
    description=N_("Calendar year of four digits."),
    search_words={"vi": ("theo năm", "hằng năm", "chuỗi năm"), "en": ("by year", "yearly", "annual")},
    types=frozenset({"integer", "string", "year"}),
    names=("năm", "niên độ", "năm học", "year", "nam thong ke", "nien do", "=nam"),
    not_names=(
        "năm sinh",
        "việt nam",
        "viet nam",
        "số năm",
        "birth year",
        "year of birth",
        "hà nam",
        "miền nam",
    ),
    named=either(
        matches(rf"(?:năm |Năm )?{_YEAR}(?:\.0)?"), matches(rf"{_YEAR} ?[-–/] ?(?:{_YEAR}|\d{{2}})")
    ),
    named_share=0.95,
)
QUARTER: Final = Meaning(
    key="quarter",
    title=N_("Quarter"),
    description=N_("Quarter of a year, as in Quý I/2024 or 2024-Q1."),
    search_words={"vi": ("theo quý", "hằng quý"), "en": ("by quarter", "quarterly")},
    types=frozenset({"integer", "string"}),
    names=("quý", "quarter", "kỳ báo cáo", "=quy", "ky bao cao"),
    not_names=("quý khách", "quy mô", "quy hoạch", "quy định", "quy cách"),
    named=either(_WITH_YEAR, matches(r"(?i)(?:qu[ýy] |q|)(?:I{1,3}|IV|0?[1-4])")),
    named_share=0.95,
    alone=_WITH_YEAR,
    alone_share=0.95,
    alone_distinct=2,
)
