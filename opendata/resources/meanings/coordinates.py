"""Places on the map: latitude and longitude as numbers within Viet Nam and its seas, or both in one text.

Numbers need a name, because 8–24 and 102–118 are also ages, temperatures and prices. Names are many and
short (`y`, `lat`), so the bounds have to hold for nearly all values.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.meaning import FIGURES, TEXT, Meaning
from opendata.resources.meanings.value_tests import between, either, matches

# Mainland and islands: from the southern Trường Sa to Lũng Cú, from Apa Chải to the eastern Trường Sa.
_SOUTH, _NORTH, _WEST, _EAST = 6.0, 23.5, 102.0, 118.0
_LATITUDE: Final = r"(?:[6-9]|1\d|2[0-3])\.\d{2,}"
_LONGITUDE: Final = r"1(?:0[2-9]|1[0-8])\.\d{2,}"
_SEARCH: Final = {
    "vi": ("tọa độ", "vị trí trên bản đồ", "kinh độ vĩ độ"),
    "en": ("coordinates", "location on the map", "latitude longitude"),
}

LATITUDE: Final = Meaning(
    key="latitude",
    title=N_("Latitude"),
    description=N_("Latitude in degrees, within Viet Nam and its seas."),
    search_words=_SEARCH,
    types=FIGURES,
    names=("vĩ độ", "vido", "lat", "latitude", "tọa độ y", "toạ độ y", "=y", "point y"),
    not_names=("đà lạt", "da lat"),
    named=between(_SOUTH, _NORTH),
    named_share=0.95,
)
LONGITUDE: Final = Meaning(
    key="longitude",
    title=N_("Longitude"),
    description=N_("Longitude in degrees, within Viet Nam and its seas."),
    search_words=_SEARCH,
    types=FIGURES,
    names=("kinh độ", "kinhdo", "lon", "lng", "=long", "longitude", "tọa độ x", "toạ độ x", "=x", "point x"),
    named=between(_WEST, _EAST),
    named_share=0.95,
)
_PAIR: Final = either(
    matches(rf"[(\[]?{_LATITUDE} ?[,; ] ?{_LONGITUDE}[)\]]?"),
    matches(rf"[(\[]?{_LONGITUDE} ?[,; ] ?{_LATITUDE}[)\]]?"),
    matches(rf"(?i)(?:SRID=4326;)?POINT ?(?:Z ?)?\( ?{_LONGITUDE} {_LATITUDE}(?: [\d.\-]+)? ?\)"),
)
COORDINATE_PAIR: Final = Meaning(
    key="coordinate-pair",
    title=N_("Coordinates"),
    description=N_("Latitude and longitude in one value, within Viet Nam and its seas."),
    search_words=_SEARCH,
    types=TEXT,
    names=("tọa độ", "toạ độ", "vị trí", "coordinates", "location", "latlng", "geom", "geometry", "wkt"),
    named=_PAIR,
    alone=_PAIR,
    alone_share=0.95,
    alone_distinct=2,
)
