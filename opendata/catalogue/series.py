"""Which datasets are editions of one series: the same title but for the period, by the same publisher.

Asked when a dataset is indexed, so that a search never compares titles. A period is read only where it
stands on its own: the 2025 of “Nghị định 194/2025/NĐ-CP” or “QCVN 102:2016” names a document. Pure.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from opendata.kernel.text import clean_line, fold

if TYPE_CHECKING:
    from collections.abc import Mapping

_YEAR = r"(?:19|20)\d\d"
_OF = r"(?:\s*[/,.-]?\s*(?:năm\s+|of\s+)?)"
_MONTHS = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_QUARTERS: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "1": 1, "2": 2, "3": 3, "4": 4}
# Not inside a word, a code or a document's number.
_BEFORE, _AFTER = r"(?<![\w/:.–-])", r"(?!\w|[:/–-]\w|\.\d)"
# From the longest to the shortest, since the first that fits is taken.
_PERIOD = re.compile(
    _BEFORE
    + "(?:"
    + "|".join(
        (
            rf"(?:đến\s+)?(?:ngày\s+)?(?P<day>\d{{1,2}})[/.-](?P<day_month>\d{{1,2}})[/.-](?P<day_year>{_YEAR})",
            rf"(?P<iso_year>{_YEAR})-(?P<iso_month>0[1-9]|1[0-2])(?:-(?P<iso_day>\d\d))?",
            (
                rf"(?:(?:giai đoạn|thời kỳ|năm học|niên khóa|niên khoá|niên vụ|các năm|từ)\s+)?(?:năm\s+)?{_YEAR}"
                rf"\s*(?:[-–—/]|đến|tới|to)\s*(?:năm\s+)?(?P<last>{_YEAR}|\d\d)"
            ),
            rf"(?:quý|quí|quarter|q)\s*(?P<quarter>iv|i{{1,3}}|[1-4]){_OF}(?P<quarter_year>{_YEAR})",
            rf"(?P<year_quarter>{_YEAR})\s*[-/]?\s*q(?P<quarter_after>[1-4])",
            rf"(?P<months>\d{{1,2}})\s*tháng(?:\s+(?:đầu|cuối))?(?:\s+năm)?{_OF}(?P<months_year>{_YEAR})",
            rf"tháng\s*(?P<month>\d{{1,2}}){_OF}(?P<month_year>{_YEAR})",
            rf"(?P<month_name>{_MONTH_NAMES})\.?{_OF}(?P<name_year>{_YEAR})",
            rf"(?P<short_month>0?[1-9]|1[0-2])/(?P<short_year>{_YEAR})",
            rf"(?:năm|year)?\s*(?P<year>{_YEAR})",
        )
    )
    + ")"
    + _AFTER,
    re.IGNORECASE,
)
_ANY_YEAR = re.compile(_YEAR)  # no period goes without
_LEADING = re.compile(r"^(?:đến|ngày|năm học|năm|year|giai đoạn|thời kỳ|các năm|từ)\s+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_LONGEST_LABEL: Final = 40
_KEY_BITS: Final = 53  # what a float holds exactly
KEY_DIGITS: Final = 14


@dataclass(frozen=True, slots=True)
class Edition:
    """`key` names the series (0 where the title leaves nothing to tell one by); `labels` the period by
    language, empty where the title has none; `order` grows with time, as yyyymmdd, 0 without a period.
    """

    key: int
    labels: Mapping[str, str]
    order: int


def edition_of(titles: Mapping[str, str], publisher: str) -> Edition:
    """`titles` by language. The Vietnamese title decides, or the only one there is."""
    deciding = titles.get("vi") or next(filter(None, titles.values()), "")
    stem, _, order = _taken_apart(deciding)
    labels = {language: label for language, text in titles.items() if (label := _taken_apart(text)[1])}
    return Edition(_key(stem, publisher) if stem else 0, labels, order)


def key_text(key: int) -> str:
    """The key as it stands in addresses."""
    return f"{key:0{KEY_DIGITS}x}"


def _key(stem: str, publisher: str) -> int:
    digest = hashlib.sha256(f"{stem}\n{publisher}".encode()).digest()
    return int.from_bytes(digest[:8]) >> (64 - _KEY_BITS)


@lru_cache(maxsize=256)  # the title that decides is asked about twice
def _taken_apart(title: str) -> tuple[str, str, int]:
    """(folded words without the period, the period as written, its order)."""
    line = clean_line(title)
    periods = list(_PERIOD.finditer(line)) if _ANY_YEAR.search(line) else []
    ends = [0, *(end for found in periods for end in found.span()), len(line)]
    rest = " ".join(line[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True))
    stem = " ".join(_WORD.findall(fold(rest)))
    label = ", ".join(_LEADING.sub("", _LEADING.sub("", found[0].strip())) for found in periods)
    return stem, label[:_LONGEST_LABEL], max((_order(found) for found in periods), default=0)


def _order(found: re.Match[str]) -> int:
    """The end of the period as yyyymmdd; a whole year stands after its quarters and months."""
    part = {name: text.lower() for name, text in found.groupdict().items() if text}
    if last := part.get("last"):
        century = re.search(_YEAR, found[0])
        year = int(last) if len(last) > 2 else int(century[0][:2] + last) if century else 0  # noqa: PLR2004 - "2022-23"
        return year * 10_000 + 1300
    year = int(next(part[name] for name in part if name.endswith("year") or name == "year_quarter"))
    if quarter := part.get("quarter") or part.get("quarter_after"):
        return year * 10_000 + _QUARTERS[quarter] * 300
    if name := part.get("month_name"):
        return year * 10_000 + (_MONTHS.index(name) % 12 if len(name) == 3 else _long_month(name)) * 100 + 100  # noqa: PLR2004 - "jan"
    month = next(
        (part[name] for name in ("day_month", "iso_month", "months", "month", "short_month") if name in part),
        "",
    )
    day = part.get("day") or part.get("iso_day") or "0"
    return year * 10_000 + (int(month) * 100 + int(day) if month else 1300)


def _long_month(name: str) -> int:
    return next(number for number, short in enumerate(_MONTHS[:12]) if name.startswith(short))
