"""Codes and names of agencies. Codes: `G12.18` (QĐ 20/2020/QĐ-TTg), the older `000.00.00.H41` (QCVN 102:2016), or this portal's.

The one-level form `H41` is also that of rooms, tables and forms, so it counts only under a name.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.lists import agency_codes, agency_names
from opendata.resources.meanings.meaning import TEXT, Meaning
from opendata.resources.meanings.value_tests import either, listed, listed_name, matches

_OLDER: Final = matches(r"\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}")
_LEVELS: Final = matches(r"[A-Z]\d{2}(?:\.[A-Z0-9]{1,6}){0,6}")
_OURS: Final = listed(agency_codes)

AGENCY_CODE: Final = Meaning(
    key="agency-code",
    title=N_("Agency code"),
    description=N_("Identifier of a state agency, as in G12.18, 000.00.00.H41 or the codes of this portal."),
    search_words={
        "vi": ("mã cơ quan", "mã định danh cơ quan", "mã đơn vị"),
        "en": ("agency code", "organisation identifier"),
    },
    types=TEXT,
    names=(
        "mã cơ quan",
        "mã định danh",
        "mã đơn vị",
        "mã định danh điện tử",
        "mã định danh cơ quan",
        "mã bộ ngành",
        "agency code",
        "agency id",
        "organisation code",
        "organization code",
    ),
    not_names=("mã định danh cá nhân", "mã đơn vị hành chính", "mã đơn vị tính"),
    named=either(_OLDER, _LEVELS, _OURS),
    alone=either(_OLDER, _OURS),
    alone_share=1.0,
    alone_distinct=5,
)
AGENCY_NAME: Final = Meaning(
    key="agency-name",
    title=N_("Agency name"),
    description=N_(
        "Name of a ministry, ministerial agency or provincial committee, of today or a former one."
    ),
    search_words={"vi": ("tên cơ quan", "bộ ngành"), "en": ("agency name", "ministry")},
    types=TEXT,
    names=(
        "cơ quan",
        "tên cơ quan",
        "cơ quan ban hành",
        "cơ quan chủ quản",
        "bộ ngành",
        "bộ",
        "tên bộ",
        "agency",
        "agency name",
        "ministry",
    ),
    not_names=("cán bộ", "đảng bộ", "bộ phận", "toàn bộ", "cơ quan thường trú"),
    named=listed_name(agency_names),
    named_share=0.8,
    alone=listed_name(agency_names),
    alone_share=0.8,
    alone_distinct=5,
)
