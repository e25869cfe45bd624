"""Numbers of citizens: twelve digits with a structure (căn cước), or the nine of the older identity card.

Twelve digits: the province of the first registration (the codes of the 63, with a zero before), a digit for
century and sex (0–3 for those born 1900–2099), two digits of the birth year, six more. One random code in
forty looks so; running numbers may all do. Without a name a column therefore needs 20 different values that
differ in birth year and sex, and it must be text: a column of numbers is never one by its length.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.lists import former_provinces
from opendata.resources.meanings.meaning import WHOLE, Meaning
from opendata.resources.meanings.value_tests import either, matches, spelled

if TYPE_CHECKING:
    import pyarrow as pa

_LEAST_YEARS: Final = 5


@cache
def citizen_id_form() -> str:
    """The pattern of twelve digits with the structure."""
    provinces = "|".join(sorted(former_provinces().codes))
    return rf"0(?:{provinces})(?:[01]\d{{2}}|[23][0-3]\d)\d{{6}}"


def _differ(values: pa.Array) -> bool:
    """Birth years and sexes are those of people, not of a counter."""
    texts = [text for text in spelled(values).to_pylist() if len(text) == 12]  # noqa: PLR2004 - digits of the number
    return len({text[4:6] for text in texts}) >= _LEAST_YEARS and len({text[3] for text in texts}) > 1


_TWELVE: Final = matches(citizen_id_form)
# A spreadsheet takes the leading zeros: 001090123456 comes as 1090123456.
_AS_NUMBER: Final = matches(r"[1-9]\d{9,10}")

CITIZEN_ID: Final = Meaning(
    key="citizen-id",
    title=N_("Citizen number"),
    description=N_("Personal number on an identity card: 12 digits (căn cước), or the 9 of the older card."),
    search_words={
        "vi": ("số căn cước công dân", "CCCD", "chứng minh nhân dân"),
        "en": ("citizen number", "identity card number"),
    },
    types=WHOLE,
    names=(
        "cccd",
        "căn cước",
        "căn cước công dân",
        "số căn cước công dân",
        "cmnd",
        "cmt",
        "cmtnd",
        "chứng minh nhân dân",
        "chứng minh thư",
        "số định danh",
        "số định danh cá nhân",
        "mã định danh cá nhân",
        "sốcccd",
        "socccd",
        "socmnd",
        "citizen id",
        "national id",
        "identity card",
        "id card",
    ),
    not_names=("số lượng cccd", "số lượng căn cước", "tỷ lệ căn cước", "ngày cấp cccd", "nơi cấp cccd"),
    named=either(_TWELVE, _AS_NUMBER, matches(r"\d{9}")),
    named_share=0.5,
    alone=_TWELVE,
    alone_share=0.9,
    alone_distinct=20,
    varied=_differ,
    rank=5,
    is_personal=True,
)
