"""A page of search results as the API writes it: JSON text, made straight from what search found.

Called by the operations that answer with hits; the web's `datasets.json` is the same answer. Key by key what
DatasetListSchema and SimilarSchema would write, which a test holds equal. Text and not dictionaries because a
page has up to three hundred values of facets: what each is called never changes, so its text is kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from opendata.api import addresses
from opendata.api.operations import as_json
from opendata.api.representations import CODED_FIELDS
from opendata.http.context import language, services, speak
from opendata.kernel.i18n import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opendata.catalogue.search import DatasetResults, DatasetSummary, Editions, FacetOption
    from opendata.search.port import Contribution, Segment


def results(found: DatasetResults, next_url: str | None) -> str:
    form = found.form
    hit = _HitWriter()
    first = {
        "total": found.total,
        "page": form.page,
        "per_page": form.per_page,
        "items": [hit.written(item) for item in found.items],
    }
    last = {
        **({"lines": found.lines} if form.group == "series" and found.lines is not None else {}),
        **({"degraded": True} if found.is_plain else {}),
        **({"suggestion": found.suggestion} if found.suggestion else {}),
        **({"shown_for": found.shown_for} if found.shown_for else {}),
        **({"why": {name: _reasons(parts) for name, parts in found.why.items()}} if found.why else {}),
        "next_url": next_url,
    }
    facets = ",".join(f"{as_json(name)}:[{_options(options)}]" for name, options in found.facets.items())
    return f'{as_json(first)[:-1]},"facets":{{{facets}}},{as_json(last)[1:]}'


def similar(found: Iterable[DatasetSummary]) -> str:
    hit = _HitWriter()
    return as_json({"items": [hit.written(item) for item in found]})


def _options(options: Iterable[FacetOption]) -> str:
    tongue, pick = language(), speak().pick
    return ",".join(
        [
            f"{_named_value(option.value, option.label.get(tongue) or pick(option.label))}{option.count}}}"
            for option in options
        ]
    )


@lru_cache(8192)
def _named_value(value: str, label: str) -> str:
    return f'{{"value":{as_json(value)},"label":{as_json(label)},"count":'


class _HitWriter:
    """What all hits of one answer share is asked for once."""

    def __init__(self) -> None:
        self._label = services().catalogue_search.label
        self._pick = speak().pick
        self._page = addresses.page_url("/datasets/")
        self._api = addresses.dataset_url("")

    def written(self, item: DatasetSummary) -> dict[str, Any]:
        codes = {name: getattr(item, name) for name in CODED_FIELDS}
        label, pick = self._label, self._pick
        return {
            "id": item.id,
            "slug": item.slug,
            "state": item.state,
            "title": _in_languages(item.title),
            "summary": _in_languages(item.summary),
            **codes,
            "labels": {name: pick(label(name, code)) for name, code in codes.items() if code},
            "formats": item.formats,
            "rows": item.rows,
            "columns": item.columns,
            "modified_at": item.modified_at.isoformat(),
            "downloads": item.downloads,
            "edition": _in_languages(item.edition),
            "series": item.series or None,
            **({"editions": self._editions(item.editions)} if item.editions else {}),
            "highlights": {"title": _segments(item.marked_title), "snippet": _segments(item.snippet)},
            **self._places(item.id, item.slug),
        }

    def _places(self, dataset_id: str, slug: str) -> dict[str, str]:
        return {
            "page_url": self._page + quote(slug, safe="/._-"),
            "api_url": self._api + dataset_id,
        }

    def _editions(self, found: Editions) -> dict[str, Any]:
        items = [
            {
                "id": one.id,
                "slug": one.slug,
                "edition": _in_languages(one.label),
                "modified_at": one.modified_at.isoformat(),
                **self._places(one.id, one.slug),
            }
            for one in found.shown
        ]
        return {"total": found.total, "items": items}


def _reasons(parts: Iterable[Contribution]) -> list[dict[str, Any]]:
    return [
        {"view": one.view, "boost": one.boost, "term": one.term, "score": round(one.score, 3)}
        for one in parts
    ]


def _in_languages(text: Mapping[str, str]) -> dict[str, str]:
    return {language: text[language] for language in LANGUAGES if language in text}


def _segments(found: Iterable[Segment]) -> list[dict[str, Any]]:
    return [{"text": segment.text, "match": segment.is_match} for segment in found]
