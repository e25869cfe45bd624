"""What people search for in vain: counted in memory, written now and then, read by administrators.

Kept are a day, a folded text and a count; nothing about who asked. A text with an e-mail address or a long
run of digits (a phone, a citizen number) is not counted at all, since a name may stand beside it.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select, update

from opendata.accounts.policy import Permission
from opendata.catalogue.reader_models import SearchDemand
from opendata.kernel.i18n import VIETNAM_TIME
from opendata.kernel.ids import utc_now
from opendata.kernel.text import clean_line, fold
from opendata.kernel.waiting_counts import WaitingCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opendata.accounts.policy import Actor
    from opendata.kernel.db import Database

LONGEST_TEXT: Final = 80
SHORTEST_TEXT: Final = 2
KEEP_DAYS: Final = 100
MOST_SHOWN: Final = 100
# A flood of different texts between two writes is cut off, so that memory stays bounded.
MOST_WAITING: Final = 2000
# Nine digits and more, also in groups: 0912 345 678, 001.234.567.890.
_LONG_NUMBER: Final = re.compile(r"\d(?:[\s.\-()/]{0,2}\d){8,}")


@dataclass(frozen=True, slots=True)
class Wanted:
    text: str
    count: int


def kept_text(typed: str) -> str:
    """What is kept of a search; empty where nothing may be."""
    line = fold(clean_line(typed))
    if "@" in line or _LONG_NUMBER.search(line) or len(line) < SHORTEST_TEXT:
        return ""
    return line[:LONGEST_TEXT].strip()


class SearchDemandLog:
    """The table: written by the counter, read by administrators."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock

    def save(self, counts: Mapping[tuple[dt.date, str], int]) -> None:
        """Add the counts, and forget what is older than KEEP_DAYS."""
        with self._database.bookkeeping() as unit:
            for (day, text), count in sorted(counts.items()):  # one order, or two processes deadlock
                row = (SearchDemand.day == day, SearchDemand.text == text)
                # Two processes that make the same row at once: the second fails and comes again.
                is_there = unit.session.scalar(select(SearchDemand).where(*row).with_for_update())
                if is_there is None:
                    unit.session.add(SearchDemand(day=day, text=text, count=count))
                else:
                    changed = update(SearchDemand).where(*row).values(count=SearchDemand.count + count)
                    unit.session.execute(changed)
            unit.session.execute(delete(SearchDemand).where(SearchDemand.day < self._day(KEEP_DAYS)))

    def top(self, actor: Actor, days: int) -> tuple[Wanted, ...]:
        """What was searched for most often in vain within so many days, most first."""
        actor.require(Permission.MANAGE_PORTAL)
        total = func.sum(SearchDemand.count)
        chosen = (
            select(SearchDemand.text, total)
            .where(SearchDemand.day > self._day(days))
            .group_by(SearchDemand.text)
            .order_by(total.desc(), SearchDemand.text)
            .limit(MOST_SHOWN)
        )
        with self._database.reading() as session:
            return tuple(Wanted(text, int(count)) for text, count in session.execute(chosen))

    def _day(self, ago: int) -> dt.date:
        return self._clock().astimezone(VIETNAM_TIME).date() - dt.timedelta(days=ago)


class DemandCounter(WaitingCounts[tuple[dt.date, str]]):
    """`save` takes counts by (day, text)."""

    def __init__(
        self,
        save: Callable[[Mapping[tuple[dt.date, str], int]], None],
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        super().__init__(save, "searches in vain", most=MOST_WAITING)
        self._clock = clock

    def found_nothing(self, typed: str) -> None:
        text = kept_text(typed)
        if text:
            self.add((self._clock().astimezone(VIETNAM_TIME).date(), text))
