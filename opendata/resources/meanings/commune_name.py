"""Names of communes, wards and special zones: of the 3,321 since 1 July 2025 or of those before.

A column that is not called so must write the kind with the name (`Xã Tân An`): many names alone are also
those of people, streets and schools.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.lists import COMMUNE_KINDS, current_communes, former_communes
from opendata.resources.meanings.meaning import TEXT, Meaning
from opendata.resources.meanings.value_tests import but_not, either, listed_name

_NAMES: Final = (
    "xã",
    "phường",
    "tên xã",
    "tên phường",
    "xã phường",
    "phường xã",
    "xã phường thị trấn",
    "xã phường đặc khu",
    "tên đơn vị hành chính",
    "đơn vị hành chính cấp xã",
    "tenxa",
    "ward",
    "ward name",
    "commune",
    "commune name",
)
_NOT_NAMES: Final = ("mã xã", "hợp tác xã", "thị xã", "số xã", "xã hội", "mã phường")
_SEARCH: Final = {
    "vi": ("tên xã", "tên phường", "xã phường", "theo xã"),
    "en": ("commune name", "ward name", "by commune"),
}
_CURRENT: Final = listed_name(lambda: current_communes().names, COMMUNE_KINDS)
_FORMER: Final = listed_name(lambda: former_communes().names, COMMUNE_KINDS)

COMMUNE_NAME: Final = Meaning(
    key="commune-name",
    title=N_("Commune name"),
    description=N_(
        "Name of a commune, ward or special zone; these values fit the lists before and after 1 July 2025."
    ),
    search_words=_SEARCH,
    types=TEXT,
    names=_NAMES,
    not_names=_NOT_NAMES,
    named=either(_CURRENT, _FORMER),
    least_distinct=2,
)
COMMUNE_NAME_2025: Final = Meaning(
    key="commune-name-2025",
    title=N_("Commune name (since July 2025)"),
    description=N_(
        "Name of a commune, ward or special zone, in the list of 3,321 in force since 1 July 2025."
    ),
    search_words=_SEARCH,
    types=TEXT,
    names=_NAMES,
    not_names=_NOT_NAMES,
    named=_CURRENT,
    named_share=0.95,
    alone=listed_name(lambda: current_communes().names, COMMUNE_KINDS, kind_needed=True),
    alone_share=0.95,
    least_distinct=10,
    rank=2,
)
COMMUNE_NAME_FORMER: Final = Meaning(
    key="commune-name-former",
    title=N_("Commune name (until June 2025)"),
    description=N_("Name of a commune or ward, in the list in force until 30 June 2025."),
    search_words=_SEARCH,
    types=TEXT,
    names=_NAMES,
    not_names=_NOT_NAMES,
    named=_FORMER,
    named_share=0.95,
    alone=listed_name(lambda: former_communes().names, COMMUNE_KINDS, kind_needed=True),
    alone_share=0.95,
    contrast=but_not(_FORMER, _CURRENT),
    rank=3,
)
