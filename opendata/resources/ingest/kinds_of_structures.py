"""Problem codes of what was made of a sheet or text: headers, units, footers, several tables, old encodings.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import ProblemKind

STRUCTURE_NOTES: Final[tuple[ProblemKind, ...]] = (
    ProblemKind(
        "font-encoding-read",
        "warning",
        N_("Text of old Vietnamese fonts"),
        N_(
            "Texts written for old fonts were read as %(encoding)s: “%(before)s” became “%(after)s”. Texts that were right already were left alone."
        ),
        N_("If words look wrong, convert the file to Unicode in an office program and upload it again."),
    ),
    ProblemKind(
        "header-rows-joined",
        "info",
        N_("Names over several rows"),
        N_(
            "The names of the columns stand in rows %(rows)s; they were joined into one name for each column."
        ),
        "",
    ),
    ProblemKind(
        "unit-above-table",
        "info",
        N_("A unit for the whole table"),
        N_("A note above the table gives the unit: %(unit)s."),
        "",
    ),
    ProblemKind(
        "units-row",
        "info",
        N_("A row of units"),
        N_("Row %(row)s holds units of the columns (%(units)s) and is no row of data."),
        "",
    ),
    ProblemKind(
        "column-numbers-skipped",
        "info",
        N_("A row that numbers the columns"),
        N_("Row %(row)s only numbers the columns and was left out."),
        "",
    ),
    ProblemKind(
        "footer-left-out",
        "warning",
        N_("Lines below the table left out"),
        N_(
            "Lines below the table taken as notes and left out: %(count)s (rows %(rows)s), such as %(examples)s."
        ),
        N_("If they are data, say which row is the last one."),
    ),
    ProblemKind(
        "total-rows",
        "info",
        N_("Rows that look like totals"),
        N_("Rows that look like totals are kept among the data: %(count)s, such as %(examples)s."),
        N_("Sums of the column count them twice; best leave totals out of published data."),
    ),
    ProblemKind(
        "day-numbers",
        "warning",
        N_("Dates that became numbers"),
        N_(
            "Column “%(label)s” is named as a date, but holds numbers such as %(value)s, which may be the day %(date)s. They were kept as numbers."
        ),
        N_("Give the column a date format in the workbook and upload it again."),
    ),
    ProblemKind(
        "table-without-rows",
        "info",
        N_("A table without rows"),
        N_("Row %(row)s of the sheet “%(sheet)s” names columns, but has no rows below it and was left out."),
        "",
    ),
    ProblemKind(
        "correction-row-missing",
        "error",
        N_("A row that is not there"),
        N_("The correction names row %(number)s of “%(table)s”, but its data end at row %(rows)s."),
        N_("Change or remove the correction."),
    ),
    ProblemKind(
        "correction-encoding-fails",
        "error",
        N_("The chosen encoding does not fit"),
        N_("The file cannot be read as %(encoding)s, which the correction asks for."),
        N_("Choose another encoding, or let it be found out."),
    ),
)
