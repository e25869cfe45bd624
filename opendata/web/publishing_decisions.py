"""What a publisher decides about a file after it was looked at: how it is read, its faulty rows, personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from opendata.accounts.policy import Permission
from opendata.http.context import page_actor, services
from opendata.kernel.errors import InvalidInputError
from opendata.web.access import signed_in
from opendata.web.form_fields import small_form
from opendata.web.publishing_pages import own_file, to_progress
from opendata.web.reading_form import build_reading_form, typed_corrections
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from opendata.kernel.errors import FieldError
    from opendata.resources.queries import ResourceView

blueprint = Blueprint("publishing_decisions", __name__)


@blueprint.get("/publish/<slug>/files/<resource_id>/reading")
@signed_in
def reading(slug: str, resource_id: str) -> Response:
    return _reading_page(own_file(slug, resource_id))


@blueprint.post("/publish/<slug>/files/<resource_id>/reading")
@signed_in
def correct_reading(slug: str, resource_id: str) -> Response:
    file = own_file(slug, resource_id)
    try:
        corrections = typed_corrections(file, small_form())
        services().resources.read_again(page_actor(), resource_id, corrections)
    except InvalidInputError as error:
        return _reading_page(file, error.errors)
    return to_progress(slug, resource_id)


@blueprint.post("/publish/<slug>/files/<resource_id>/rows")
@signed_in
def decide_rows(slug: str, resource_id: str) -> Response:
    """Faulty rows: set aside, or their columns kept as text. To mend them is to send the file again."""
    own_file(slug, resource_id)
    services().resources.read_again(page_actor(), resource_id, None, request.form.get("faulty_rows", ""))
    return to_progress(slug, resource_id)


@blueprint.post("/publish/<slug>/files/<resource_id>/decision")
@signed_in
def decide_personal_data(slug: str, resource_id: str) -> Response:
    file = own_file(slug, resource_id)
    decision = request.form.get("decision", "")
    services().resources.decide(page_actor(), resource_id, file.latest.number, decision)
    return to_progress(slug, resource_id)


def may_release(file: ResourceView) -> bool:
    """Whether this person may publish a version that was held for its personal data."""
    dataset = services().catalogue_queries.dataset(page_actor(), file.dataset_id)
    return page_actor().may(Permission.RELEASE_PERSONAL_DATA, dataset.agency_code)


def _reading_page(file: ResourceView, errors: tuple[FieldError, ...] = ()) -> Response:
    return render_page(
        "publishing/reading.html",
        422 if errors else 200,
        file=file,
        version=file.latest,
        form=build_reading_form(file),
        errors=errors,
        typed=request.form,
    )
