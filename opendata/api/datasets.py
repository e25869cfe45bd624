"""Datasets: find them, read them, make and change them, publish and withdraw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import request

from opendata.accounts.policy import Permission
from opendata.api import addresses, hits, representations
from opendata.api.access import EVERYONE, actor
from opendata.api.operations import Answer, ApiBlueprint, Operation
from opendata.api.problems import PreconditionError
from opendata.api.schemas.datasets import (
    DatasetChangesSchema,
    DatasetListSchema,
    DatasetSchema,
    NewDatasetSchema,
    RevisionListSchema,
    SimilarSchema,
    SuggestionsSchema,
)
from opendata.api.schemas.parameters import DatasetSearchSchema, NoParametersSchema, SuggestSchema
from opendata.catalogue.search_form import DEEPEST, FACETS, NotOneOfError, asks_why, read_form
from opendata.catalogue.service import RevisionConflictError
from opendata.http import caching
from opendata.http.context import language, services
from opendata.http.kept_texts import written
from opendata.http.turns import in_turn
from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.catalogue.search import DatasetResults

blueprint: Final = ApiBlueprint("datasets", __name__, description=N_("Datasets and their metadata"))

_BEARER: Final = '-H "Authorization: Bearer $OPENDATA_TOKEN"'


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/datasets",
    who=EVERYONE,
    summary=N_("Search datasets"),
    description=N_(
        "Words are found with and without diacritics. A filter may be repeated: values of one filter widen "
        "the search, different filters narrow it. Facets count over everything found. With group=series the "
        "editions of a series (the same title for other years) are one item; pages then count items. The words "
        'may name fields: theme:giao-duc, publisher:"Bộ Y tế", -format:pdf, title:…, year:2024, year:2019-2024; '
        "where nothing is found for them the items are those of the correction in “shown_for”."
    ),
    described_query=DatasetSearchSchema,
    answer=DatasetListSchema,
    errors=(400, 401, 403),
    curl="curl -G '{base}/datasets' --data-urlencode 'q={words}' -d facets=theme,format -d per_page=5",
)
@in_turn(short=True)
def search_datasets() -> Answer:
    form = read_form(request.args.items(multi=True), also=("facets", "explain"))
    wanted = _facets(request.args.get("facets"))
    found = services().catalogue_search.search(
        actor(),
        form,
        language(),
        wanted,
        grouped=form.group == "series",
        explain=asks_why(request.args.get("explain")),
    )
    if not (found.total or found.is_plain or form.is_narrowed):
        services().demand.found_nothing(form.text)
    next_url = _next_url(found)
    body = written(found.made, lambda: hits.results(found, next_url))
    return Answer(body, headers=addresses.next_link(next_url), is_written=True)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/suggest",
    who=EVERYONE,
    summary=N_("Complete what is being typed"),
    description=N_("Titles, keywords and publishers that begin with these words, diacritics or not."),
    query=SuggestSchema,
    answer=SuggestionsSchema,
    errors=(400,),
    curl="curl -G '{base}/suggest' --data-urlencode 'q={words}'",
)
def suggest(query: Mapping[str, Any]) -> Answer:
    return Answer({"items": services().catalogue_search.suggest(actor(), query["q"], query["limit"])})


@Operation(
    blueprint=blueprint,
    method="POST",
    rule="/datasets",
    who=Permission.EDIT_DATASETS,
    summary=N_("Create a dataset"),
    description=N_(
        "A draft of the agency named in “publisher”. Files are added to it next; with publish_when_ready it "
        "goes public as soon as the first file is ready."
    ),
    body=NewDatasetSchema,
    answer=DatasetSchema,
    status=201,
    errors=(400, 401, 403, 409, 413, 415),
    curl=(
        f"curl -X POST '{{base}}/datasets' {_BEARER} -H 'Content-Type: application/json' \\\n"
        '  -d \'{{"title": {{"vi": "Ví dụ", "en": "Example"}}, "publisher": "{publisher}", '
        '"slug": "{new_slug}"}}\''
    ),
)
def create_dataset(body: dict[str, Any]) -> Answer:
    slug, when_ready = body.pop("slug", None), body.pop("publish_when_ready")
    made = services().catalogue.create_dataset(actor(), body, slug=slug, publish_when_ready=when_ready)
    return _dataset(made.id, headers={"Location": addresses.dataset_url(made.id)})


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/datasets/<key>",
    who=EVERYONE,
    summary=N_("Read a dataset"),
    description=N_(
        "Its metadata and its files. The ETag carries the revision that a change can be based on."
    ),
    query=NoParametersSchema,
    answer=DatasetSchema,
    errors=(404,),
    curl="curl '{base}/datasets/{dataset}'",
)
def read_dataset(query: Mapping[str, Any], key: str) -> Answer:
    del query
    return _dataset(key)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/datasets/<key>/similar",
    who=EVERYONE,
    summary=N_("Find similar datasets"),
    description=N_("Datasets that share the words by which this one differs from most, most alike first."),
    query=NoParametersSchema,
    answer=SimilarSchema,
    errors=(404,),
    curl="curl '{base}/datasets/{dataset}/similar'",
)
def similar_datasets(query: Mapping[str, Any], key: str) -> Answer:
    del query
    found = services().catalogue_queries.dataset(actor(), key)
    alike = services().catalogue_search.similar(actor(), found.id)
    return Answer(hits.similar(alike), is_written=True)


@Operation(
    blueprint=blueprint,
    method="PATCH",
    rule="/datasets/<key>",
    who=Permission.EDIT_DATASETS,
    summary=N_("Change metadata"),
    description=N_(
        "Send the fields to change; null empties one. In a text of two languages only the languages sent "
        "change. With If-Match the change is refused when someone saved meanwhile."
    ),
    body=DatasetChangesSchema,
    answer=DatasetSchema,
    errors=(400, 401, 403, 404, 409, 412, 413, 415),
    curl=(
        f"curl -X PATCH '{{base}}/datasets/{{new_slug}}' {_BEARER} -H 'Content-Type: application/json' \\\n"
        '  -d \'{{"keywords": ["ví dụ"]}}\''
    ),
)
def change_dataset(body: dict[str, Any], key: str) -> Answer:
    current = services().catalogue_queries.dataset(actor(), key)
    seen = caching.seen_revisions()
    if seen is not None and current.revision not in seen:
        raise PreconditionError(current=current.revision)
    changes = _merged_texts(current.fields, body)
    try:
        services().catalogue.update_dataset(actor(), current.id, changes, seen_revision=current.revision)
    except RevisionConflictError as conflict:
        if seen is None:
            raise
        raise PreconditionError(**conflict.params) from conflict
    return _dataset(current.id)


@Operation(
    blueprint=blueprint,
    method="DELETE",
    rule="/datasets/<key>",
    who=Permission.EDIT_DATASETS,
    summary=N_("Delete a draft"),
    description=N_("Only what was never public can be deleted; withdraw the rest."),
    status=204,
    errors=(401, 403, 404, 409),
    curl=f"curl -X DELETE '{{base}}/datasets/{{new_slug}}' {_BEARER}",
)
def delete_dataset(key: str) -> Answer:
    services().catalogue.delete_draft(actor(), key)
    return Answer(None)


@Operation(
    blueprint=blueprint,
    method="POST",
    rule="/datasets/<key>/publish",
    who=Permission.PUBLISH_DATASETS,
    summary=N_("Publish a dataset"),
    description=N_("Everyone can find and read it from now on. Publishing what is public changes nothing."),
    answer=DatasetSchema,
    errors=(401, 403, 404),
    curl=f"curl -X POST '{{base}}/datasets/{{new_slug}}/publish' {_BEARER}",
)
def publish_dataset(key: str) -> Answer:
    return _dataset(services().catalogue.publish_dataset(actor(), key).id)


@Operation(
    blueprint=blueprint,
    method="POST",
    rule="/datasets/<key>/withdraw",
    who=Permission.WITHDRAW_DATASETS,
    summary=N_("Withdraw a dataset"),
    description=N_(
        "It disappears for readers; its files and history stay. Needs an administrator of the agency."
    ),
    answer=DatasetSchema,
    errors=(401, 403, 404),
    curl=f"curl -X POST '{{base}}/datasets/{{new_slug}}/withdraw' {_BEARER}",
)
def withdraw_dataset(key: str) -> Answer:
    return _dataset(services().catalogue.withdraw_dataset(actor(), key).id)


@Operation(
    blueprint=blueprint,
    method="GET",
    rule="/datasets/<key>/versions",
    who=EVERYONE,
    summary=N_("List the revisions of its metadata"),
    description=N_("Newest first, each with the whole metadata as it was then."),
    query=NoParametersSchema,
    answer=RevisionListSchema,
    errors=(404,),
    curl="curl '{base}/datasets/{dataset}/versions'",
)
def list_revisions(query: Mapping[str, Any], key: str) -> Answer:
    del query
    may_edit = services().catalogue_queries.dataset(actor(), key).may_edit
    found = services().catalogue_queries.revisions(actor(), key)
    return Answer(representations.revisions(found, may_edit=may_edit))


def _dataset(key: str, headers: Mapping[str, str] | None = None) -> Answer:
    found = services().catalogue_queries.dataset(actor(), key)
    files = services().resource_queries.resources_of(actor(), found.id)
    return Answer(representations.dataset(found, files), headers or {}, revision=found.revision)


def _next_url(found: DatasetResults) -> str | None:
    """This request again, one page on."""
    page = found.form.page
    if not found.more or page >= DEEPEST:
        return None
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "page"]
    return addresses.api_url("/datasets", [*kept, ("page", str(page + 1))])


def _facets(asked: str | None) -> tuple[str, ...]:
    """All of them unless some are named; none for an empty list."""
    if asked is None:
        return FACETS
    names = tuple(dict.fromkeys(name for name in asked.split(",") if name))
    for name in names:
        if name not in FACETS:
            raise NotOneOfError(name="facets", value=name[:40], choices=", ".join(FACETS))
    return names


def _merged_texts(held: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Texts in two languages are changed language by language (RFC 7396); a plain text is the Vietnamese."""
    merged = dict(changes)
    for field in services().profile.fields:
        if not field.multilingual or field.name not in changes:
            continue
        sent = {"vi": changes[field.name]} if isinstance(changes[field.name], str) else changes[field.name]
        if isinstance(sent, dict) and isinstance(held.get(field.name), dict):
            texts = {**held[field.name], **sent}
            merged[field.name] = {name: text for name, text in texts.items() if text is not None}
    return merged
