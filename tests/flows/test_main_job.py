"""The main job on both databases: a dropped file becomes a dataset found, looked at, queried and downloaded.

Through the web app and the worker's own runner, with threads, queue, index and Parquet; only the processes
are left out (see test_quickstart).
"""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.app import create_app
from opendata.job_wiring import build_job_runner
from opendata.settings import load_settings
from tests.conftest import PASSWORD, prepare
from tests.contract.postgres import postgres_server, postgres_url
from tests.flows.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from opendata.wiring import Services

__all__ = ["postgres_server", "postgres_url"]

API = "/api/v1"
CONTENT = (
    "mã;tên;dân số;ngày\r\n"
    "01001;Ea Súp;65.023;01/07/2025\r\n"
    "01002;Krông Pắc;205.460;02/07/2025\r\n"
    "01003;Buôn Đôn;70.650;03/07/2025\r\n"
)
NEWER = CONTENT + "01004;Cư M'gar;173.024;04/07/2025\r\n"


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Services]:
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    settings = load_settings(
        data_dir=tmp_path / "data", database_url=url, secret_key="x" * 40, base_url="http://portal.test"
    )
    made = prepare(settings)
    runner = build_job_runner(made)
    runner.start(2)
    yield made
    runner.stop()
    made.close()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services.settings, services).test_client()


@pytest.fixture
def officer(services: Services) -> dict[str, str]:
    """The header of an editor's token."""
    services.accounts.add_person(COMMAND_LINE, email="lan@example.org", name="Lan", password=PASSWORD)
    services.accounts.set_role(COMMAND_LINE, "lan@example.org", "BKHCN", Role.EDITOR)
    token = services.accounts.issue_token(COMMAND_LINE, "lan@example.org", "tests")
    return {"Authorization": f"Bearer {token}"}


def get(client: FlaskClient, path: str, headers: dict[str, str] | None = None) -> Any:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def settle(client: FlaskClient, officer: dict[str, str], status_url: str) -> Any:
    """What the status address says once the file is published or failed."""
    end = time.monotonic() + 90
    while True:
        status = get(client, status_url, officer)
        if status["state"] in {"published", "failed"}:
            return status
        assert time.monotonic() < end, status
        time.sleep(0.05)


def hand_in(client: FlaskClient, officer: dict[str, str], method: str, path: str, content: bytes) -> Any:
    answer = client.open(
        path,
        method=method,
        data={"file": (io.BytesIO(content), "huyện.csv")},
        headers=officer,
        content_type="multipart/form-data",
    )
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return answer.json


def test_from_a_dropped_file_to_rows(services, client, officer) -> None:
    made = client.post(
        f"{API}/datasets",
        json={"title": "Dân số các huyện Đắk Lắk", "publisher": "BKHCN", "keywords": ["huyện"]},
        headers=officer,
    )
    assert made.status_code == 201, made.get_data(as_text=True)
    slug = made.json["slug"]
    assert client.get(f"{API}/datasets/{slug}").status_code == 404  # a draft is not there for readers

    received = hand_in(client, officer, "POST", f"{API}/datasets/{slug}/resources", CONTENT.encode("utf-16"))
    assert settle(client, officer, received["status_url"])["state"] == "published"
    published = client.post(f"{API}/datasets/{slug}/publish", headers=officer)
    assert published.status_code == 200, published.get_data(as_text=True)

    wait_until(lambda: get(client, f"{API}/datasets?q=dan+so+dak+lak")["total"] == 1, "the index")
    (found,) = get(client, f"{API}/datasets?q=dan+so+dak+lak&publisher=BKHCN")["items"]
    assert found["slug"] == slug
    (file,) = get(client, f"{API}/datasets/{slug}")["resources"]
    rows = f"{API}/resources/{file['id']}/rows"
    page = get(client, rows)
    assert page["total"] == 3
    assert [row[0] for row in page["rows"]] == ["01001", "01002", "01003"]
    assert [row[1] for row in page["rows"]] == ["Ea Súp", "Krông Pắc", "Buôn Đôn"]
    chosen = get(client, f"{rows}?select=tên&tên__startswith=K")
    assert chosen["rows"] == [["Krông Pắc"]]

    export = client.get(f"{API}/resources/{file['id']}/export.csv")
    assert [row[0] for row in csv.reader(io.StringIO(export.get_data(as_text=True).lstrip("\ufeff")))] == [
        "mã",
        "01001",
        "01002",
        "01003",
    ]
    parquet = client.get(f"{API}/resources/{file['id']}/export.parquet")
    assert pq.read_table(io.BytesIO(parquet.data)).column("mã").to_pylist() == ["01001", "01002", "01003"]
    original = client.get(f"{API}/resources/{file['id']}/file")
    assert original.data == CONTENT.encode("utf-16")
    assert "attachment" in original.headers["Content-Disposition"]
    for path in (
        f"/vi/datasets/{slug}",
        f"/en/datasets/{slug}/resources/{file['id']}",
        "/vi/datasets?q=dak+lak",
    ):
        assert client.get(path).status_code == 200


