"""Problem codes of what was made of a sheet or text: headers, units, footers, several tables, old encodings.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.resources.ingest.problem_kind import ProblemKind

STRUCTURE_NOTES: Final[tuple[ProblemKind, ...]] = ()
