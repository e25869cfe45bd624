"""Query parameters, checked or only documented where a grammar of its own reads them."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from opendata.catalogue.search_form import DEEPEST, DEFAULT_PER_PAGE, GROUPS, MOST_PER_PAGE, SORTS
from opendata.kernel.errors import N_
from opendata.kernel.i18n import LANGUAGES

MOST_SUGGESTIONS: Final = 20
LARGEST_VERSION: Final = 1_000_000_000
LONGEST_TEXT: Final = 1000
_MOST_DIGITS: Final = 16

NOT_A_NUMBER: Final = N_("Give a whole number.")
OUT_OF_RANGE: Final = N_("Give a whole number within the limits in the documentation.")
TOO_LONG: Final = N_("This is too long.")


class WholeNumber(fields.Integer):
    """Digits only: `int` alone would take `1_000`, ` 1` and the digits of other scripts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _MOST_DIGITS):
            raise ValidationError(NOT_A_NUMBER)
        return super()._deserialize(value, attr, data, **kwargs)


class NoParametersSchema(Schema):
    """For operations that take none: each one sent is refused."""


class TableParameterSchema(Schema):
    table = fields.String(
        metadata={"description": N_("Name of the table, where a file holds several; the first one without")},
        validate=validate.Length(max=LONGEST_TEXT, error=TOO_LONG),
    )


class VersionParameterSchema(Schema):
    version = WholeNumber(
        metadata={"description": N_("Number of a published version; the current one without")},
        validate=validate.Range(1, LARGEST_VERSION, error=OUT_OF_RANGE),
    )


class LanguageParameterSchema(Schema):
    lang = fields.String(
        metadata={"description": N_("vi or en; by Accept-Language without"), "enum": list(LANGUAGES)},
        validate=validate.OneOf(LANGUAGES, error=N_("Give vi or en.")),
    )


class SuggestSchema(Schema):
    q = fields.String(
        required=True,
        metadata={"description": N_("What has been typed so far")},
        error_messages={"required": N_("Say what has been typed so far.")},
        validate=validate.Length(max=LONGEST_TEXT, error=TOO_LONG),
    )
    limit = WholeNumber(
        load_default=8,
        metadata={"description": N_("How many at most")},
        validate=validate.Range(1, MOST_SUGGESTIONS, error=OUT_OF_RANGE),
    )


def _filter(description: str) -> fields.List[str]:
    return fields.List(
        fields.String(), metadata={"description": description, "explode": True, "style": "form"}
    )


def _date(description: str) -> fields.String:
    return fields.String(metadata={"description": description, "examples": ["2026", "2026-03", "2026-03-31"]})


class DatasetSearchSchema(Schema):
    """The grammar of `catalogue.search_form`, as documentation; a test holds the names equal."""

    q = fields.String(metadata={"description": N_("Words to find; “in quotes” as a phrase")})
    exact = fields.String(
        metadata={
            "enum": ["true", "false"],
            "description": N_(
                "“true” keeps to the words as typed where a better spelling would find something"
            ),
        }
    )
    theme = _filter(N_("Code of a theme"))
    publisher = _filter(N_("Code of an agency"))
    format = _filter(N_("csv, xlsx, json, …"))
    license = _filter(N_("Code of a licence"))
    frequency = _filter(N_("Code of a frequency"))
    place = _filter(
        N_(
            "Code of a place, or of a region for what is about its provinces; a former name or code means its heir"
        )
    )
    modified_from = _date(N_("Changed on this day or later, in Viet Nam’s time"))
    modified_to = _date(N_("Changed on this day or earlier"))
    period_from = _date(N_("About a time that reaches to this day or beyond"))
    period_to = _date(N_("About a time that began on this day or before"))
    series = fields.String(
        metadata={"description": N_("Key of a series, as a result gives it: all its editions")}
    )
    group = fields.String(
        metadata={
            "enum": list(GROUPS),
            "description": N_("“series”: the editions of a series are one item; each stands alone without"),
        }
    )
    sort = fields.String(
        metadata={"enum": list(SORTS), "description": N_("By relevance where there are words, else newest")}
    )
    explain = fields.String(
        metadata={
            "enum": ["1"],
            "description": N_("Why each item has its place; for administrators of the portal"),
        }
    )
    page = fields.Integer(
        metadata={"minimum": 1, "maximum": DEEPEST, "default": 1, "description": N_("Counts from 1")}
    )
    per_page = fields.Integer(
        metadata={
            "minimum": 1,
            "maximum": MOST_PER_PAGE,
            "default": DEFAULT_PER_PAGE,
            "description": N_("Results a page"),
        }
    )
    facets = fields.String(
        metadata={"description": N_("Facets to count, with commas between; all without, none when empty")}
    )


class RowQuerySchema(Schema):
    """The grammar of `tabular.filters`, as documentation."""

    table = TableParameterSchema().fields["table"]
    select = fields.String(metadata={"description": N_("Columns wanted, with commas between")})
    q = fields.String(metadata={"description": N_("Words that some text column must contain")})
    sort = fields.String(
        metadata={"description": N_("Columns to sort by, with commas between; -column for descending")}
    )
    filters = fields.Raw(
        metadata={
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": N_(
                "<column>__<op>=value, with op one of eq ne lt le gt ge contains startswith in isnull; "
                "<column>=value for equality; col.<column>__<op> for a column named like a parameter"
            ),
            "style": "form",
            "explode": True,
        }
    )


class ExportQuerySchema(RowQuerySchema):
    bom = fields.String(
        metadata={
            "enum": ["true", "false"],
            "description": N_("“true” begins a CSV with a byte order mark, which Excel needs for Vietnamese"),
        }
    )


class RowPageQuerySchema(RowQuerySchema):
    limit = fields.Integer(
        metadata={"minimum": 1, "maximum": 10_000, "default": 100, "description": N_("Rows a page")}
    )
    cursor = fields.String(metadata={"description": N_("“next” of the page before, unchanged")})
    count = fields.String(
        metadata={"enum": ["exact", "none"], "description": N_("“none” leaves the total out")}
    )


def stored_document(description: str, **shape: Any) -> dict[str, Any]:
    """JSON Schema of an answer that is passed through as it is stored."""
    return {"type": "object", "description": description, **shape}
