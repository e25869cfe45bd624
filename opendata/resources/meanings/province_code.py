"""Codes of provinces: two digits, of the 34 since 1 July 2025 or of the 63 before.

All 34 codes were codes of the 63, and seven of them changed owner, so a column of a few codes may be of
either time: it is called neither. Ten different codes that are all among the 34 would be that by chance for
one list of old codes in five hundred.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.lists import current_provinces, former_provinces
from opendata.resources.meanings.meaning import WHOLE, Meaning
from opendata.resources.meanings.value_tests import but_not, listed

_NAMES: Final = (
    "mã tỉnh",
    "mã tp",
    "mã tỉnh thành",
    "mã tỉnh thành phố",
    "mã tỉnh tp",
    "mã đơn vị hành chính cấp tỉnh",
    "mã đvhc",
    "mã hc",
    "mahc",
    "matinh",
    "matp",
    "province code",
    "province id",
    "code province",
)
_SEARCH: Final = {
    "vi": ("mã tỉnh", "mã tỉnh thành phố", "mã đơn vị hành chính cấp tỉnh"),
    "en": ("province code", "code of province"),
}
_CURRENT: Final = listed(lambda: current_provinces().codes, digits=2)
_FORMER: Final = listed(lambda: former_provinces().codes, digits=2)

PROVINCE_CODE: Final = Meaning(
    key="province-code",
    title=N_("Province code"),
    description=N_("Two-digit code of a province; these values fit both the 34 of today and the 63 before."),
    search_words=_SEARCH,
    types=WHOLE,
    names=_NAMES,
    named=_FORMER,
)
PROVINCE_CODE_34: Final = Meaning(
    key="province-code-34",
    title=N_("Province code (34 provinces)"),
    description=N_("Two-digit code of a province, in the list of 34 in force since 1 July 2025."),
    search_words=_SEARCH,
    types=WHOLE,
    names=_NAMES,
    named=_CURRENT,
    least_distinct=10,
    rank=2,
)
PROVINCE_CODE_63: Final = Meaning(
    key="province-code-63",
    title=N_("Province code (63 provinces)"),
    description=N_("Two-digit code of a province, in the list of 63 in force until 30 June 2025."),
    search_words=_SEARCH,
    types=WHOLE,
    names=_NAMES,
    named=_FORMER,
    alone=_FORMER,
    alone_share=1.0,
    alone_distinct=25,
    contrast=but_not(_FORMER, _CURRENT),
    rank=3,
)
