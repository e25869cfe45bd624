"""Problem codes that a person decides about: rows in error, corrections, what is set aside.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.resources.ingest.problem_kind import ProblemKind

DECISION_NOTES: Final[tuple[ProblemKind, ...]] = ()
