"""The page of a file: its table to look at, its dictionary, report, versions and downloads; and one row of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, request

from opendata.http.context import page_actor, services
from opendata.kernel.errors import BadParameterError, NotFoundError
from opendata.tabular.query import Operator
from opendata.web import addresses
from opendata.web.access import open_to_all
from opendata.web.record_page import read_record
from opendata.web.rendering import render_page
from opendata.web.resource_page import read_address, show_table

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("resources", __name__)


@blueprint.get("/datasets/<slug>/resources/<resource_id>")
@open_to_all
def resource(slug: str, resource_id: str) -> Response:
    held, actor = services(), page_actor()
    file = held.resource_queries.resource(actor, resource_id)
    if file.dataset_slug != slug:
        return redirect(addresses.page("resources.resource", slug=file.dataset_slug, resource_id=file.id))
    shown = show_table(file, read_address(slug, file)) if file.tables else None
    return render_page(
        "resources/resource.html",
        shown.status if shown else 200,
        file=file,
        version=file.current or file.latest,
        versions=held.resource_queries.versions(actor, file.id),
        shown=shown,
        table=shown.table if shown else None,
    )


@blueprint.get("/datasets/<slug>/resources/<resource_id>/filter")
@open_to_all
def add_filter(slug: str, resource_id: str) -> Response:
    """The filter form leads here, and from here to the address that states the filter."""
    asked = request.args
    file = services().resource_queries.resource(page_actor(), resource_id)
    address = read_address(slug, file, asked.get("to", "")).searching(asked.get("q", "").strip())
    column, value = asked.get("column", ""), asked.get("value", "")
    operator = asked.get("operator", Operator.EQ)
    if operator not in set(Operator):
        raise BadParameterError(name="operator", value=operator, reason=", ".join(Operator))
    if column and operator == Operator.ISNULL:
        value = "true"
    if column and value:
        source = services().tables.source(page_actor(), resource_id, address.table)
        address = address.with_filter(source, column, Operator(operator), value)
    return redirect(address.page + "#table")


@blueprint.get("/datasets/<slug>/resources/<resource_id>/rows/<int:number>")
@open_to_all
def record(slug: str, resource_id: str, number: int) -> Response:
    file = services().resource_queries.resource(page_actor(), resource_id)
    if file.dataset_slug != slug:
        raise NotFoundError
    table = file.table(request.args.get("table"))
    return render_page(
        "resources/record.html",
        file=file,
        table=table,
        record=read_record(file, table, number),
        row_number=number,
        table_address=read_address(slug, file),
    )
