"""Which datasets are editions of one series: the same title but for the period, by the same publisher.

Asked when a dataset is indexed, so that a search never compares titles. A period is read only where it
stands on its own: the 2025 of “Nghị định 194/2025/NĐ-CP” or “QCVN 102:2016” names a document. Pure.
"""

from __future__ import annotations

import calendar
import datetime as dt
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
_MONTH_ENDS: Final = tuple(_MONTHS)
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
_LONGEST_PERIOD: Final = 32  # up to its year, in a line with single spaces: “12 tháng cuối năm / năm 2024”
_ANY_YEAR = re.compile(_YEAR)  # no period goes without
# Most titles have one number, their year. Nothing but a quarter in Roman numbers or a month's name before it can
# then make it more than a plain year, and the long pattern need not be tried at every letter.
_LONE_YEAR = re.compile(rf"([^\dİıſ]*)({_YEAR})\D*")  # without letters that a pattern takes for i and s

_BETWEEN: Final = " /,.-"
_QUARTER_NAMES: Final = ("quý", "quí", "quarter", "q")
_PLAIN_YEAR = re.compile(rf"{_BEFORE}(?:năm|year)?\s*(?P<year>{_YEAR}){_AFTER}", re.IGNORECASE)
_LONGEST_PLAIN: Final = len("year ")
_LEADING = re.compile(r"^(?:đến|ngày|năm học|năm|year|giai đoạn|thời kỳ|các năm|từ)\s+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_LONGEST_LABEL: Final = 40
_KEY_BITS: Final = 53  # what a float holds exactly
KEY_DIGITS: Final = 14


@dataclass(frozen=True, slots=True)
class Edition:
    """`key` names the series (0 where the title leaves nothing to tell one by); `labels` the period by
    language, empty where the title has none; `order` grows with time, as yyyymmdd, 0 without a period;
    `days` the first and the last day the title speaks of.
    """

    key: int
    labels: Mapping[str, str]
    order: int
    days: tuple[dt.date, dt.date] | None


def edition_of(titles: Mapping[str, str], publisher: str) -> Edition:
    """`titles` by language. The Vietnamese title decides, or the only one there is."""
    deciding = titles.get("vi") or next(filter(None, titles.values()), "")
    rest, _, order, days = _taken_apart(deciding)
    stem = _stem(rest)
    labels = {language: label for language, text in titles.items() if (label := _taken_apart(text)[1])}
    return Edition(_key(stem, publisher) if stem else 0, labels, order, days)


def _stem(title: str) -> str:
    return " ".join(filter(None, map(_folded_words, title.split())))


@lru_cache(maxsize=16_384)  # the syllables of a catalogue are the same few thousand
def _folded_words(piece: str) -> str:
    """The words of what stands between two spaces: “lúa/gạo” has two, “–” none."""
    return " ".join(_WORD.findall(fold(piece)))


def key_text(key: int) -> str:
    """The key as it stands in addresses."""
    return f"{key:0{KEY_DIGITS}x}"


def _key(stem: str, publisher: str) -> int:
    digest = hashlib.sha256(f"{stem}\n{publisher}".encode()).digest()
    return int.from_bytes(digest[:8]) >> (64 - _KEY_BITS)


@lru_cache(maxsize=256)  # the title that decides is asked about twice
def _taken_apart(title: str) -> tuple[str, str, int, tuple[dt.date, dt.date] | None]:
    """(the line without the period, the period as written, its order, its first and last day)."""
    line = clean_line(title)
    lone = _LONE_YEAR.fullmatch(line)
    if lone and not _may_name_part_of_year(lone[1][-_LONGEST_PERIOD:]):
        return _taken_from_year(line, lone[2], lone.start(2))
    year = _ANY_YEAR.search(line)
    periods = list(_PERIOD.finditer(line, max(0, year.start() - _LONGEST_PERIOD))) if year else []
    if not periods:
        return line, "", 0, None
    ends = [0, *(end for found in periods for end in found.span()), len(line)]
    rest = " ".join(line[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True))
    label = ", ".join(_as_label(found[0]) for found in periods)
    spans = [_days(found) for found in periods]
    days = (min(first for first, _ in spans), max(last for _, last in spans))
    return rest, label[:_LONGEST_LABEL], max(map(_order, periods)), days


def _taken_from_year(
    line: str, year: str, start: int
) -> tuple[str, str, int, tuple[dt.date, dt.date] | None]:
    """The same for a line in which `year`, at `start`, is all that can be a period."""
    found = _PLAIN_YEAR.search(line, max(0, start - _LONGEST_PLAIN))
    if found is None:
        return line, "", 0, None
    begin, end = found.span()
    label = year if begin == start else _as_label(found[0])
    return f"{line[:begin]} {line[end:]}", label, *_whole_year(int(year))


@lru_cache(maxsize=1024)
def _as_label(written: str) -> str:
    return _LEADING.sub("", _LEADING.sub("", written.strip()))


@lru_cache(maxsize=256)
def _whole_year(year: int) -> tuple[int, tuple[dt.date, dt.date]]:
    """Its order, after all its quarters and months; its days."""
    return year * 10_000 + 1300, (dt.date(year, 1, 1), dt.date(year, 12, 31))


def _may_name_part_of_year(before: str) -> bool:
    """Whether a text without numbers may end in a month's name or a quarter, and what may stand before the year."""
    words = before.lower().rstrip(_BETWEEN)
    if words.endswith(("năm", "of")):
        words = words.removesuffix("năm").removesuffix("of").rstrip(_BETWEEN)
    if words.endswith(("i", "v")):
        return words.rstrip("iv").rstrip().endswith(_QUARTER_NAMES)
    return words.endswith(_MONTH_ENDS)


def _order(found: re.Match[str]) -> int:
    """The end of the period as yyyymmdd; a whole year stands after its quarters and months."""
    if plain := _plain_year(found):
        return _whole_year(plain)[0]
    part = _parts(found)
    _, year = _years(found, part)
    if quarter := part.get("quarter") or part.get("quarter_after"):
        return year * 10_000 + _QUARTERS[quarter] * 300
    month = _month(part)
    day = part.get("day") or part.get("iso_day") or "0"
    return year * 10_000 + (month * 100 + int(day) if month else 1300)


def _days(found: re.Match[str]) -> tuple[dt.date, dt.date]:
    """The first and the last day of the period; of whole years where it names no possible day or month."""
    if plain := _plain_year(found):
        return _whole_year(plain)[1]
    part = _parts(found)
    first, last = _years(found, part)
    begins, ends = 1, 12
    if quarter := part.get("quarter") or part.get("quarter_after"):
        begins, ends = _QUARTERS[quarter] * 3 - 2, _QUARTERS[quarter] * 3
    elif 1 <= (month := _month(part)) <= 12:  # noqa: PLR2004 - months of a year
        begins = ends = month
        if "months" in part:  # “6 tháng đầu năm”, “3 tháng cuối năm”, “9 tháng”
            begins, ends = (13 - month, 12) if "cuối" in found[0].lower() else (1, month)
    longest = calendar.monthrange(last, ends)[1]
    day = int(part.get("day") or part.get("iso_day") or 0)
    if 1 <= day <= longest and begins == ends:
        return dt.date(first, begins, day), dt.date(last, ends, day)
    return dt.date(min(first, last), begins, 1), dt.date(max(first, last), ends, longest)


def _plain_year(found: re.Match[str]) -> int:
    """The year where nothing else is named, as in most titles; 0 otherwise."""
    *others, year = found.groups()
    return int(year) if year and not any(others) else 0


def _parts(found: re.Match[str]) -> dict[str, str]:
    return {name: text.lower() for name, text in found.groupdict().items() if text}


def _years(found: re.Match[str], part: Mapping[str, str]) -> tuple[int, int]:
    """The two years of a span as written, twice the same where there is one."""
    if last := part.get("last"):
        first = next(iter(_ANY_YEAR.findall(found[0])))
        return int(first), int(last if len(last) > 2 else first[:2] + last)  # noqa: PLR2004 - "2022-23"
    year = int(next(part[name] for name in part if name.endswith("year") or name == "year_quarter"))
    return year, year


def _month(part: Mapping[str, str]) -> int:
    """As written, so perhaps more than 12; 0 where none is."""
    if name := part.get("month_name"):
        return _MONTHS.index(name) % 12 + 1 if len(name) == 3 else _long_month(name) + 1  # noqa: PLR2004 - "jan"
    named = ("day_month", "iso_month", "months", "month", "short_month")
    return int(next((part[name] for name in named if name in part), "0"))


def _long_month(name: str) -> int:
    return next(number for number, short in enumerate(_MONTHS[:12]) if name.startswith(short))
