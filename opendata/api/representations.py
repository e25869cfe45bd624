"""From what queries give to what the API answers: plain dictionaries that the schemas then write.

What only editors may know (who uploaded, problems of a version that is not public) is left out here for
everyone else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opendata.api import addresses
from opendata.catalogue.freshness import freshness
from opendata.http.context import services, speak
from opendata.kernel.ids import utc_now
from opendata.resources.ingest.problems import Problem
from opendata.tabular.export import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opendata.catalogue.queries import DatasetView, RevisionView
    from opendata.resources.queries import ResourceView, TableView, VersionView

CODED_FIELDS: Final = ("publisher", "theme", "license", "frequency", "place")
PARTS: Final = ("file", "status", "versions", "schema", "report", "profile", "rows")


def dataset(view: DatasetView, resources: Iterable[ResourceView]) -> dict[str, Any]:
    return {
        "id": view.id,
        "slug": view.slug,
        "state": view.state,
        "revision": view.revision,
        "metadata": view.fields,
        "labels": labels({name: view.fields.get(name) for name in CODED_FIELDS}),
        "freshness": _freshness(view),
        "created_at": view.created_at,
        "modified_at": view.modified_at,
        "published_at": view.published_at,
        "downloads": view.download_count,
        "views": view.view_count,
        "page_url": addresses.page_url(f"/datasets/{view.slug}"),
        "api_url": addresses.dataset_url(view.id),
        "resources": [resource(found) for found in resources],
    }


def revisions(found: Iterable[RevisionView], *, may_edit: bool) -> dict[str, Any]:
    items = [
        {"number": r.number, "at": r.at, "by": r.by if may_edit else None, "fields": r.fields} for r in found
    ]
    return {"total": len(items), "items": items}


def resource(view: ResourceView) -> dict[str, Any]:
    return {
        "id": view.id,
        "dataset_id": view.dataset_id,
        "dataset_slug": view.dataset_slug,
        "title": view.title,
        "description": view.description,
        "created_at": view.created_at,
        "version": version(view.id, view.current) if view.current else None,
        "tables": [_table(found) for found in view.tables],
        "formats": _formats(view),
        "links": {part: addresses.resource_url(view.id, part) for part in PARTS},
    }


def version(resource_id: str, view: VersionView) -> dict[str, Any]:
    return {
        "number": view.number,
        "state": view.state,
        "filename": view.filename,
        "format": view.format,
        "media_type": view.media_type,
        "size": view.size,
        "sha256": view.sha256,
        "created_at": view.created_at,
        "finished_at": view.finished_at,
        "file_url": addresses.resource_url(resource_id, "file", [("version", str(view.number))]),
        "no_table": file_problem(view.no_table) if view.no_table else None,
    }


def versions(resource_id: str, found: Iterable[VersionView]) -> dict[str, Any]:
    items = [version(resource_id, view) for view in found]
    return {"total": len(items), "items": items}


def received(view: ResourceView) -> dict[str, Any]:
    return {
        "resource_id": view.id,
        "dataset_id": view.dataset_id,
        "dataset_slug": view.dataset_slug,
        "version": view.latest.number,
        "sha256": view.latest.sha256,
        "size": view.latest.size,
        "status_url": addresses.resource_url(view.id, "status"),
        "resource_url": addresses.resource_url(view.id),
    }


def status(view: ResourceView) -> dict[str, Any]:
    """Of the newest upload for those who may edit; others are told about the version they can read."""
    shown = view.latest if view.may_edit or view.current is None else view.current
    problems = [*shown.problems, *([shown.no_table] if shown.no_table else [])]
    if view.current is not None and shown.id == view.current.id:
        problems += [problem.in_table(table.name) for table in view.tables for problem in table.problems]
    return {
        "version": shown.number,
        "state": shown.state,
        "stage": shown.stage,
        "progress": {
            "done": shown.progress_done,
            "total": shown.progress_total,
            "unit": shown.progress_unit,
        },
        "problems": [file_problem(problem) for problem in problems],
        "findings": list(shown.findings) if view.may_edit else [],
    }


def file_problem(problem: Problem) -> dict[str, Any]:
    translate = speak().gettext
    return {
        "code": problem.code,
        "severity": problem.severity,
        "title": problem.title(translate),
        "message": problem.sentence(translate),
        "advice": problem.advice(translate),
        "table": problem.table,
        "row": problem.row,
        "column": problem.column,
        "params": dict(problem.params),
    }


def labels(codes: Mapping[str, str | None]) -> dict[str, str]:
    """Codes in words, in the language asked for."""
    label, pick = services().catalogue_search.label, speak().pick
    return {name: pick(label(name, code)) for name, code in codes.items() if code}


_COLUMN: Final = ("name", "type", "format", "title", "description", "meaning")


def _table(view: TableView) -> dict[str, Any]:
    return {
        "name": view.name,
        "title": view.title,
        "rows": view.row_count,
        "columns": [
            {
                **{name: column.get(name) for name in _COLUMN},
                "notes": [file_problem(Problem.from_json(note)) for note in column["notes"]],
            }
            for column in view.columns
        ],
    }


def _formats(view: ResourceView) -> list[dict[str, Any]]:
    """The original first, then every table in every format; `table=` only where there are several."""
    if view.current is None:
        return []
    original = {
        "format": view.current.format,
        "media_type": view.current.media_type,
        "table": None,
        "size": view.current.size,
        "url": addresses.resource_url(view.id, "file"),
    }
    return [original] + [
        {
            "format": name,
            "media_type": kind.media_type,
            "table": table.name,
            "size": table.parquet_size if name == "parquet" else None,
            "url": addresses.resource_url(
                view.id, f"export.{name}", [("table", table.name)] if len(view.tables) > 1 else []
            ),
        }
        for table in view.tables
        for name, kind in FORMATS.items()
    ]


def _freshness(view: DatasetView) -> str | None:
    frequency = services().vocabularies.frequencies.get(view.fields.get("frequency") or "")
    expected = frequency.expected_days if frequency else None
    return freshness(expected, view.modified_at, utc_now())
