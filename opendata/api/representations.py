"""From what queries give to what the API answers: plain dictionaries that the schemas then write.

What only editors may know (who uploaded, problems of a version that is not public) is left out here for
everyone else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opendata.api import addresses
from opendata.catalogue.freshness import freshness
from opendata.http.context import services, speak
from opendata.kernel.i18n import LANGUAGES
from opendata.kernel.ids import utc_now
from opendata.resources.ingest.problems import Problem
from opendata.tabular.export import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opendata.catalogue.queries import DatasetView, RevisionView
    from opendata.catalogue.search import DatasetResults, DatasetSummary, Editions
    from opendata.resources.queries import ResourceView, TableView, VersionView
    from opendata.search.port import Contribution, Segment

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


def results(found: DatasetResults) -> dict[str, Any]:
    """As DatasetListSchema writes it, but for `next_url`."""
    form, pick = found.form, speak().pick
    return {
        "total": found.total,
        "page": form.page,
        "per_page": form.per_page,
        "items": [_hit(item) for item in found.items],
        "facets": {
            name: [{"value": o.value, "label": pick(o.label), "count": o.count} for o in options]
            for name, options in found.facets.items()
        },
        **({"lines": found.lines} if form.group == "series" and found.lines is not None else {}),
        **({"degraded": True} if found.is_plain else {}),
        **({"suggestion": found.suggestion} if found.suggestion else {}),
        **({"shown_for": found.shown_for} if found.shown_for else {}),
        **({"why": {name: _reasons(parts) for name, parts in found.why.items()}} if found.why else {}),
    }


def similar(found: Iterable[DatasetSummary]) -> dict[str, Any]:
    """As SimilarSchema writes it."""
    return {"items": [_hit(item) for item in found]}


def _reasons(parts: Iterable[Contribution]) -> list[dict[str, Any]]:
    return [
        {"view": one.view, "boost": one.boost, "term": one.term, "score": round(one.score, 3)}
        for one in parts
    ]


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


def _hit(item: DatasetSummary) -> dict[str, Any]:
    """As DatasetHitSchema writes it."""
    codes = {name: getattr(item, name) for name in CODED_FIELDS}
    return {
        "id": item.id,
        "slug": item.slug,
        "state": item.state,
        "title": _in_languages(item.title),
        "summary": _in_languages(item.summary),
        **codes,
        "labels": labels(codes),
        "formats": list(item.formats),
        "rows": item.rows,
        "columns": item.columns,
        "modified_at": item.modified_at.isoformat(),
        "downloads": item.downloads,
        "edition": _in_languages(item.edition),
        "series": item.series or None,
        **({"editions": _editions(item.editions)} if item.editions else {}),
        "highlights": {"title": _segments(item.marked_title), "snippet": _segments(item.snippet)},
        "page_url": addresses.page_url(f"/datasets/{item.slug}"),
        "api_url": addresses.dataset_url(item.id),
    }


def _in_languages(text: Mapping[str, str]) -> dict[str, str]:
    return {language: text[language] for language in LANGUAGES if language in text}


def _segments(found: Iterable[Segment]) -> list[dict[str, Any]]:
    return [{"text": segment.text, "match": segment.is_match} for segment in found]


def _editions(found: Editions) -> dict[str, Any]:
    items = [
        {
            "id": one.id,
            "slug": one.slug,
            "edition": _in_languages(one.label),
            "modified_at": one.modified_at.isoformat(),
            "page_url": addresses.page_url(f"/datasets/{one.slug}"),
            "api_url": addresses.dataset_url(one.id),
        }
        for one in found.shown
    ]
    return {"total": found.total, "items": items}


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
