"""Problem codes of a schema from outside, and of a table that breaks it.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import ProblemKind

_SCHEMA_ADVICE = N_("Correct the schema, or upload the file without it.")
_CELL_ADVICE = N_("Correct it or leave it empty.")

SCHEMA_FAULTS: Final = (
    ProblemKind(
        "schema-no-fields",
        "error",
        N_("The table schema has no fields"),
        N_("The table schema that came with the file has no list of fields."),
        _SCHEMA_ADVICE,
    ),
    ProblemKind(
        "schema-field-without-name",
        "error",
        N_("A field of the schema has no name"),
        N_("Field %(position)s of the table schema has no name."),
        _SCHEMA_ADVICE,
    ),
    ProblemKind(
        "schema-duplicate-field",
        "error",
        N_("Two fields of the schema have the same name"),
        N_("Two fields of the table schema have the same name."),
        _SCHEMA_ADVICE,
    ),
    ProblemKind(
        "schema-unknown-type",
        "error",
        N_("The schema names an unknown type"),
        N_("Field “%(field)s” of the table schema has the type “%(type)s”, which does not exist."),
        _SCHEMA_ADVICE,
    ),
    ProblemKind(
        "schema-bad-constraint",
        "error",
        N_("A rule of the schema cannot be used"),
        N_("Field “%(field)s” of the table schema has a rule “%(key)s” that cannot be used."),
        _SCHEMA_ADVICE,
    ),
    ProblemKind(
        "schema-bad-key",
        "error",
        N_("A key of the schema cannot be used"),
        N_("“%(key)s” of the table schema names fields that do not exist or do not match."),
        _SCHEMA_ADVICE,
    ),
    ProblemKind(
        "schema-bad-list",
        "error",
        N_("A list in the schema cannot be used"),
        N_("“%(key)s” of the table schema is not a list of texts, or is too long."),
        _SCHEMA_ADVICE,
    ),
    ProblemKind(
        "schema-slow-pattern",
        "error",
        N_("A pattern of the schema could take for ever"),
        N_(
            "Field “%(field)s” of the table schema has the pattern “%(pattern)s”, which can keep a computer busy for years on a short text."
        ),
        N_("Write it so that nothing repeated is repeated again, as in (a+)+, and without back-references."),
    ),
    ProblemKind(
        "package-no-resources",
        "error",
        N_("The data package lists no tables"),
        N_("The data package has no list of resources, or two of them have the same name."),
        N_("Give every table a resource with a name, a path and a schema."),
    ),
    ProblemKind(
        "package-without-file",
        "error",
        N_("The data package does not describe the file"),
        N_("The data package has no resource with the path “%(file)s” and a schema of its own."),
        N_("Add the resource to the data package, its schema written out."),
    ),
    ProblemKind(
        "schema-refused",
        "error",
        N_("The table schema is not valid"),
        N_("The table schema that came with the file is not valid: %(reason)s"),
        _SCHEMA_ADVICE,
    ),
)

SCHEMA_ERRORS: Final = (
    ProblemKind(
        "cell-not-integer",
        "error",
        N_("Not a whole number"),
        N_("Column “%(column)s”, row %(row)s: “%(value)s” is not a whole number."),
        _CELL_ADVICE,
    ),
    ProblemKind(
        "cell-not-number",
        "error",
        N_("Not a number"),
        N_("Column “%(column)s”, row %(row)s: “%(value)s” is not a number."),
        _CELL_ADVICE,
    ),
    ProblemKind(
        "cell-not-date",
        "error",
        N_("Not a date"),
        N_("Column “%(column)s”, row %(row)s: “%(value)s” is not a date."),
        _CELL_ADVICE,
    ),
    ProblemKind(
        "cell-not-datetime",
        "error",
        N_("Not a date with a time"),
        N_("Column “%(column)s”, row %(row)s: “%(value)s” is not a date with a time."),
        _CELL_ADVICE,
    ),
    ProblemKind(
        "cell-not-boolean",
        "error",
        N_("Neither true nor false"),
        N_("Column “%(column)s”, row %(row)s: “%(value)s” is neither true nor false."),
        _CELL_ADVICE,
    ),
    ProblemKind(
        "cell-not-type",
        "error",
        N_("Not what the schema asks for"),
        N_("Column “%(column)s”, row %(row)s: “%(value)s” is not of the type “%(type)s”."),
        _CELL_ADVICE,
    ),
    ProblemKind(
        "cell-constraint",
        "error",
        N_("A rule of the schema is broken"),
        N_("Column “%(column)s”, row %(row)s: “%(value)s” breaks a rule of the schema: %(rule)s."),
        N_("Correct the value, or the rule."),
    ),
    ProblemKind(
        "cell-required",
        "error",
        N_("A value is missing"),
        N_("Column “%(column)s”, row %(row)s: a value is required."),
        N_("Fill it in."),
    ),
    ProblemKind(
        "cell-not-unique",
        "error",
        N_("A value occurs twice"),
        N_("Column “%(column)s”, row %(row)s: “%(value)s” occurs more than once, but must be unique."),
        N_("Correct or delete one of them."),
    ),
    ProblemKind(
        "row-key",
        "error",
        N_("The key of a row occurs twice or is empty"),
        N_("Row %(row)s: the primary key is empty or the same as in another row."),
        N_("Correct or delete one of them."),
    ),
    ProblemKind(
        "row-foreign-key",
        "error",
        N_("A reference leads nowhere"),
        N_("Row %(row)s: it refers to a row that does not exist (%(rule)s)."),
        N_("Correct the reference or add the row."),
    ),
    ProblemKind(
        "row-blank",
        "error",
        N_("An empty row"),
        N_("Row %(row)s is empty."),
        N_("Delete it."),
    ),
    ProblemKind(
        "row-extra-cell",
        "error",
        N_("A cell too many"),
        N_("Row %(row)s has a cell beyond the last column: “%(value)s”."),
        N_("Usually a separator inside a value: put such values in quotation marks."),
    ),
    ProblemKind(
        "row-missing-cell",
        "error",
        N_("A cell too few"),
        N_("Row %(row)s ends before column “%(column)s”."),
        N_("Check the row for a missing separator."),
    ),
    ProblemKind(
        "label-extra",
        "error",
        N_("A column the schema does not know"),
        N_("The header has the column “%(label)s”, which is not in the schema."),
        N_("Delete the column or add it to the schema."),
    ),
    ProblemKind(
        "label-missing",
        "error",
        N_("A column is missing"),
        N_("The column “%(column)s” of the schema is not in the header."),
        N_("Add the column, in the order of the schema."),
    ),
    ProblemKind(
        "label-blank",
        "error",
        N_("A column without a name"),
        N_("Column %(position)s has no name in the header."),
        N_("Give it the name from the schema."),
    ),
    ProblemKind(
        "label-duplicate",
        "error",
        N_("Two columns with the same name"),
        N_("The name “%(label)s” occurs more than once in the header."),
        N_("Give every column a name of its own."),
    ),
    ProblemKind(
        "label-incorrect",
        "error",
        N_("A column with another name"),
        N_("Column %(position)s is called “%(label)s” in the file, but “%(column)s” in the schema."),
        N_("Use the names and the order of the schema."),
    ),
    ProblemKind(
        "table-error",
        "error",
        N_("The table breaks its schema"),
        N_("The table does not fit its schema: %(rule)s."),
        N_("Correct the table, or the schema."),
    ),
    ProblemKind(
        "more-errors",
        "error",
        N_("More errors than are listed"),
        N_("%(count)s errors were found; the first %(listed)s are listed."),
        N_("Errors often repeat: correct the first ones and upload the file again."),
    ),
    ProblemKind(
        "many-errors",
        "error",
        N_("Too many errors to count"),
        N_(
            "More than %(count)s errors were found and the check stopped at row %(row)s; the first %(listed)s are listed."
        ),
        N_("Check that the schema belongs to this file."),
    ),
)
