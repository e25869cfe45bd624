"""Coded problems: everything the pipeline has to say to the person who published a file.

Every stage and reader creates them; pages, API and CLI show them through `Problem.message`. A problem holds
a code and values, never a sentence, so that it can be stored as JSON and read in either language later.
The sentences are in the modules `kinds_of_…`; a code that is no longer known there still shows something.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import FORMAT_NAMES, TYPE_NAMES, ProblemKind
from opendata.resources.ingest.problem_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Translate = Callable[[str], str]

Severity = Literal["error", "warning", "info"]

LONGEST_SHOWN_VALUE: Final = 80
_UNKNOWN = ProblemKind(
    "unknown",
    "error",
    N_("Something is wrong with this file"),
    N_("The file has a problem that this version of the portal cannot name (%(code)s)."),
    N_("Ask the administrator of the portal."),
)
_EXAMPLE = N_("“%(value)s” (row %(row)s)")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to say. `row` is the row as a spreadsheet program numbers it, from 1, header included.

    `params` hold plain JSON values for the sentence. Three names are special: `found` and `claimed` are
    format names, `kind` is a Table Schema type, and `examples` a list of `[row, value]`.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    severity: str = ""
    table: str | None = None
    row: int | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        if not self.severity:
            object.__setattr__(self, "severity", self.kind.severity)

    @property
    def kind(self) -> ProblemKind:
        return KINDS.get(self.code, _UNKNOWN)

    def title(self, translate: Translate = str) -> str:
        """A few words, the same for every problem of this code."""
        return translate(self.kind.title)

    def sentence(self, translate: Translate = str) -> str:
        """What is wrong and where."""
        return translate(self.kind.sentence) % self._values(translate)

    def advice(self, translate: Translate = str) -> str:
        """What to do next; empty where nothing has to be done."""
        return translate(self.kind.advice) % self._values(translate) if self.kind.advice else ""

    def message(self, translate: Translate = str) -> str:
        """Sentence and advice, as an officer reads them."""
        return " ".join(part for part in (self.sentence(translate), self.advice(translate)) if part)

    def in_table(self, table: str) -> Problem:
        return replace(self, table=table)

    def to_json(self) -> dict[str, Any]:
        optional = {"table": self.table, "row": self.row, "column": self.column}
        return {
            "code": self.code,
            "severity": self.severity,
            "params": dict(self.params),
            **{name: value for name, value in optional.items() if value is not None},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Problem:
        return cls(
            data["code"],
            data.get("params", {}),
            data.get("severity", ""),
            data.get("table"),
            data.get("row"),
            data.get("column"),
        )

    def _values(self, translate: Translate) -> _Values:
        values = dict(self.params) | {"code": self.code}
        for name, value in (("table", self.table), ("row", self.row), ("column", self.column)):
            if value is not None:
                values[name] = value
        for name in ("found", "claimed"):
            if name in values:
                values[name] = translate(FORMAT_NAMES.get(values[name], values[name]))
        if "kind" in values:
            values["kind"] = translate(TYPE_NAMES.get(values["kind"], values["kind"]))
        if "examples" in values:
            shown = ({"row": row, "value": value} for row, value in values["examples"])
            values["examples"] = ", ".join(translate(_EXAMPLE) % example for example in shown)
        return _Values(values)


class _Values(dict[str, Any]):
    """A stored problem may lack a value that a later sentence asks for; the page must still show it."""

    def __missing__(self, key: str) -> str:
        return "?"


class UnreadableError(Exception):
    """Raised by stages and readers where a file cannot go on; the pipeline turns it into a failed result."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message())


def shown(value: str) -> str:
    """A cell as it may stand in a sentence: one line, at most 80 characters."""
    line = " ".join(value.split())
    return line if len(line) <= LONGEST_SHOWN_VALUE else line[: LONGEST_SHOWN_VALUE - 1] + "…"


def examples_of(found: Iterable[tuple[int, str]]) -> list[list[Any]]:
    """`(row, value)` pairs in the form that the `examples` parameter takes."""
    return [[row, shown(value)] for row, value in found]
