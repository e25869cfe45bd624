"""Where a meaning is seen: the page of a file, the API, the Table Schema, and search in both languages."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import frictionless
import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.app import create_app
from opendata.catalogue.search_form import read_form
from opendata.job_wiring import build_job_runner
from opendata.resources.ingest.result import Column
from opendata.resources.meanings.recognise import recognise
from opendata.resources.models import PublishedTable
from opendata.resources.service import Upload
from opendata.settings import load_settings
from opendata.wiring import build_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from opendata.wiring import Services

STREETS = (
    "dia_ban,so_ho,ghi_chu\n"
    + "".join(
        f"{code},{number},x\n" for number, code in enumerate(["00004", "00008", "00025", "00070", "00082"])
    )
    + "00091,6,y\n00097,7,y\n00103,8,y\n00118,9,y\n00127,10,y\n00136,11,y\n"
)


@dataclass(frozen=True)
class Portal:
    services: Services
    client: FlaskClient
    slug: str
    resource_id: str


@pytest.fixture(scope="module")
def meant(prepared_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Two datasets, one of which has a column of commune codes."""
    folder = tmp_path_factory.mktemp("meant") / "data"
    shutil.copytree(prepared_folder, folder)
    settings = load_settings(data_dir=folder, secret_key="m" * 40, base_url="http://portal.test")
    services = build_services(settings)
    runner = build_job_runner(services)
    made = []
    for title, content in (("Hộ dân theo địa bàn", STREETS), ("Giá điện", "bac,gia\n1,1806\n2,1866\n")):
        dataset = services.catalogue.create_dataset(
            COMMAND_LINE, {"title": title, "publisher": "BKHCN"}, publish_when_ready=True
        )
        file = Upload(io.BytesIO(content.encode()), "bang.csv")
        received = services.resources.add_resource(COMMAND_LINE, dataset.id, file)
        runner.run_waiting()
        made.append((services.catalogue_queries.dataset(VISITOR, dataset.id).slug, received.resource_id))
    store_meanings(services)
    services.indexing.rebuild()
    (slug, resource_id), _ = made
    yield Portal(services, create_app(settings, services).test_client(), slug, resource_id)
    services.close()


def store_meanings(services: Services) -> None:
    """As the pipeline stores them: in the columns of each table."""
    engine = create_engine(services.settings.database_url)
    with Session(engine) as session:
        tables = session.scalars(select(PublishedTable)).all()
        for table in tables:
            columns = [Column.from_json(column) for column in table.columns]
            found = recognise(services.store.path(table.parquet_sha256), columns)
            table.columns = [
                {**column, "meaning": meaning} for column, meaning in zip(table.columns, found, strict=True)
            ]
        session.commit()
    engine.dispose()


def found(portal: Portal, words: str, language: str) -> list[str]:
    results = portal.services.catalogue_search.search(VISITOR, read_form([("q", words)]), language)
    return [item.slug for item in results.items]


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("mã xã", "vi"),
        ("ma xa", "vi"),
        ("bộ dữ liệu có mã xã", "vi"),
        ("mã phường", "vi"),
        ("commune code", "en"),
        ("dataset with commune code", "en"),
        ("ward code", "vi"),
    ],
)
def test_datasets_are_found_by_what_their_columns_mean(meant: Portal, words: str, language: str) -> None:
    assert found(meant, words, language)[0] == meant.slug


def test_the_dictionary_labels_the_column_and_leads_on(meant: Portal) -> None:
    for language, title, words in (
        ("vi", "Mã xã (từ 07/2025)", "mã xã"),
        ("en", "Commune code (since July 2025)", "commune code"),
    ):
        page = meant.client.get(f"/{language}/datasets/{meant.slug}/resources/{meant.resource_id}")
        assert page.status_code == 200
        assert title in page.text
        address = f"/{language}/datasets?q=" + words.replace("mã xã", "m%C3%A3+x%C3%A3").replace(" ", "+")
        assert f'href="{address}"' in page.text
        listed = meant.client.get(address)
        assert meant.slug in listed.text


def test_the_api_names_meanings(meant: Portal) -> None:
    base = f"/api/v1/resources/{meant.resource_id}"
    resource = meant.client.get(base).json
    rows = meant.client.get(f"{base}/rows?limit=1").json
    schema = meant.client.get(f"{base}/schema").json
    assert resource is not None
    assert rows is not None
    assert schema is not None
    assert [column["meaning"] for column in resource["tables"][0]["columns"]] == [
        "commune-code-2025",
        None,
        None,
    ]
    assert [column["meaning"] for column in rows["columns"]] == ["commune-code-2025", None, None]
    assert [field.get("opendata:meaning") for field in schema["fields"]] == ["commune-code-2025", None, None]
    fields = frictionless.Schema.from_descriptor(schema).to_descriptor()["fields"]
    assert fields[0]["opendata:meaning"] == "commune-code-2025"


def test_the_api_document_lists_every_meaning(meant: Portal) -> None:
    document = meant.client.get("/api/v1/openapi.json").json
    assert document
    column = document["components"]["schemas"]["RowColumn"]["properties"]["meaning"]
    assert {"commune-code-2025", "citizen-id", None} <= set(column["enum"])
    assert column["description"]
