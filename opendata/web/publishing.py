"""What people of agencies do with their datasets: describe, publish, withdraw. Files are in `publishing_files`.

After a change the browser is led to a page that says what was done (`?done=`), so that reloading repeats
nothing. A form that is refused comes back with everything that was typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, request

from opendata.accounts.policy import Permission
from opendata.catalogue.service import RevisionConflictError
from opendata.http.context import page_actor, services
from opendata.http.uploads import FILE_FIELD, NoFileError
from opendata.kernel.errors import N_, FieldError, InvalidInputError
from opendata.web import addresses
from opendata.web.access import signed_in
from opendata.web.agencies import publisher_choices
from opendata.web.dataset_page import all_fields
from opendata.web.form_fields import is_upload, small_form
from opendata.web.form_tokens import takes_file
from opendata.web.metadata_form import build_form, typed_metadata
from opendata.web.publishing_pages import workbench_page
from opendata.web.publishing_shelf import files_waiting
from opendata.web.rendering import render_page
from opendata.web.uploads import take_upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from opendata.catalogue.queries import DatasetView

SHELF: int = 50

blueprint = Blueprint("publishing", __name__)


@blueprint.get("/publish")
@signed_in
def shelf() -> Response:
    held, actor = services(), page_actor()
    codes = frozenset(code for code, _ in publisher_choices(actor))
    datasets = held.catalogue_queries.datasets_of(actor, codes, limit=SHELF)
    files = held.resource_queries.shelf_files(actor, [one.id for one in datasets])
    return render_page(
        "publishing/shelf.html",
        datasets=[(one, files[one.id], files_waiting(one.slug, files[one.id])) for one in datasets],
        has_agency=bool(codes),
        is_cut=len(datasets) == SHELF,
        done=request.args.get("done", ""),
    )


@blueprint.get("/publish/new")
@signed_in
def new_dataset() -> Response:
    choices = publisher_choices(page_actor())
    start = {"publisher": choices[0][0]} if len(choices) == 1 else {}
    return _new_dataset_page(start)


@blueprint.post("/publish/new")
@signed_in
@takes_file
def create_dataset() -> Response:
    """Metadata alone makes a draft; with a file in the same form, the file is taken into it as well."""
    try:
        upload = take_upload() if is_upload() else None
    except NoFileError as error:
        return _file_missing(error.fields)
    fields = upload.fields if upload else small_form()
    wants_public = "publish_when_ready" in fields
    try:
        made = services().catalogue.create_dataset(
            page_actor(), typed_metadata(fields), publish_when_ready=wants_public
        )
    except InvalidInputError as error:
        if upload:
            upload.pass_over()
        return _new_dataset_page(
            typed_metadata(fields), error.errors, had_file=bool(upload), wants_public=wants_public
        )
    if upload is None:
        return redirect(addresses.page("publishing.workbench", [("done", "created")], slug=made.slug), 303)
    return upload.into_dataset(made.slug)


@blueprint.get("/publish/<slug>")
@signed_in
def workbench(slug: str) -> Response:
    return workbench_page(slug)


@blueprint.get("/publish/<slug>/edit")
@signed_in
def edit_dataset(slug: str) -> Response:
    found = services().catalogue_queries.dataset(page_actor(), slug)
    page_actor().require(Permission.EDIT_DATASETS, found.agency_code)
    return _edit_page(found, found.fields, revision=found.revision)


@blueprint.post("/publish/<slug>/edit")
@signed_in
def save_dataset(slug: str) -> Response:
    form = small_form()
    typed = typed_metadata(form)
    seen = int(form["revision"]) if form.get("revision", "").isdecimal() else 0
    try:
        services().catalogue.update_dataset(page_actor(), slug, typed, seen_revision=seen)
    except InvalidInputError as error:
        found = services().catalogue_queries.dataset(page_actor(), slug)
        return _edit_page(found, typed, error.errors, revision=seen)
    except RevisionConflictError:
        found = services().catalogue_queries.dataset(page_actor(), slug)
        return _edit_page(found, typed, revision=found.revision, is_conflict=True)
    return redirect(addresses.page("publishing.workbench", [("done", "saved")], slug=slug), 303)


@blueprint.post("/publish/<slug>/publish")
@signed_in
def publish_dataset(slug: str) -> Response:
    services().catalogue.publish_dataset(page_actor(), slug)
    return redirect(addresses.page("publishing.workbench", [("done", "published")], slug=slug), 303)


@blueprint.post("/publish/<slug>/withdraw")
@signed_in
def withdraw_dataset(slug: str) -> Response:
    services().catalogue.withdraw_dataset(page_actor(), slug)
    return redirect(addresses.page("publishing.workbench", [("done", "withdrawn")], slug=slug), 303)


@blueprint.post("/publish/<slug>/delete")
@signed_in
def delete_draft(slug: str) -> Response:
    services().catalogue.delete_draft(page_actor(), slug)
    return redirect(addresses.page("publishing.shelf", [("done", "deleted")]), 303)


def _file_missing(fields: Mapping[str, str]) -> Response:
    """The form again, with all that was typed and everything that is wrong with it besides."""
    typed = typed_metadata(fields)
    _, wrong = services().profile.clean(typed)
    missing = FieldError(FILE_FIELD, N_("Choose a file, or save the description as a draft without one."))
    return _new_dataset_page(typed, (*wrong, missing), wants_public="publish_when_ready" in fields)


def _new_dataset_page(
    metadata: Mapping[str, Any],
    errors: tuple[FieldError, ...] = (),
    *,
    had_file: bool = False,
    wants_public: bool = True,
) -> Response:
    choices = publisher_choices(page_actor())
    return render_page(
        "publishing/new.html",
        422 if errors else 200,
        form=build_form(metadata, choices, errors),
        has_agency=bool(choices),
        had_file=had_file,
        wants_public=wants_public,
        limit=services().settings.upload_limit_mb << 20,
    )


def _edit_page(
    found: DatasetView,
    metadata: Mapping[str, Any],
    errors: tuple[FieldError, ...] = (),
    *,
    revision: int,
    is_conflict: bool = False,
) -> Response:
    saved = all_fields(found) if is_conflict else None
    last = services().catalogue_queries.revisions(page_actor(), found.id)[0] if is_conflict else None
    return render_page(
        "publishing/edit.html",
        409 if is_conflict else 422 if errors else 200,
        dataset=found,
        form=build_form(metadata, publisher_choices(page_actor()), errors, saved),
        revision=revision,
        last=last,
    )
