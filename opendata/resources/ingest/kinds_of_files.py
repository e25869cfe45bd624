"""Problem codes of a file as a whole: why it cannot be read, or why it is kept without a table.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import ProblemKind

FILE_ERRORS: Final = (
    ProblemKind(
        "empty-file",
        "error",
        N_("The file is empty"),
        N_("The file holds no bytes at all."),
        N_("Open it on your computer, check that it has content, and upload it again."),
    ),
    ProblemKind(
        "no-data",
        "error",
        N_("Nothing but empty lines"),
        N_("The file holds only empty lines or empty cells."),
        N_("Check that the right file was chosen and that it was saved."),
    ),
    ProblemKind(
        "no-rows",
        "error",
        N_("A header without rows"),
        N_("The file has a header of %(columns)s columns, but no row of data below it."),
        N_("Add the rows, or check whether the export stopped too early."),
    ),
    ProblemKind(
        "holds-nul",
        "error",
        N_("Damaged text"),
        N_(
            "The file is named as text, but holds NUL bytes, the first at byte %(offset)s. It is damaged, or it is not text."
        ),
        N_("Export it again from the program it came from."),
    ),
    ProblemKind(
        "not-text",
        "error",
        N_("Not a text file"),
        N_(
            "The file is named as %(claimed)s, but its bytes are not text in any encoding that is known here."
        ),
        N_("Export it again as CSV in UTF-8, or give the file the ending of what it really is."),
    ),
    ProblemKind(
        "invalid-utf8",
        "error",
        N_("Broken characters"),
        N_("The text is UTF-8, but row %(row)s (byte %(offset)s) holds bytes that are not."),
        N_("Correct that row, or export the file again as UTF-8."),
    ),
    ProblemKind(
        "content-differs",
        "error",
        N_("The content is not what the name says"),
        N_("The file is named as %(claimed)s, but its content is a %(found)s."),
        N_("Upload the data itself, or give the file its true ending if it is meant to be kept as it is."),
    ),
    ProblemKind(
        "archive-damaged",
        "error",
        N_("The file is incomplete"),
        N_("The file starts like a %(found)s, but the rest of it is missing or damaged."),
        N_(
            "The copy or the upload was probably cut off. Check that it opens on your computer and upload it again."
        ),
    ),
    ProblemKind(
        "workbook-unreadable",
        "error",
        N_("The workbook cannot be opened"),
        N_("The %(found)s cannot be opened: it is damaged or not quite that format."),
        N_("Open it in a spreadsheet program, save it as XLSX, and upload that."),
    ),
    ProblemKind(
        "workbook-locked",
        "error",
        N_("The workbook has a password"),
        N_("The workbook is protected with a password, so nobody could read it."),
        N_("Remove the password and upload it again."),
    ),
    ProblemKind(
        "workbook-too-large",
        "error",
        N_("The workbook unpacks to too much"),
        N_("The workbook would unpack to %(size)s MB; at most %(limit)s MB are taken."),
        N_("Delete unused sheets and formatted empty cells, or upload the data as CSV."),
    ),
    ProblemKind(
        "line-too-long",
        "error",
        N_("A line without end"),
        N_("Line %(row)s is longer than %(limit)s MB, so this is hardly a table."),
        N_("Check that the file has line ends and that the right file was chosen."),
    ),
    ProblemKind(
        "cell-too-long",
        "error",
        N_("A cell that is too long"),
        N_("A cell near row %(row)s is longer than %(limit)s MB."),
        N_("Look for a quotation mark that is never closed before that row."),
    ),
    ProblemKind(
        "unclosed-quote",
        "error",
        N_("A quotation mark is never closed"),
        N_(
            "The quotation mark opened in row %(row)s is never closed, so everything after it would be one cell."
        ),
        N_("Close it, or write quotation marks inside a cell twice."),
    ),
    ProblemKind(
        "too-many-columns",
        "error",
        N_("Too many columns"),
        N_("The header has %(columns)s columns; at most %(limit)s are taken."),
        N_("Check the separator, or turn columns such as years into rows."),
    ),
    ProblemKind(
        "json-invalid",
        "error",
        N_("Broken JSON"),
        N_("The JSON is not valid at line %(row)s, position %(position)s."),
        N_("Correct it there; a missing comma, quotation mark or bracket is the usual cause."),
    ),
    ProblemKind(
        "json-not-records",
        "error",
        N_("JSON that is not a table"),
        N_("The JSON is not a list of records. Expected is [{…}, {…}], one object for each row."),
        N_("Export it as a list of objects or as JSON Lines."),
    ),
    ProblemKind(
        "json-record-not-object",
        "error",
        N_("A record that is not an object"),
        N_("Record %(record)s of the JSON is not an object with names and values."),
        N_("Write every record as {“name”: value, …}."),
    ),
    ProblemKind(
        "json-too-deep",
        "error",
        N_("JSON nested too deeply"),
        N_("The JSON is nested too deeply to be read near record %(record)s."),
        N_("Flatten it into records with simple values."),
    ),
    ProblemKind(
        "json-record-too-long",
        "error",
        N_("A record that is too long"),
        N_("Record %(record)s of the JSON is longer than %(limit)s MB."),
        N_("Split it into smaller records."),
    ),
    ProblemKind(
        "parquet-unreadable",
        "error",
        N_("The Parquet file cannot be read"),
        N_("The Parquet file is damaged or uses something that cannot be read here."),
        N_("Write it again, for example with pyarrow or DuckDB."),
    ),
    ProblemKind(
        "needs-memory",
        "error",
        N_("The file needs too much memory"),
        N_("Reading the file needs more memory than the %(limit)s MB set aside for one file."),
        N_("Split the file, or upload it as CSV or Parquet, which need less."),
    ),
    ProblemKind(
        "needs-time",
        "error",
        N_("Reading the file takes too long"),
        N_("Reading the file took longer than the %(limit)s seconds set aside for one file."),
        N_("Split the file, or simplify the patterns in its table schema."),
    ),
    ProblemKind(
        "needs-space",
        "error",
        N_("The file needs too much disk space"),
        N_("Converting the file needs more disk space than is set aside for one file."),
        N_("Split the file, or ask the administrator of the portal."),
    ),
    ProblemKind(
        "reader-stopped",
        "error",
        N_("The file made its reader stop"),
        N_("The program that reads the file stopped unexpectedly (%(reason)s). Nothing else was harmed."),
        N_("Save the file again from the program it came from; if it happens again, ask the administrator."),
    ),
    ProblemKind(
        "ingest-interrupted",
        "error",
        N_("Processing was interrupted"),
        N_("Processing the file was interrupted several times and was given up."),
        N_("Upload the file again; if it happens again, ask the administrator."),
    ),
)

NO_TABLE: Final = (
    ProblemKind(
        "not-tabular",
        "info",
        N_("Kept as it is"),
        N_(
            "This is a %(found)s. It is kept and can be downloaded, but it holds no table that can be shown here."
        ),
        N_("To offer the data in it, add it as CSV, Excel, JSON records or Parquet."),
    ),
    ProblemKind(
        "text-without-table",
        "info",
        N_("Kept as it is"),
        N_("This is plain text without columns. It is kept and can be downloaded."),
        N_("If it is a table, save it as CSV."),
    ),
)
