"""Problem codes of what columns mean, personal data above all.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.resources.ingest.problem_kind import ProblemKind

MEANING_NOTES: Final[tuple[ProblemKind, ...]] = ()
