"""A page of hits is written without going through its schema: what comes out has to be what the schema would write."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.api import hits
from opendata.api.schemas.datasets import DatasetListSchema, SimilarSchema
from opendata.app import create_app
from opendata.catalogue.search import (
    DatasetResults,
    DatasetSummary,
    EditionLink,
    Editions,
    FacetOption,
)
from opendata.catalogue.search_form import DatasetSearchForm
from opendata.search.port import Contribution, Segment
from opendata.settings import load_settings
from opendata.wiring import build_services

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MOMENT = dt.datetime(2024, 2, 29, 23, 59, 58, 123456, tzinfo=dt.UTC)
BARE = DatasetSummary(
    id="01b", slug="bare", state="draft", title={}, summary={}, publisher="BYT", theme=None, license=None,
    frequency=None, place=None, formats=(), rows=0, columns=0, modified_at=MOMENT.replace(microsecond=0),
    downloads=0, edition={}, series="",
)  # fmt: skip
FULL = DatasetSummary(
    id="01a", slug="gia-ca", state="published", title={"en": "Prices", "vi": "Giá “cả”"},
    summary={"vi": "Theo tháng\n</script>", "en": ""}, publisher="BTC", theme="y-te", license="cc-by-4.0",
    frequency="ANNUAL", place="01", formats=("CSV", "XLSX"), rows=10**9, columns=3, modified_at=MOMENT,
    downloads=7, edition={"vi": "2024"}, series="0123456789abcd",
    marked_title=(Segment("Giá ", is_match=False), Segment("cả", is_match=True)),
    snippet=(Segment("…", is_match=False),),
    editions=Editions(9, (EditionLink("01c", "gia-ca-2023", {"en": "2023", "vi": "năm 2023"}, MOMENT),)),
)  # fmt: skip
RESULTS = DatasetResults(
    form=DatasetSearchForm(text="gia", group="series", page=2, per_page=5),
    total=12,
    items=(FULL, BARE),
    facets={
        "theme": (FacetOption("y-te", {"vi": "Y tế", "en": "Health"}, 3, chosen=True),),
        "place": (),
        "format": (FacetOption("CSV", {"en": "CSV"}, 9, chosen=False),),
    },
    suggestion="giá",
    shown_for="giá",
    relaxed=False,
    took_seconds=0.1,
    lines=7,
    more=True,
    is_plain=True,
    why={"01a": (Contribution("exact", 3.0, "giá", 1.23456),)},
)


def by_the_schema(items: Iterable[DatasetSummary], written: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items as attributes for the schema; what only a request knows is taken from those written."""
    return [
        {
            **{name: getattr(item, name) for name in DatasetSummary._fields},
            "series": item.series or None,
            "highlights": {"title": item.marked_title, "snippet": item.snippet},
            "editions": {
                "total": item.editions.total,
                "items": [
                    {
                        "id": one.id,
                        "slug": one.slug,
                        "edition": one.label,
                        "modified_at": one.modified_at,
                        **{name: as_written[name] for name in ("page_url", "api_url")},
                    }
                    for one, as_written in zip(item.editions.shown, got["editions"]["items"], strict=True)
                ],
            }
            if item.editions
            else {"total": 0, "items": []},
            **{name: got[name] for name in ("labels", "page_url", "api_url")},
        }
        for item, got in zip(items, written, strict=True)
    ]


def without_empty_editions(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "editions" or value["total"]}


def test_a_page_of_hits_is_written_as_its_schema_would(client: Any) -> None:
    with client.application.test_request_context("/api/v1/datasets"):
        written = json.loads(hits.results(RESULTS, None))
        alike = json.loads(hits.similar(RESULTS.items))
    items = by_the_schema(RESULTS.items, written["items"])
    dumped = DatasetListSchema().dump(
        {
            **written,
            "page": RESULTS.form.page,
            "items": items,
            "facets": {
                name: [
                    {"value": o.value, "label": o.label.get("vi", "CSV"), "count": o.count} for o in options
                ]
                for name, options in RESULTS.facets.items()
            },
        }
    )
    dumped["items"] = [without_empty_editions(item) for item in dumped["items"]]
    assert json.dumps(written) == json.dumps(dumped)
    expected = SimilarSchema().dump({"items": items})["items"]
    assert json.dumps(alike["items"]) == json.dumps([without_empty_editions(item) for item in expected])


def test_the_places_only_a_request_knows(client: Any, portal: Any) -> None:
    base = portal.settings.base_url
    with client.application.test_request_context("/api/v1/datasets", headers={"Accept-Language": "en"}):
        hit = json.loads(hits.results(RESULTS, None))["items"][0]
    assert hit["page_url"] == f"{base}/en/datasets/gia-ca"
    assert hit["api_url"] == f"{base}/api/v1/datasets/01a"
    assert hit["editions"]["items"][0]["page_url"] == f"{base}/en/datasets/gia-ca-2023"
    assert hit["labels"]["theme"] == "Health"
    assert set(hit["labels"]) == {"publisher", "theme", "license", "frequency", "place"}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
IN_LANGUAGES = st.dictionaries(st.sampled_from(["vi", "en"]), TEXTS)
MARKED = st.lists(st.builds(Segment, TEXTS, st.booleans())).map(tuple)
MOMENTS = st.datetimes(timezones=st.just(dt.UTC))
HITS = st.builds(
    DatasetSummary, TEXTS, TEXTS, TEXTS, IN_LANGUAGES, IN_LANGUAGES, TEXTS, *[st.none() | TEXTS] * 4,
    formats=st.lists(TEXTS).map(tuple), rows=st.integers(), columns=st.integers(), modified_at=MOMENTS,
    downloads=st.integers(), edition=IN_LANGUAGES, series=TEXTS, marked_title=MARKED, snippet=MARKED,
    editions=st.none() | st.builds(
        Editions, st.integers(), st.lists(st.builds(EditionLink, TEXTS, TEXTS, IN_LANGUAGES, MOMENTS)).map(tuple)
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def writing(prepared_folder: Path) -> Iterator[None]:
    built = build_services(load_settings(data_dir=prepared_folder, secret_key="x" * 40))
    with create_app(built.settings, built).test_request_context("/api/v1/datasets"):
        yield
    built.close()


@given(HITS)
@pytest.mark.usefixtures("writing")
def test_whatever_a_dataset_says_is_written_as_its_schema_would(item: DatasetSummary) -> None:
    (written,) = json.loads(hits.similar([item]))["items"]
    (dumped,) = SimilarSchema().dump({"items": by_the_schema([item], [written])})["items"]
    assert json.dumps(written) == json.dumps(without_empty_editions(dumped) if not item.editions else dumped)
    named = {name: getattr(item, name) for name in ("publisher", "theme", "license", "frequency", "place")}
    assert written["labels"] == {
        name: code for name, code in named.items() if code
    }  # unknown ones stay codes
