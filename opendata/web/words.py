"""Codes of the portal in words: states, stages, kinds of columns, delimiters, filter operators. Read by templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opendata.http.context import speak
from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

DATASET_STATES: Final[Mapping[str, str]] = {
    "draft": N_("Draft"),
    "published": N_("Published"),
    "withdrawn": N_("Withdrawn"),
}
VERSION_STATES: Final[Mapping[str, str]] = {
    "received": N_("Waiting to be processed"),
    "processing": N_("Being processed"),
    "held": N_("Waits for a decision"),
    "published": N_("Published"),
    "failed": N_("Not published"),
}
STAGES: Final[Mapping[str, str]] = {
    "identify": N_("Recognise the file"),
    "validate": N_("Check"),
    "convert": N_("Convert"),
    "profile": N_("Count and measure"),
    "publish": N_("Publish"),
}
KINDS: Final[Mapping[str, str]] = {
    "string": N_("text"),
    "integer": N_("whole number"),
    "number": N_("number"),
    "boolean": N_("yes or no"),
    "date": N_("date"),
    "datetime": N_("date and time"),
    "time": N_("time of day"),
    "year": N_("year"),
    "yearmonth": N_("month"),
    "object": N_("JSON"),
    "array": N_("JSON list"),
    "geojson": N_("map shape"),
    "geopoint": N_("point on the map"),
}
OPERATORS: Final[Mapping[str, str]] = {
    "eq": N_("is"),
    "ne": N_("is not"),
    "lt": N_("is less than"),
    "le": N_("is at most"),
    "gt": N_("is more than"),
    "ge": N_("is at least"),
    "contains": N_("contains"),
    "startswith": N_("begins with"),
    "in": N_("is one of"),
    "isnull": N_("has no value"),
}
DELIMITERS: Final[Mapping[str, str]] = {
    ",": N_("comma"),
    ";": N_("semicolon"),
    "\t": N_("tab"),
    "|": N_("vertical bar"),
}
_ALL: Final = {
    "dataset": DATASET_STATES,
    "version": VERSION_STATES,
    "stage": STAGES,
    "kind": KINDS,
    "operator": OPERATORS,
    "delimiter": DELIMITERS,
}


def word(family: str, code: str) -> str:
    """The code itself where a later version of the portal wrote one that is not known here."""
    return speak().gettext(_ALL[family].get(code, code))
