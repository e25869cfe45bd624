"""Problem codes of a table that is published all the same: what was done to its rows, header and columns.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import ProblemKind

TABLE_NOTES: Final = (
    ProblemKind(
        "read-by-content",
        "info",
        N_("Read by its content"),
        N_("The file is named as %(claimed)s, but its content is %(found)s, and it was read as that."),
        "",
    ),
    ProblemKind(
        "encoding-guessed",
        "warning",
        N_("The encoding was guessed"),
        N_("The text is not UTF-8; it was read as %(encoding)s."),
        N_("If letters look wrong, save the file as UTF-8 and upload it again."),
    ),
    ProblemKind(
        "title-rows-skipped",
        "info",
        N_("Title rows skipped"),
        N_(
            "Rows above the header taken as a title and left out of the table: %(count)s. The header is row %(header_row)s."
        ),
        "",
    ),
    ProblemKind(
        "second-label-row",
        "info",
        N_("A second row of names"),
        N_(
            "Row %(row)s names the columns once more; these names are shown as titles and are no row of data."
        ),
        "",
    ),
    ProblemKind(
        "header-looks-like-data",
        "warning",
        N_("The header looks like data"),
        N_("The first row has only numbers or dates, but it was taken as the header."),
        N_("Add a row with the names of the columns above it."),
    ),
    ProblemKind(
        "blank-label",
        "warning",
        N_("A column without a name"),
        N_("Column %(position)s has no name in the header; it is called “%(column)s” here."),
        N_("Give it a name."),
    ),
    ProblemKind(
        "blank-labels",
        "warning",
        N_("Columns without names"),
        N_(
            "Columns without a name in the header: %(count)s (%(positions)s). They are called by their position here."
        ),
        N_("Give them names; names split over several rows or merged cells are best written in one row."),
    ),
    ProblemKind(
        "duplicate-label",
        "warning",
        N_("Two columns with the same name"),
        N_(
            "The name “%(label)s” occurs more than once in the header; column %(position)s is called “%(column)s” here."
        ),
        N_("Give every column a name of its own."),
    ),
    ProblemKind(
        "long-label",
        "warning",
        N_("A very long column name"),
        N_("The name of column %(position)s is longer than %(limit)s characters and was cut."),
        N_("Use a short name and explain it in the description."),
    ),
    ProblemKind(
        "extra-cells",
        "warning",
        N_("Rows with more cells than the header"),
        N_(
            "Rows with more cells than the header: %(count)s. What lies beyond the last column was left out: %(examples)s."
        ),
        N_("Usually a separator inside a value: put such values in quotation marks."),
    ),
    ProblemKind(
        "missing-cells",
        "warning",
        N_("Rows with fewer cells than the header"),
        N_("Rows with fewer cells than the header: %(count)s. What is missing was left empty: %(examples)s."),
        N_("Check these rows for a missing separator."),
    ),
    ProblemKind(
        "blank-rows",
        "info",
        N_("Empty rows left out"),
        N_("Empty rows left out of the table: %(count)s, the first at row %(row)s."),
        "",
    ),
    ProblemKind(
        "hidden-sheet",
        "warning",
        N_("A hidden sheet is published"),
        N_("The sheet “%(sheet)s” is hidden in the workbook and is published like the others."),
        N_("Delete it from the workbook if it is not meant for everyone."),
    ),
    ProblemKind(
        "sheet-without-rows",
        "info",
        N_("A sheet without a table"),
        N_("The sheet “%(sheet)s” has no header with rows below it and was left out."),
        "",
    ),
)

COLUMN_NOTES: Final = (
    ProblemKind(
        "column-mixed",
        "warning",
        N_("A column that is not all of one kind"),
        N_(
            "Column “%(column)s” stays text. Values that are not %(kind)s: %(count)s of %(total)s, such as %(examples)s."
        ),
        N_("Correct them or leave the cells empty, and upload the file again."),
    ),
    ProblemKind(
        "leading-zeros",
        "info",
        N_("Codes keep their leading zeros"),
        N_(
            "Column “%(column)s” stays text, because values such as “%(value)s” start with a zero that a number would lose."
        ),
        "",
    ),
    ProblemKind(
        "long-digits",
        "info",
        N_("Long numbers stay text"),
        N_(
            "Column “%(column)s” stays text, because values such as “%(value)s” have more digits than a number keeps exactly."
        ),
        "",
    ),
    ProblemKind(
        "text-in-source",
        "info",
        N_("Numbers written as text"),
        N_(
            "Column “%(column)s” stays text, because the file itself holds its values as text, not as numbers."
        ),
        "",
    ),
    ProblemKind(
        "ambiguous-number",
        "warning",
        N_("Thousands or decimals?"),
        N_(
            "Column “%(column)s” stays text: “%(value)s” can be a number between %(low)s and %(high)s or %(whole)s with a thousands mark, and no value decides it."
        ),
        N_(
            "Answer on the page of the file, which asks for the right reading and has the likelier one chosen beforehand. Or write the numbers without a thousands mark, or upload a table schema that says which."
        ),
    ),
    ProblemKind(
        "ambiguous-date",
        "warning",
        N_("Day or month first?"),
        N_(
            "Column “%(column)s” stays text: “%(value)s” can be day %(day)s of month %(month)s or day %(month)s of month %(day)s, and no value decides it."
        ),
        N_(
            "Answer on the page of the file, which asks for the right reading and has the likelier one chosen beforehand. Or write dates as year-month-day, or upload a table schema that says which."
        ),
    ),
    ProblemKind(
        "mixed-offsets",
        "info",
        N_("Times of several time zones"),
        N_(
            "Column “%(column)s” stays text, because its times are of several time zones, which one column of times would not keep."
        ),
        "",
    ),
    ProblemKind(
        "inexact-numbers",
        "info",
        N_("More digits than a number keeps"),
        N_(
            "Column “%(column)s” stays text, because “%(value)s” has more digits than a number keeps exactly."
        ),
        "",
    ),
    ProblemKind(
        "nested-values",
        "info",
        N_("Nested values kept as JSON"),
        N_("Column “%(column)s” holds lists or objects; they are kept as JSON text."),
        "",
    ),
    ProblemKind(
        "binary-values",
        "info",
        N_("Bytes kept as text"),
        N_("Column “%(column)s” holds raw bytes; they are kept as Base64 text."),
        "",
    ),
    ProblemKind(
        "kept-as-text",
        "info",
        N_("Kept as text"),
        N_("Column “%(column)s” follows the schema, but is stored as text so that nothing of it is lost."),
        "",
    ),
)
