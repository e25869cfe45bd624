"""Names of provinces and centrally-run cities: of the 34 since 1 July 2025 or of the 63 before.

With or without diacritics and the word for the kind (`Tỉnh`, `TP.`). As with codes, a column of a few names
that existed before and after is called neither.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.lists import PROVINCE_KINDS, current_provinces, former_provinces
from opendata.resources.meanings.meaning import TEXT, Meaning
from opendata.resources.meanings.value_tests import but_not, listed_name

_NAMES: Final = (
    "tỉnh",
    "tên tỉnh",
    "tỉnh thành",
    "tỉnh thành phố",
    "thành phố",
    "địa phương",
    "tentinh",
    "province",
    "province name",
    "city",
)
_SEARCH: Final = {
    "vi": ("tên tỉnh", "tỉnh thành phố", "theo tỉnh"),
    "en": ("province name", "by province"),
}
_CURRENT: Final = listed_name(lambda: current_provinces().names, PROVINCE_KINDS)
_FORMER: Final = listed_name(lambda: former_provinces().names, PROVINCE_KINDS)

PROVINCE_NAME: Final = Meaning(
    key="province-name",
    title=N_("Province name"),
    description=N_("Name of a province; these values fit both the 34 of today and the 63 before."),
    search_words=_SEARCH,
    types=TEXT,
    names=_NAMES,
    named=_FORMER,
)
PROVINCE_NAME_34: Final = Meaning(
    key="province-name-34",
    title=N_("Province name (34 provinces)"),
    description=N_("Name of a province, in the list of 34 in force since 1 July 2025."),
    search_words=_SEARCH,
    types=TEXT,
    names=_NAMES,
    named=_CURRENT,
    alone=_CURRENT,
    alone_share=0.95,
    least_distinct=10,
    rank=2,
)
PROVINCE_NAME_63: Final = Meaning(
    key="province-name-63",
    title=N_("Province name (63 provinces)"),
    description=N_("Name of a province, in the list of 63 in force until 30 June 2025."),
    search_words=_SEARCH,
    types=TEXT,
    names=_NAMES,
    named=_FORMER,
    alone=_FORMER,
    alone_share=0.95,
    contrast=but_not(_FORMER, _CURRENT),
    rank=3,
)
