"""Every problem code there is.

Read by `problems.Problem`. Codes are stored with each version, so an entry is never renamed, only added. They
are written for the officer who uploaded the file: what was found, where, and how to mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opendata.resources.ingest.kinds_of_containers import CONTAINER_PROBLEMS
from opendata.resources.ingest.kinds_of_decisions import DECISION_NOTES
from opendata.resources.ingest.kinds_of_files import FILE_ERRORS, NO_TABLE
from opendata.resources.ingest.kinds_of_meanings import MEANING_NOTES
from opendata.resources.ingest.kinds_of_schemas import SCHEMA_ERRORS, SCHEMA_FAULTS
from opendata.resources.ingest.kinds_of_structures import STRUCTURE_NOTES
from opendata.resources.ingest.kinds_of_tables import COLUMN_NOTES, TABLE_NOTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.resources.ingest.problem_kind import ProblemKind

_ALL: Final = (
    *FILE_ERRORS,
    *CONTAINER_PROBLEMS,
    *NO_TABLE,
    *STRUCTURE_NOTES,
    *TABLE_NOTES,
    *COLUMN_NOTES,
    *MEANING_NOTES,
    *DECISION_NOTES,
    *SCHEMA_FAULTS,
    *SCHEMA_ERRORS,
)
KINDS: Final[Mapping[str, ProblemKind]] = {kind.code: kind for kind in _ALL}
