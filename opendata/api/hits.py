"""A page of search results as the API writes it: JSON text, made straight from what search found.

Called by the operations that answer with hits; the web's `datasets.json` is the same answer. Key by key what
DatasetListSchema and SimilarSchema would write, which a test holds equal. Text and not dictionaries because a
page has up to three hundred values of facets: what each is called never changes, so its text is kept. So is that
of a hit, with the row that search gives again as long as nothing about it changed.
"""

from __future__ import annotations

from functools import lru_cache
from json.encoder import encode_basestring as _text
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from opendata.api import addresses
from opendata.api.operations import as_json
from opendata.api.representations import CODED_FIELDS
from opendata.http.context import language, services, speak
from opendata.http.kept_texts import WrittenOf
from opendata.kernel.i18n import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opendata.catalogue.search import DatasetResults, DatasetSummary, Editions, FacetOption
    from opendata.search.port import Contribution, Segment

_LANGUAGES: Final = tuple((tongue, f'"{tongue}":') for tongue in LANGUAGES)
_KEPT: Final = WrittenOf["DatasetSummary"](8 << 20)


def results(found: DatasetResults, next_url: str | None) -> bytes:
    form = found.form
    first = f'{{"total":{found.total},"page":{form.page},"per_page":{form.per_page},"items":['
    last = {
        **({"lines": found.lines} if form.group == "series" and found.lines is not None else {}),
        **({"degraded": True} if found.is_plain else {}),
        **({"suggestion": found.suggestion} if found.suggestion else {}),
        **({"shown_for": found.shown_for} if found.shown_for else {}),
        **({"why": {name: _reasons(parts) for name, parts in found.why.items()}} if found.why else {}),
        "next_url": next_url,
    }
    facets = ",".join([f"{as_json(name)}:[{_options(options)}]" for name, options in found.facets.items()])
    rest = f'],"facets":{{{facets}}},{as_json(last)[1:]}'
    return b"".join((first.encode(), _items(found.items), rest.encode()))


def similar(found: Iterable[DatasetSummary]) -> bytes:
    return b'{"items":[%b]}' % _items(found)


def _items(found: Iterable[DatasetSummary]) -> bytes:
    writer = _HitWriter()
    return b",".join([_KEPT.of(item, writer.way, writer.written) for item in found])


def _options(options: Iterable[FacetOption]) -> str:
    tongue, pick = language(), speak().pick
    return ",".join(
        [
            f"{_named_value(value, label.get(tongue) or pick(label))}{count}}}"
            for value, label, count, _ in options
        ]
    )


@lru_cache(8192)
def _named_value(value: str, label: str) -> str:
    return f'{{"value":{as_json(value)},"label":{as_json(label)},"count":'


class _HitWriter:
    """What all hits of one answer share is asked for once.

    Written piece by piece: to make dictionaries of a page of hits and to encode them takes four times as long.
    `way` names all that they rest on beside the dataset: vocabularies stay the same as long as a process runs.
    """

    def __init__(self) -> None:
        self._label = services().catalogue_search.label
        self._pick = speak().pick
        self._page = addresses.page_url("/datasets/")
        self._api = addresses.dataset_url("")
        self.way = (self._page, self._api)

    def written(self, item: DatasetSummary) -> bytes:
        codes = [(name, getattr(item, name)) for name in CODED_FIELDS]
        coded = "".join([f'"{name}":{"null" if code is None else _text(code)},' for name, code in codes])
        editions = f'"editions":{self._editions(item.editions)},' if item.editions else ""
        return (
            f'{{"id":{_text(item.id)},"slug":{_text(item.slug)},"state":{_text(item.state)},'
            f'"title":{_in_languages(item.title)},"summary":{_in_languages(item.summary)},{coded}'
            f'"labels":{{{self._labels(codes)}}},"formats":[{",".join(map(_text, item.formats))}],'
            f'"rows":{item.rows},"columns":{item.columns},"modified_at":"{item.modified_at.isoformat()}",'
            f'"downloads":{item.downloads},"edition":{_in_languages(item.edition)},'
            f'"series":{_text(item.series) if item.series else "null"},{editions}'
            f'"highlights":{{"title":[{_segments(item.marked_title)}],"snippet":[{_segments(item.snippet)}]}},'
            f"{self._places(item.id, item.slug)}}}"
        ).encode()

    def _labels(self, codes: Iterable[tuple[str, str | None]]) -> str:
        label, pick = self._label, self._pick
        return ",".join([f'"{name}":{_text(pick(label(name, code)))}' for name, code in codes if code])

    def _places(self, dataset_id: str, slug: str) -> str:
        page, api = self._page + quote(slug, safe="/._-"), self._api + dataset_id
        return f'"page_url":{_text(page)},"api_url":{_text(api)}'

    def _editions(self, found: Editions) -> str:
        items = [
            f'{{"id":{_text(one.id)},"slug":{_text(one.slug)},"edition":{_in_languages(one.label)},'
            f'"modified_at":"{one.modified_at.isoformat()}",{self._places(one.id, one.slug)}}}'
            for one in found.shown
        ]
        return f'{{"total":{found.total},"items":[{",".join(items)}]}}'


def _reasons(parts: Iterable[Contribution]) -> list[dict[str, Any]]:
    return [
        {"view": one.view, "boost": one.boost, "term": one.term, "score": round(one.score, 3)}
        for one in parts
    ]


def _in_languages(text: Mapping[str, str]) -> str:
    return (
        f"{{{','.join([f'{name}{_text(text[tongue])}' for tongue, name in _LANGUAGES if tongue in text])}}}"
    )


def _segments(found: Iterable[Segment]) -> str:
    return ",".join(
        [f'{{"text":{_text(text)},"match":{"true" if is_match else "false"}}}' for text, is_match in found]
    )
