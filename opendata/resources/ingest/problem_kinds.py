"""Every problem code there is.

Read by `problems.Problem`. Codes are stored with each version, so an entry is never renamed, only added. They
are written for the officer who uploaded the file: what was found, where, and how to mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opendata.kernel.errors import N_
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

# What a publisher meets, in the order of the stages: the title of each group and its codes.
GROUPS: Final[tuple[tuple[str, tuple[ProblemKind, ...]], ...]] = (
    (N_("The file cannot be read"), FILE_ERRORS),
    (N_("Archives and files in files"), CONTAINER_PROBLEMS),
    (N_("The file is kept, but has no table"), NO_TABLE),
    (N_("How headers, notes and letters were read"), STRUCTURE_NOTES),
    (N_("What was done to the table"), TABLE_NOTES),
    (N_("Columns that stay text"), COLUMN_NOTES),
    (N_("Personal data"), MEANING_NOTES),
    (N_("What you decided"), DECISION_NOTES),
    (N_("The schema itself is wrong"), SCHEMA_FAULTS),
    (N_("The table does not satisfy its schema"), SCHEMA_ERRORS),
)
KINDS: Final[Mapping[str, ProblemKind]] = {kind.code: kind for _, kinds in GROUPS for kind in kinds}
