"""Problem codes of what columns mean, personal data above all.

Each stops publication until a person with the right has decided; the sentence shows a masked sample only.
Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import ProblemKind

MEANING_NOTES: Final[tuple[ProblemKind, ...]] = (
    ProblemKind(
        "personal-citizen-ids",
        "warning",
        N_("Citizen numbers"),
        N_(
            "Column “%(column)s” holds citizen numbers (CCCD or CMND) in %(count)s of %(total)s rows, such as %(sample)s."
        ),
        N_(
            "Open data holds no personal data: take the column out and upload the file again, or replace the numbers by codes of your own."
        ),
    ),
    ProblemKind(
        "personal-phones",
        "warning",
        N_("Phone numbers"),
        N_("Column “%(column)s” holds phone numbers in %(count)s of %(total)s rows, such as %(sample)s."),
        N_(
            "If they are people's own, take the column out and upload the file again. Numbers of offices and hotlines may be published once someone has confirmed that they are."
        ),
    ),
    ProblemKind(
        "personal-emails",
        "warning",
        N_("E-mail addresses"),
        N_("Column “%(column)s” holds e-mail addresses in %(count)s of %(total)s rows, such as %(sample)s."),
        N_(
            "If they are people's own, take the column out and upload the file again. Addresses of offices may be published once someone has confirmed that they are."
        ),
    ),
    ProblemKind(
        "personal-plates",
        "warning",
        N_("Licence plates"),
        N_("Column “%(column)s” holds licence plates in %(count)s of %(total)s rows, such as %(sample)s."),
        N_(
            "Plates of private vehicles lead to their owners: take the column out and upload the file again. Those of buses or official vehicles may be published once someone has confirmed that they are."
        ),
    ),
    ProblemKind(
        "personal-names-births",
        "warning",
        N_("Personal names beside dates of birth"),
        N_(
            "Columns “%(column)s” and “%(births)s” together tell the name and birth of a person in %(count)s of %(total)s rows, such as %(sample)s."
        ),
        N_(
            "Take one of the two out, or keep only the year of birth and no name, and upload the file again; a list that the law makes public may be confirmed."
        ),
    ),
    ProblemKind(
        "personal-ids-in-text",
        "warning",
        N_("Citizen numbers inside a text"),
        N_(
            "The text of column “%(column)s” names citizen numbers in %(count)s of %(total)s rows, such as %(sample)s."
        ),
        N_("Remove them from the text and upload the file again."),
    ),
    ProblemKind(
        "personal-phones-in-text",
        "warning",
        N_("Phone numbers inside a text"),
        N_(
            "The text of column “%(column)s” names mobile phone numbers in %(count)s of %(total)s rows, such as %(sample)s."
        ),
        N_(
            "Remove those of people from the text and upload the file again; numbers of offices may be confirmed."
        ),
    ),
    ProblemKind(
        "personal-emails-in-text",
        "warning",
        N_("E-mail addresses inside a text"),
        N_(
            "The text of column “%(column)s” names e-mail addresses in %(count)s of %(total)s rows, such as %(sample)s."
        ),
        N_(
            "Remove those of people from the text and upload the file again; addresses of offices may be confirmed."
        ),
    ),
)
