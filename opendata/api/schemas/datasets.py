"""Datasets in the API. The metadata fields themselves come from the profile in `catalog_schemas/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from marshmallow import INCLUDE, Schema, fields, post_dump

from opendata.api.schemas.resources import ResourceSchema
from opendata.api.schemas.texts import TEXT_INPUT_SCHEMA, InputSchema, text
from opendata.catalogue.models import DatasetState
from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.catalogue.profile import MetadataProfile, ProfileField

STATES: Final = [str(state) for state in DatasetState]
NOT_A_SLUG: Final = N_("Give a text of a–z, 0–9 and hyphens, or leave it out.")
TRUE_OR_FALSE: Final = N_("Give true or false.")


class DatasetSchema(Schema):
    """A dataset with its metadata and files. The metadata fields stand beside these ones."""

    id = fields.String(required=True)
    slug = fields.String(required=True, metadata={"description": N_("The last part of its page's address")})
    state = fields.String(required=True, metadata={"enum": STATES})
    revision = fields.Integer(
        required=True, metadata={"description": N_("Counts the changes of the metadata, from 1")}
    )
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": N_("The codes of this dataset in words, in the language asked for")},
    )
    freshness = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": N_("“in-time” or “late” by its frequency; null where nothing was promised")},
    )
    created_at = fields.DateTime(required=True)
    modified_at = fields.DateTime(
        required=True, metadata={"description": N_("Last change of metadata or files in this portal")}
    )
    published_at = fields.DateTime(required=True, allow_none=True)
    downloads = fields.Integer(required=True)
    views = fields.Integer(required=True)
    page_url = fields.Url(required=True)
    api_url = fields.Url(required=True)
    resources = fields.List(fields.Nested(ResourceSchema), required=True)

    @post_dump(pass_original=True)
    def _add_metadata(self, data: dict[str, Any], original: Any, **_kwargs: Any) -> dict[str, Any]:
        """The profile's fields; one of the names above is never taken by the profile (tested)."""
        return {**original["metadata"], **data}


class NewDatasetSchema(InputSchema):
    """The metadata of a new dataset, in the fields of the profile."""

    class Meta:
        unknown = INCLUDE  # the profile knows the other fields and names the wrong ones

    slug = fields.String(
        error_messages={"invalid": NOT_A_SLUG, "null": NOT_A_SLUG},
        metadata={"description": N_("Wished address: a–z, 0–9 and hyphens. Made from the title without it.")},
    )
    publish_when_ready = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        error_messages={"invalid": TRUE_OR_FALSE, "null": TRUE_OR_FALSE},
        metadata={"description": N_("Make it public as soon as its first file is ready")},
    )


class DatasetChangesSchema(InputSchema):
    """Fields to change; null empties a field, fields not sent stay."""

    class Meta:
        unknown = INCLUDE


class RevisionSchema(Schema):
    """The metadata as it was after one change."""

    number = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    by = fields.String(
        allow_none=True, required=True, metadata={"description": N_("Who; only shown to those who may edit")}
    )
    metadata = fields.Raw(required=True, attribute="fields", metadata={"type": "object"})


class RevisionListSchema(Schema):
    total = fields.Integer(required=True)
    items = fields.List(fields.Nested(RevisionSchema), required=True)


class HighlightSchema(Schema):
    text = fields.String(required=True)
    match = fields.Boolean(
        required=True,
        attribute="is_match",
        metadata={"description": N_("Whether the search found this part")},
    )


class EditionSchema(Schema):
    """One dataset of a series."""

    id = fields.String(required=True)
    slug = fields.String(required=True)
    edition = text(N_("The period in its title; empty where there is none"))
    modified_at = fields.DateTime(required=True)
    page_url = fields.Url(required=True)
    api_url = fields.Url(required=True)


class EditionsSchema(Schema):
    """What an item stands for where series were asked for as one."""

    total = fields.Integer(required=True)
    items = fields.List(
        fields.Nested(EditionSchema),
        required=True,
        metadata={"description": N_("The newest; “series” as a filter gives all")},
    )


