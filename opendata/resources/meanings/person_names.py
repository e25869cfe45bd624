"""Vietnamese personal names: one of the usual family names and one to four more words, with or without marks.

The family names are the frequent ones of the Kinh and of the larger other groups; a rare one makes a value not
fit, never a column: shares decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.meanings.value_tests import folded, spelled

if TYPE_CHECKING:
    from opendata.resources.meanings.meaning import Test

_FREQUENT: Final = (
    "nguyen tran le pham hoang huynh vu vo phan truong bui dang do ngo ho duong dinh doan lam mai trinh dao cao ly "
    "luong luu ha thai chau ta phung to vuong tong quach trieu dam nghiem thach kieu la tang quan ton lo vi ma "
    "giang hua luc nong be khuc thieu phi bach chu mac an cu kim danh son ong lai au hang giap ngac lu lieu tieu "
    "diep sam vang sung lau thao cha hau ksor nay rmah siu kpa nie y ro cham dong chieu quang cam ban"
)
FAMILY_NAMES: Final = frozenset(_FREQUENT.split())
# Words that start like a family name but name an office, a place or a thing.
_NO_PERSON: Final = (
    r"\b(?:cong ty|tnhh|co phan|truong|benh vien|xa|phuong|quan|huyen|tinh|thanh pho|duong|pho|so|ubnd|uy ban|trung tam"
    r"|ngan hang|chi cuc|cuc|vien|hop tac|nha may|khu|ap|thon|ban)\b"
)
_WORDS: Final = r"^[^\s0-9,;:/()_@\-]+(?:\s+[^\s0-9,;:/()_@\-]+){1,4}$"


def _starts_with_family_name(values: pa.Array) -> pa.Array:
    names = folded(values)
    first = pc.replace_substring_regex(names, pattern=r"^([a-z]+) .*$", replacement=r"\1")
    known = pc.is_in(first, value_set=pa.array(sorted(FAMILY_NAMES)))
    rest = pc.replace_substring_regex(names, pattern=r"^[a-z]+ ", replacement="")
    return pc.and_not(known, pc.match_substring_regex(rest, pattern=_NO_PERSON))


def _person_name(values: pa.Array) -> pa.Array:
    written = pc.match_substring_regex(spelled(values), pattern=_WORDS)
    return pc.and_(written, _starts_with_family_name(values))


def _three_words(values: pa.Array) -> pa.Array:
    return pc.match_substring_regex(spelled(values), pattern=r"^\S+\s+\S+\s+\S+")


PERSON_NAME: Final[Test] = _person_name
FULL_NAME: Final[Test] = _three_words
