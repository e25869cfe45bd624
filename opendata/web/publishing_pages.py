"""The workbench of a dataset: its state, its files, and what can be done with both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request

from opendata.accounts.policy import Permission
from opendata.http.context import page_actor, services
from opendata.kernel.errors import NotFoundError
from opendata.web import addresses
from opendata.web.publishing_shelf import waiting
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from opendata.kernel.errors import PortalError
    from opendata.resources.queries import ResourceView


def own_file(slug: str, resource_id: str) -> ResourceView:
    """A file of this dataset that this person may edit. Raises NotFoundError."""
    file = services().resource_queries.resource(page_actor(), resource_id)
    if file.dataset_slug != slug or not file.may_edit:
        raise NotFoundError
    return file


def to_progress(slug: str, resource_id: str) -> AnyResponse:
    """Lead the browser to the page that follows the newest version of this file."""
    return redirect(addresses.page("publishing_files.progress", slug=slug, resource_id=resource_id), 303)


def workbench_page(
    slug: str, error: PortalError | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    """`error`: why the file that was just sent was not taken, `typed` what stood beside it. Raises NotFoundError, ForbiddenError."""
    held, actor = services(), page_actor()
    dataset = held.catalogue_queries.dataset(actor, slug)
    actor.require(Permission.EDIT_DATASETS, dataset.agency_code)
    cleaned, _ = held.profile.clean(dataset.fields)
    files = held.resource_queries.resources_of(actor, dataset.id)
    return render_page(
        "publishing/workbench.html",
        error.status if error else 200,
        dataset=dataset,
        files=[(file, waiting(slug, file)) for file in files],
        missing=held.profile.missing_recommended(cleaned),
        may_publish=actor.may(Permission.PUBLISH_DATASETS, dataset.agency_code),
        may_withdraw=actor.may(Permission.WITHDRAW_DATASETS, dataset.agency_code),
        limit=held.settings.upload_limit_mb << 20,
        error=error,
        typed=typed or {},
        done=request.args.get("done", ""),
    )