class DatasetHitSchema(Schema):
    """One search result."""

    id = fields.String(required=True)
    slug = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": STATES})
    title = text(N_("Its title"))
    summary = text(N_("The beginning of its description, as plain text"))
    publisher = fields.String(required=True, metadata={"description": N_("Code of the agency")})
    theme = fields.String(required=True, allow_none=True)
    license = fields.String(required=True, allow_none=True)
    frequency = fields.String(required=True, allow_none=True)
    place = fields.String(required=True, allow_none=True)
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": N_("These codes in words, in the language asked for")},
    )
    formats = fields.List(fields.String(), required=True)
    rows = fields.Integer(required=True)
    columns = fields.Integer(required=True)
    modified_at = fields.DateTime(required=True)
    downloads = fields.Integer(required=True)
    edition = text(N_("The period in its title; empty where there is none"))
    series = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": N_("Shared by the datasets that differ in their period only")},
    )
    editions = fields.Nested(EditionsSchema)
    highlights = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Nested(HighlightSchema)),
        required=True,
        metadata={"description": N_("“title” and “snippet” in parts, matches marked")},
    )
    page_url = fields.Url(required=True)
    api_url = fields.Url(required=True)


class FacetValueSchema(Schema):
    value = fields.String(required=True)
    label = fields.String(required=True, metadata={"description": N_("In the language asked for")})
    count = fields.Integer(required=True)


class ContributionSchema(Schema):
    """What one term adds to the score of a dataset."""

    view = fields.String(
        required=True,
        metadata={
            "enum": ["exact", "folded", "pairs", "held"],
            "description": N_(
                "The word with its diacritics, without, beside its neighbour; “held”: for being anywhere in the dataset"
            ),
        },
    )
    boost = fields.Float(
        required=True, metadata={"description": N_("How much the texts count that hold it: titles most")}
    )
    term = fields.String(required=True)
    score = fields.Float(required=True)


class DatasetListSchema(Schema):
    """A page of search results."""

    total = fields.Integer(required=True, metadata={"description": N_("All datasets found, exactly")})
    page = fields.Integer(required=True)
    per_page = fields.Integer(required=True)
    items = fields.List(fields.Nested(DatasetHitSchema), required=True)
    facets = fields.Dict(
        keys=fields.String(), values=fields.List(fields.Nested(FacetValueSchema)), required=True
    )
    lines = fields.Integer(
        metadata={
            "description": N_("With group=series: items of all pages, where they were counted to the end")
        }
    )
    degraded = fields.Boolean(
        metadata={
            "description": N_(
                "True while the index is being made again: whole words of titles and keywords are found, totals are at least"
            )
        }
    )
    suggestion = fields.String(metadata={"description": N_("A better spelling, where there is one")})
    shown_for = fields.String(
        metadata={
            "description": N_(
                "The words all this was found for, where those typed found nothing or one of them is in no dataset; see “exact”"
            )
        }
    )
    why = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Nested(ContributionSchema)),
        metadata={
            "description": N_("With explain=1, by id of the dataset: what adds to its score, most first")
        },
    )
    next_url = fields.Url(required=True, allow_none=True, metadata={"description": N_("The next page")})


class SimilarSchema(Schema):
    items = fields.List(fields.Nested(DatasetHitSchema), required=True)


class SuggestionsSchema(Schema):
    items = fields.List(fields.String(), required=True)


def profile_properties(profile: MetadataProfile) -> dict[str, Any]:
    """JSON Schema of every metadata field as answered."""
    return {field.name: _described(field) | _answered(field) for field in profile.fields}


def profile_inputs(profile: MetadataProfile, *, nullable: bool) -> dict[str, Any]:
    """JSON Schema of every metadata field as taken in, which is looser; `nullable` where null empties it."""
    null: list[dict[str, Any]] = [{"type": "null"}] if nullable else []
    return {
        field.name: {**_described(field), "examples": [_example(field)], "anyOf": [*_taken_in(field), *null]}
        for field in profile.fields
    }


def _described(field: ProfileField) -> dict[str, Any]:
    return {"title": dict(field.labels), "description": dict(field.help)}


def _answered(field: ProfileField) -> dict[str, Any]:
    if field.multilingual:
        return {"$ref": "#/components/schemas/BilingualText"}
    return {**_SHAPES[field.kind], **({"format": "date"} if field.kind == "date" else {})}


def _taken_in(field: ProfileField) -> list[Mapping[str, Any]]:
    if field.multilingual:
        return [TEXT_INPUT_SCHEMA]
    shape = _SHAPES[field.kind]
    return [shape, {"type": "string"}] if field.kind == "keywords" else [shape]


def _example(field: ProfileField) -> Any:
    if field.multilingual:
        return dict(field.example)
    example = field.example["vi"]
    return example.split(", ") if field.kind == "keywords" else example


_SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"type": "string"},
    "markdown": {"type": "string"},
    "date": {"type": "string"},
    "code": {"type": "string"},
    "email": {"type": "string"},
    "url": {"type": "string"},
    "keywords": {"type": "array", "items": {"type": "string"}},
    "number": {"type": "number"},
}
