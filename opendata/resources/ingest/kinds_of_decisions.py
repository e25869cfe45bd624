"""Problem codes that a person decides about: rows in error, corrections, what is set aside.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import ProblemKind

DECISION_NOTES: Final = (
    ProblemKind(
        "rows-set-aside",
        "warning",
        N_("Rows set aside"),
        N_(
            "Rows that break the rules were left out of the table: %(count)s. They are listed in a file of their own."
        ),
        N_("Mend them in the file and send it again to have them published as well."),
    ),
    ProblemKind(
        "columns-made-text",
        "info",
        N_("Columns kept as text"),
        N_("Not every value of these columns fits its type, so they were kept as text: %(columns)s."),
        "",
    ),
    ProblemKind(
        "every-row-set-aside",
        "error",
        N_("No row would be left"),
        N_("Every row (%(count)s) breaks the rules, so nothing would be left after setting them aside."),
        N_("Check whether the rules fit this file, or keep the columns as text."),
    ),
    ProblemKind(
        "too-uneven-to-set-aside",
        "error",
        N_("Too many uneven rows"),
        N_("%(count)s rows have more or fewer cells than the header: too many to set them aside one by one."),
        N_("Check the delimiter and the quotation marks of the file, then send it again."),
    ),
    ProblemKind(
        "correction-unknown-column",
        "warning",
        N_("A correction without its column"),
        N_("A type was chosen for the column “%(label)s”, but this table has no such column."),
        N_("Check whether the column was renamed, and choose its type again."),
    ),
    ProblemKind(
        "personal-data-kept-back",
        "error",
        N_("Kept back for its personal data"),
        N_(
            "Someone of the agency decided that this version is not published because of the personal data in it."
        ),
        N_("Take the personal data out of the file, then send it again."),
    ),
    ProblemKind(
        "differences-unknown",
        "info",
        N_("Not compared with the version before"),
        N_("The comparison with the version before could not be finished: %(reason)s"),
        "",
    ),
)
