"""Problem codes of archives and other containers: what is inside, and what is refused.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import ProblemKind

_JSON: Final = (
    ProblemKind(
        "json-columns-differ",
        "error",
        N_("Columns of different length"),
        N_(
            "The lists in the JSON have %(low)s to %(high)s entries, so they are not the columns of one table."
        ),
        N_("Give every list as many entries, null where there is no value, or write records: [{…}, {…}]."),
    ),
    ProblemKind(
        "json-columns-too-large",
        "error",
        N_("Too much JSON by column"),
        N_("The JSON is written column by column and holds more than %(limit)s MB, which cannot be read."),
        N_("Write it as records, [{…}, {…}], or as JSON Lines; those may be of any size."),
    ),
    ProblemKind(
        "json-list-as-table",
        "info",
        N_("A list became a table of its own"),
        N_(
            "The list “%(list)s” in the records became a table of its own with %(count)s rows; its column “%(key)s” names the record that each belongs to."
        ),
        "",
    ),
    ProblemKind(
        "json-members-left-out",
        "info",
        N_("Parts of the JSON are in no table"),
        N_(
            "%(count)s parts of the JSON stand in no table: %(names)s. They are in the file that can be downloaded."
        ),
        "",
    ),
)

CONTAINER_PROBLEMS: Final = (*_JSON,)
