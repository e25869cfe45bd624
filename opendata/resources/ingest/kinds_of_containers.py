"""Problem codes of archives and other containers: what is inside, and what is refused.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.resources.ingest.problem_kind import ProblemKind

CONTAINER_PROBLEMS: Final[tuple[ProblemKind, ...]] = ()
