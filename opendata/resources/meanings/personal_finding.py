"""What the screen for personal data found, as a value that is stored with the version until someone decides.

Holds counts and masked samples only: the values themselves are never kept, logged or shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.ingest.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAID: Final[Mapping[str, Problem]] = {
    problem.code: problem
    for problem in (
        Problem("personal-citizen-ids"),
        Problem("personal-phones"),
        Problem("personal-emails"),
        Problem("personal-plates"),
        Problem("personal-names-births"),
        Problem("personal-ids-in-text"),
        Problem("personal-phones-in-text"),
        Problem("personal-emails-in-text"),
    )
}


@dataclass(frozen=True, slots=True)
class PersonalFinding:
    """`count` of `total` rows; `columns` are names, two for personal names (first) beside dates of birth.

    `table` is for the caller to say, where a file has several.
    """

    code: str
    columns: tuple[str, ...]
    count: int
    total: int
    sample: tuple[str, ...]
    table: str | None = None

    def problem(self) -> Problem:
        """What to say about it."""
        params: dict[str, Any] = {"count": self.count, "total": self.total, "sample": ", ".join(self.sample)}
        if len(self.columns) > 1:
            params["births"] = self.columns[1]
        said = _SAID.get(self.code) or Problem(self.code)
        return replace(said, params=params, column=self.columns[0], table=self.table)

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "columns": list(self.columns),
            "count": self.count,
            "total": self.total,
            "sample": list(self.sample),
            **({"table": self.table} if self.table is not None else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PersonalFinding:
        return cls(
            data["code"],
            tuple(data["columns"]),
            data["count"],
            data["total"],
            tuple(data["sample"]),
            data.get("table"),
        )
