"""A search as a list for programs, at the address of its page: JSON, CSV of everything found, an Atom feed.

By ending (`/vi/datasets.csv?…`) or by the Accept header at the page's own address. JSON is the answer of the
API's operation; what is in it is decided there. A CSV is read from the index row by row while it is sent, and
its texts never begin so that a spreadsheet takes them for a formula.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

from flask import Response, current_app, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from opendata.catalogue.search import LONGEST_LIST
from opendata.catalogue.search_form import NotOneOfError, read_form
from opendata.http.caching import cache_control, digest_tag, label
from opendata.http.context import language, page_actor, services, speak
from opendata.http.files import content_disposition
from opendata.kernel.errors import PortalError
from opendata.web import addresses
from opendata.web.feeds import MOST_ENTRIES, feed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from opendata.catalogue.search import DatasetSummary

API_OPERATION: Final = "datasets.search_datasets"
COLUMNS: Final = (
    "id",
    "title_vi",
    "title_en",
    "publisher",
    "publisher_name",
    "theme",
    "place",
    "license",
    "frequency",
    "formats",
    "rows",
    "columns",
    "modified",
    "downloads",
    "series",
    "page",
)
_MEDIA_TYPES: Final = {
    "html": "text/html",
    "json": "application/json",
    "csv": "text/csv",
    "atom": "application/atom+xml",
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_CHUNK: Final = 200
_SHORT: Final = 400  # characters


def wanted() -> str:
    """Which of them the Accept header prefers; the page where it does not say."""
    accept = request.headers.get("Accept", "")
    return _best(accept) if len(accept) <= _SHORT else _best.__wrapped__(accept)


@lru_cache(256)  # browsers send the same few
def _best(accept: str) -> str:
    chosen = parse_accept_header(accept, MIMEAccept).best_match(_MEDIA_TYPES.values(), default="text/html")
    return next(name for name, media_type in _MEDIA_TYPES.items() if media_type == chosen)


def json_list() -> Response:
    try:
        return cast("Response", current_app.view_functions[API_OPERATION]())
    except PortalError as error:
        return _problem(error)


def csv_list() -> Response:
    """Everything found in the order asked for, whatever the page; `X-Total-Count` says how many there are.

    Ends after LONGEST_LIST rows.
    """
    try:
        form = read_form(request.args.items(multi=True), also=("bom",))
        with_mark = _yes_or_no("bom")
        total, rows = services().catalogue_search.everything(page_actor(), form, language())
    except PortalError as error:
        return _problem(error)
    response = Response(content_type="text/csv; charset=utf-8; header=present")
    response.headers["Content-Disposition"] = content_disposition("datasets.csv")
    response.headers["X-Total-Count"] = str(total)
    response.headers["X-List-Limit"] = str(LONGEST_LIST)
    response.headers["Cache-Control"] = cache_control(private=page_actor().is_known)
    response.vary.update(("Accept", "Cookie"))
    if request.method == "GET":
        # What needs the request is read before the first piece goes out.
        base = addresses.absolute(f"/{language()}/datasets/")
        response.response = _csv_lines(rows, _publisher_names(), base, with_mark=with_mark)
    return response


def atom_list() -> Response:
    """The newest of what is found, whatever order and page; the same entry keeps its id for good."""
    try:
        form = read_form(request.args.items(multi=True)).sorted_by("newest")
        newest = replace(form, per_page=MOST_ENTRIES)
        found = services().catalogue_search.search(page_actor(), newest, language(), facets=())
    except PortalError as error:
        return _problem(error)
    body = feed(found)
    response = Response(body, content_type="application/atom+xml; charset=utf-8")
    response.vary.update(("Accept", "Cookie"))
    return cast("Response", label(response, tag=digest_tag(body), private=page_actor().is_known))


LISTS: Final[Mapping[str, Callable[[], Response]]] = {"json": json_list, "csv": csv_list, "atom": atom_list}


def _publisher_names() -> dict[str, str]:
    tongue = language()
    return {agency.code: agency.label(tongue) for agency in services().vocabularies.agencies}


def _csv_lines(
    rows: Iterable[DatasetSummary], names: Mapping[str, str], base: str, *, with_mark: bool
) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    out.write("\ufeff" if with_mark else "")
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows, start=1):
        writer.writerow(
            [
                row.id,
                _safe(row.title.get("vi", "")),
                _safe(row.title.get("en", "")),
                _safe(row.publisher),
                _safe(names.get(row.publisher, row.publisher)),
                row.theme or "",
                row.place or "",
                row.license or "",
                row.frequency or "",
                " ".join(row.formats),
                row.rows,
                row.columns,
                row.modified_at.isoformat(),
                row.downloads,
                row.series,
                base + row.slug,
            ]
        )
        if number % _CHUNK == 0:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode()


def _safe(text: str) -> str:
    """A spreadsheet computes a cell that begins like a formula, also from a CSV (CWE-1236)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _yes_or_no(name: str) -> bool:
    value = request.args.get(name, "false")
    if value not in {"true", "false"}:
        raise NotOneOfError(name=name, value=value[:40], choices="true, false")
    return value == "true"


def _problem(error: PortalError) -> Response:
    """A program asked, so it is told in the form of the API (RFC 9457)."""
    body = {
        "type": "about:blank",
        "status": error.status,
        "code": error.code,
        "title": error.message(speak().gettext),
    }
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, error.status, content_type="application/problem+json")