def test_a_new_version_and_a_bad_one(services, client, officer) -> None:
    dataset = services.catalogue.create_dataset(
        COMMAND_LINE, {"title": "Huyện", "publisher": "BKHCN"}, publish_when_ready=True
    )
    first = hand_in(client, officer, "POST", f"{API}/datasets/{dataset.slug}/resources", CONTENT.encode())
    assert settle(client, officer, first["status_url"])["state"] == "published"
    (file,) = get(client, f"{API}/datasets/{dataset.slug}")["resources"]
    rows = f"{API}/resources/{file['id']}/rows?limit=1"
    opened = get(client, rows)
    again = hand_in(client, officer, "PUT", f"{API}/resources/{file['id']}/file", NEWER.encode())
    assert settle(client, officer, again["status_url"])["state"] == "published"
    assert get(client, rows)["total"] == 4
    # Who was paging stays in the version they began with.
    followed = get(client, f"{API}/resources/{file['id']}/rows?limit=1&cursor={opened['next']}")
    assert (followed["total"], followed["rows"][0][0]) == (3, "01002")
    bad = hand_in(client, officer, "PUT", f"{API}/resources/{file['id']}/file", b"\x00" * 5000)
    failed = settle(client, officer, bad["status_url"])
    assert failed["state"] == "failed"
    assert failed["problems"][0]["message"]
    assert get(client, rows)["total"] == 4


def test_what_is_not_there_is_said_on_both_databases(client, officer) -> None:
    for key in ("khong-co", "%00", "0" * 26, "%F0%9F%98%80", "a" * 3000):
        for path in ("/api/v1/datasets/", "/api/v1/resources/", "/vi/datasets/", "/vi/publishers/"):
            answer = client.get(path + key)
            assert 400 <= answer.status_code < 500, (path, key, answer.status_code)
        answer = client.post(f"{API}/datasets/{key}/publish", headers=officer)
        assert 400 <= answer.status_code < 500, (key, answer.status_code)


def test_values_that_one_database_cannot_keep_are_refused_or_cleaned(client, officer) -> None:
    """What PostgreSQL cannot keep must not be a server error there, nor differ on SQLite."""
    for metadata, status in (
        ({"title": "a\x00b"}, 400),
        ({"title": "half \ud800 pair"}, 400),
        ({"title": "x" * 300}, 201),
        ({"title": "x" * 301}, 422),
        ({"title": "x", "identifier": "đ" * 5000}, 422),
        ({"title": "x", "contact_name": "\x00" * 5 + "đ" * 5000}, 400),
        ({"title": "x", "publisher": "B" * 36}, 422),
        ({"title": "x", "slug": "a" * 101}, 422),
    ):
        made = client.post(f"{API}/datasets", json={"publisher": "BKHCN", **metadata}, headers=officer)
        assert made.status_code == status, (metadata, made.get_data(as_text=True))
