"""Codes of communes, wards and special zones: five digits, of the 3,321 since 1 July 2025 or of those before.

Five digits alone say nothing (postal codes and counts have them too): the values are held to the lists. One
former code in three is still in use, so a few codes may be of either time and are then called neither.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.lists import current_communes, former_communes
from opendata.resources.meanings.meaning import WHOLE, Meaning
from opendata.resources.meanings.value_tests import but_not, either, listed

_NAMES: Final = (
    "mã xã",
    "mã phường",
    "mã px",
    "mã xã phường",
    "mã phường xã",
    "mã cấp xã",
    "mã đơn vị hành chính",
    "mã đơn vị hành chính cấp xã",
    "mã đvhc",
    "maxa",
    "mapx",
    "ward code",
    "ward id",
    "commune code",
    "commune id",
)
_SEARCH: Final = {
    "vi": ("mã xã", "mã phường", "mã xã phường", "mã đơn vị hành chính cấp xã"),
    "en": ("commune code", "ward code"),
}
_CURRENT: Final = listed(lambda: current_communes().codes, digits=5)
_FORMER: Final = listed(lambda: former_communes().codes, digits=5)

COMMUNE_CODE: Final = Meaning(
    key="commune-code",
    title=N_("Commune code"),
    description=N_(
        "Five-digit code of a commune, ward or special zone; these values fit the lists before and after 1 July 2025."
    ),
    search_words=_SEARCH,
    types=WHOLE,
    names=_NAMES,
    named=either(_CURRENT, _FORMER),
)
COMMUNE_CODE_2025: Final = Meaning(
    key="commune-code-2025",
    title=N_("Commune code (since July 2025)"),
    description=N_(
        "Five-digit code of a commune, ward or special zone, in the list of 3,321 in force since 1 July 2025."
    ),
    search_words=_SEARCH,
    types=WHOLE,
    names=_NAMES,
    named=_CURRENT,
    alone=_CURRENT,
    alone_share=0.99,
    least_distinct=10,
    rank=2,
)
COMMUNE_CODE_FORMER: Final = Meaning(
    key="commune-code-former",
    title=N_("Commune code (until June 2025)"),
    description=N_("Five-digit code of a commune or ward, in the list in force until 30 June 2025."),
    search_words=_SEARCH,
    types=WHOLE,
    names=_NAMES,
    named=_FORMER,
    alone=_FORMER,
    alone_share=0.99,
    alone_distinct=20,
    contrast=but_not(_FORMER, _CURRENT),
    rank=3,
)
