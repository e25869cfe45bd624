"""Personal values inside longer texts: what each looks like there, and how many make a finding.

A number counts only where no digit, point or comma stands before it, so that fractions and amounts are left
alone, and only where most numbers of that length in the column look so: among random codes of twelve digits
one in forty has the structure of a citizen number, among those of ten one in thirty that of a mobile phone.
A number that the text itself calls CCCD or CMND always counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.meanings.citizen_id import citizen_id_form
from opendata.resources.meanings.masking import masked_email, masked_number, masked_phone

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_VALUES: Final = 3
LEAST_SHARE: Final = 0.05
_TRIED: Final = 300  # for samples that look different once they are masked
_MOST_OF_THEM: Final = 0.5
# Cheap, and true of every value that any pattern below finds.
SUSPECT: Final = r"@|[0-9][0-9 .\-]{7,}[0-9]"
_BEFORE: Final = r"(?:^|[^\d.,])"
_AFTER: Final = r"(?:[^\d]|$)"
_EMAIL: Final = r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}"
_PHONE: Final = r"(?:\+?84|0)[ .\-]?(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-46-9])(?:[ .\-]?\d){7}"
_CALLED: Final = r"(?i:cccd|cmnd|cmt|căn cước|chứng minh)[^\d]{0,24}"


@dataclass(frozen=True, slots=True)
class Hidden:
    """`found` and `rivals` are patterns of a whole text; `value` cuts out what is then masked.

    `key` is the meaning that says the same of a whole column; `sure` is a form that needs no rivals' word,
    `sign` a character that every one of them has.
    """

    key: str
    code: str
    found: str
    value: str
    mask: Callable[[str], str]
    rivals: str = ""
    sure: str = ""
    sign: str = ""


@cache
def hidden_kinds() -> tuple[Hidden, ...]:
    citizen = citizen_id_form()
    called = rf"{_CALLED}(?:\d{{12}}|\d{{9}}){_AFTER}"
    return (
        Hidden(
            "citizen-id",
            "personal-ids-in-text",
            rf"{_BEFORE}{citizen}{_AFTER}|{called}",
            r"(?<![\d.,])(?:\d{12}|\d{9})(?!\d)",
            masked_number,
            rivals=rf"{_BEFORE}\d{{12}}{_AFTER}",
            sure=called,
        ),
        Hidden(
            "phone",
            "personal-phones-in-text",
            rf"{_BEFORE}{_PHONE}{_AFTER}",
            rf"(?<![\d.,]){_PHONE}(?!\d)",
            masked_phone,
            rivals=rf"{_BEFORE}\d{{10}}{_AFTER}",
        ),
        Hidden("email", "personal-emails-in-text", _EMAIL, _EMAIL, masked_email, sign="@"),
    )


class HiddenCount:
    """How many values of one column hold one kind of personal value. Show it every suspect text."""

    def __init__(self, kind: Hidden) -> None:
        self.kind = kind
        self.count = 0
        self._rivals = 0
        self._sure = 0
        self.sample: list[str] = []

    def show(self, texts: pa.Array, counts: pa.Array) -> None:
        kind = self.kind
        if kind.sign:
            signed = pc.match_substring(texts, pattern=kind.sign)
            texts, counts = texts.filter(signed), counts.filter(signed)
        found = pc.match_substring_regex(texts, pattern=kind.found)
        hits, times = texts.filter(found), counts.filter(found)
        self.count += pc.sum(times).as_py() or 0
        if kind.rivals:
            others = pc.invert(found)
            self._rivals += _total(texts.filter(others), counts.filter(others), kind.rivals)
        if kind.sure:
            self._sure += _total(hits, times, kind.sure)
        if len(self.sample) < LEAST_VALUES:
            self._keep(hits.slice(0, _TRIED).to_pylist())

    def _keep(self, texts: list[str]) -> None:
        for text in texts:
            value = re.search(self.kind.value, text)
            masked = self.kind.mask(value.group()) if value else ""
            if masked and masked not in self.sample and len(self.sample) < LEAST_VALUES:
                self.sample.append(masked)

    def holds(self, values: int) -> bool:
        """Whether it is a finding, among so many values of the column."""
        if self._sure:
            return True
        enough = self.count >= LEAST_VALUES or (self.count > 0 and self.count >= values * LEAST_SHARE)
        return enough and self.count >= (self.count + self._rivals) * _MOST_OF_THEM


def _total(texts: pa.Array, counts: pa.Array, pattern: str) -> int:
    return pc.sum(counts.filter(pc.match_substring_regex(texts, pattern=pattern))).as_py() or 0
