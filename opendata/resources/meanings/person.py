"""What describes people: gender, ethnic group, personal name, day of birth.

Names and days of birth are personal data when they stand together, which the screen looks for. Streets and
schools are named after people, so a column called one is no column of names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc

from opendata.kernel.errors import N_
from opendata.resources.meanings.lists import ethnic_groups
from opendata.resources.meanings.meaning import TEXT, Meaning
from opendata.resources.meanings.person_names import FULL_NAME, PERSON_NAME
from opendata.resources.meanings.value_tests import either, folded, listed_name, matches

if TYPE_CHECKING:
    import pyarrow as pa

_GENDER_WORDS: Final = matches(r"(?i)nam|nữ|nu|nũ|trai|gái|male|female|m|f|khác|other|nam giới|nữ giới")
_BOTH_SEXES: Final = matches(r"(?i)nam|nữ|male|female|nam giới|nữ giới")
_ETHNIC: Final = listed_name(ethnic_groups, "dan toc|nguoi")


def _has_both(values: pa.Array) -> bool:
    words = set(folded(values).to_pylist())
    return {"nam", "nu"} <= words or {"male", "female"} <= words


def _longer_than_streets(values: pa.Array) -> bool:
    """Names of people mostly have three or four words; those of streets often two."""
    return bool(pc.mean(pc.cast(FULL_NAME(values), "float64")).as_py() >= 0.6)  # noqa: PLR2004 - share


GENDER: Final = Meaning(
    key="gender",
    title=N_("Gender"),
    description=N_("Gender of a person, in words or as a code."),
    search_words={"vi": ("giới tính", "nam nữ"), "en": ("gender", "sex")},
    types=frozenset({"string", "integer", "boolean"}),
    names=("giới tính", "giới", "phái", "nam nữ", "gioitinh", "gender", "sex"),
    not_names=("thế giới", "cơ giới", "giới hạn", "biên giới", "giới thiệu", "môi giới"),
    named=either(_GENDER_WORDS, matches("[0-3]|true|false")),
    alone=_BOTH_SEXES,
    alone_share=1.0,
    alone_distinct=2,
    varied=_has_both,
)
ETHNIC_GROUP: Final = Meaning(
    key="ethnic-group",
    title=N_("Ethnic group"),
    description=N_("One of the 54 recognised ethnic groups of Viet Nam."),
    search_words={"vi": ("dân tộc", "dân tộc thiểu số"), "en": ("ethnic group", "ethnic minority")},
    types=TEXT,
    names=(
        "dân tộc",
        "tên dân tộc",
        "tộc người",
        "thành phần dân tộc",
        "ethnic",
        "ethnic group",
        "ethnicity",
    ),
    named=_ETHNIC,
    alone=_ETHNIC,
    alone_share=0.9,
)
PERSONAL_NAME: Final = Meaning(
    key="personal-name",
    title=N_("Personal name"),
    description=N_("Family name and given name of a person."),
    search_words={"vi": ("họ và tên", "họ tên"), "en": ("personal name", "full name")},
    types=TEXT,
    names=(
        "họ và tên",
        "họ tên",
        "hoten",
        "tên người",
        "chủ hộ",
        "tên chủ hộ",
        "chủ sở hữu",
        "người đại diện",
        "người liên hệ",
        "người ký",
        "học sinh",
        "tên học sinh",
        "sinh viên",
        "bệnh nhân",
        "tên bệnh nhân",
        "cán bộ",
        "full name",
        "fullname",
        "person name",
        "contact name",
    ),
    named=PERSON_NAME,
    named_share=0.6,
    alone=PERSON_NAME,
    not_names=(),
    alone_share=0.95,
    alone_distinct=20,
    varied=_longer_than_streets,
    is_personal=True,
)
BIRTH_DATE: Final = Meaning(
    key="birth-date",
    title=N_("Date of birth"),
    description=N_("Day or year on which a person was born."),
    search_words={"vi": ("ngày sinh", "năm sinh"), "en": ("date of birth", "year of birth")},
    types=frozenset({"date", "datetime", "integer", "string", "year"}),
    names=(
        "ngày sinh",
        "năm sinh",
        "ngày tháng năm sinh",
        "ngaysinh",
        "namsinh",
        "sinh ngày",
        "birth date",
        "birthdate",
        "birthday",
        "date of birth",
        "year of birth",
        "birth year",
        "dob",
    ),
    named=either(
        matches(r"(?:18|19|20)\d{2}(?:-\d{2}-\d{2}.*)?"),
        matches(r"\d{1,2}[/.\-]\d{1,2}[/.\-](?:18|19|20)?\d{2}"),
        matches(r"\d{1,2}[/.\-](?:18|19|20)\d{2}"),
    ),
    named_share=0.6,
    is_personal=True,
)
