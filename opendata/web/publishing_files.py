"""Files of a dataset, from the publisher's side: add, replace, remove, and how far the processing is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect

from opendata.http.context import page_actor, services
from opendata.http.uploads import NoFileError
from opendata.resources.meanings.personal_finding import PersonalFinding
from opendata.web import addresses
from opendata.web.access import signed_in
from opendata.web.form_tokens import takes_file
from opendata.web.publishing_decisions import may_release
from opendata.web.publishing_pages import own_file, workbench_page
from opendata.web.reading_form import columns_asked_about
from opendata.web.rendering import render_page
from opendata.web.uploads import take_upload

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("publishing_files", __name__)


@blueprint.post("/publish/<slug>/files")
@signed_in
@takes_file
def add_file(slug: str) -> Response:
    try:
        return take_upload().into_dataset(slug)
    except NoFileError as error:
        return workbench_page(slug, error, error.fields)


@blueprint.get("/publish/<slug>/files/<resource_id>")
@signed_in
def progress(slug: str, resource_id: str) -> Response:
    file = own_file(slug, resource_id)
    return render_page(
        "publishing/progress.html",
        file=file,
        version=file.latest,
        findings=[PersonalFinding.from_json(finding).problem() for finding in file.latest.findings],
        may_release=file.latest.is_held and may_release(file),
        asked=columns_asked_about(file),
    )


@blueprint.post("/publish/<slug>/files/<resource_id>/replace")
@signed_in
@takes_file
def replace_file(slug: str, resource_id: str) -> Response:
    try:
        return take_upload().into_resource(slug, resource_id)
    except NoFileError as error:
        return workbench_page(slug, error)


@blueprint.post("/publish/<slug>/files/<resource_id>/remove")
@signed_in
def remove_file(slug: str, resource_id: str) -> Response:
    services().resources.delete_resource(page_actor(), resource_id)
    return redirect(addresses.page("publishing.workbench", [("done", "removed")], slug=slug), 303)
