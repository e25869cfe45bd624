"""A small picture of a column, from its statistics: a histogram, or its most frequent values. Pure.

Drawn on the server as inline SVG without styles of its own, so that it prints, works without scripts and
follows light and dark. Each says in words what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from opendata.web.cell_text import MEASURED, needs_groups, statistic_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.kernel.i18n import Translator

WIDTH: Final = 128
HEIGHT: Final = 40
TOPS: Final = 3
# Where even the most frequent value is rarer than this, listing values says nothing.
LEAST_SHARE: Final = 0.01
_GAP: Final = 1
_LEAST_BAR: Final = 1.5


@dataclass(frozen=True, slots=True)
class TopValue:
    """`share` of all values that are not null, from 0 to 1."""

    text: str
    share: float
    bar: Markup


@dataclass(frozen=True, slots=True)
class ColumnPicture:
    """Either a histogram with its two ends, or top values with what is left over, or a plain remark."""

    histogram: Markup | None = None
    least: str = ""
    greatest: str = ""
    tops: tuple[TopValue, ...] = ()
    others: int = 0
    remark: str = ""


def picture(statistics: Mapping[str, Any], kind: str, tongue: Translator) -> ColumnPicture:
    """`statistics` is one column of a profile (see `resources.ingest.profile`), `kind` its Table Schema type."""
    count, distinct = statistics["count"], statistics["distinct"]
    if not count:
        return ColumnPicture(remark=tongue.gettext("No value at all"))
    grouped = kind in MEASURED and needs_groups(statistics["min"], statistics["max"])
    bins = statistics["histogram"]
    if len(bins) > 1:
        least, greatest = (
            statistic_text(statistics[end], kind, tongue, grouped=grouped) for end in ("min", "max")
        )
        return ColumnPicture(histogram(bins, kind, tongue, grouped=grouped), least, greatest)
    if distinct == count and distinct > TOPS:
        return ColumnPicture(remark=tongue.gettext("Every value is different"))
    shown = statistics["top"][:TOPS]
    if shown[0]["count"] / count < LEAST_SHARE:
        return ColumnPicture(
            remark=tongue.ngettext("%(count)s different value", "%(count)s different values", distinct)
        )
    tops = tuple(
        TopValue(
            statistic_text(top["value"], kind, tongue, grouped=grouped),
            top["count"] / count,
            share_bar(top["count"] / count),
        )
        for top in shown
    )
    return ColumnPicture(tops=tops, others=distinct - len(tops))


def histogram(
    bins: Sequence[Mapping[str, Any]], kind: str, tongue: Translator, *, grouped: bool = False
) -> Markup:
    """Bars of equal width whose heights are counts; the fullest bin is named in the text alternative."""
    most = max(part["count"] for part in bins) or 1
    width = WIDTH / len(bins)
    bars = []
    for number, part in enumerate(bins):
        if part["count"]:
            height = max(part["count"] / most * HEIGHT, _LEAST_BAR)
            bars.append(
                f"M{_short(number * width)} {HEIGHT}v-{_short(height)}h{_short(width - _GAP)}V{HEIGHT}z"
            )
    fullest = max(bins, key=lambda part: part["count"])
    alternative = tongue.gettext(
        "Distribution from %(least)s to %(greatest)s; most values, %(count)s, lie between %(low)s and %(high)s.",
        least=statistic_text(bins[0]["from"], kind, tongue, grouped=grouped),
        greatest=statistic_text(bins[-1]["to"], kind, tongue, grouped=grouped),
        count=tongue.number(fullest["count"]),
        low=statistic_text(fullest["from"], kind, tongue, grouped=grouped),
        high=statistic_text(fullest["to"], kind, tongue, grouped=grouped),
    )
    return Markup(
        '<svg class="chart" viewBox="0 0 {width} {height}" role="img"><title>{alternative}</title>'
        '<path class="ground" d="M0 {height}h{width}v1H0z"/><path d="{bars}"/></svg>'
    ).format(width=WIDTH, height=HEIGHT, alternative=alternative, bars="".join(bars))


def share_bar(share: float) -> Markup:
    """A bar from 0 to 100 per cent; the number stands beside it as text."""
    return Markup(
        '<svg viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="ground" d="M0 0h100v3H0z"/><path d="M0 0h{}v3H0z"/></svg>'
    ).format(_short(max(share * 100, _LEAST_BAR)))


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
