"""The main job, from a dropped file to rows pulled over HTTP, on SQLite and on PostgreSQL.

Through the API as a stranger would, with the real queue of each database, store, index and child process.
"""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.accounts.service import AgencyEntry
from opendata.app import create_app
from opendata.settings import load_settings
from opendata.wiring import build_services
from opendata.worker import run_worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.settings import Settings
    from opendata.wiring import Services

FIRST = "Mã tỉnh;Tỉnh;Dân số\n01;Hà Nội;8.718.000\n46;Huế;1.432.986\n"
SECOND = FIRST + "48;Đà Nẵng;3.065.628\n"
PATIENCE = 60


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return load_settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        secret_key="a-secret-of-the-tests-that-is-long-enough",
        base_url="http://portal.test",
    )


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    settings.data_dir.mkdir(parents=True)
    built = build_services(settings)
    built.store.prepare()
    yield built
    built.close()


@pytest.fixture
def worker(settings: Settings, services: Services) -> Iterator[None]:
    """The worker as it runs in production, in a thread of this process."""
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, args=(settings, stop))
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def token(services: Services) -> str:
    services.accounts.add_agencies(COMMAND_LINE, [AgencyEntry("BNV", {"vi": "Bộ Nội vụ"}, "ministry")])
    services.accounts.add_person(
        COMMAND_LINE, email="lan@example.org", name="Lan", password="mật-khẩu-đủ-dài"
    )
    services.accounts.set_role(COMMAND_LINE, "lan@example.org", "BNV", Role.EDITOR)
    return services.accounts.issue_token(COMMAND_LINE, "lan@example.org", "test")


def settled(client: Any, resource_id: str, token: str) -> dict:
    pause = threading.Event()
    for _ in range(PATIENCE * 10):
        status = client.get(
            f"/api/v1/resources/{resource_id}/status", headers={"Authorization": f"Bearer {token}"}
        ).json
        if status["state"] in {"published", "failed"}:
            return status
        pause.wait(0.1)
    raise AssertionError(f"still {status['state']} after {PATIENCE} s")


def found(client: Any, words: str, rows: int) -> dict:
    """The search's first result, once the index shows it with so many rows."""
    pause = threading.Event()
    for _ in range(PATIENCE * 10):
        items = client.get("/api/v1/datasets", query_string={"q": words}).json["items"]
        if items and items[0]["rows"] == rows:
            return items[0]
        pause.wait(0.1)
    raise AssertionError(f"{words!r} was not found with {rows} rows")


def test_from_a_dropped_file_to_its_rows(settings, services, token: str, worker: None) -> None:
    client: Any = create_app(settings, services).test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    body = {
        "title": "Dân số các tỉnh",
        "description": "Bảng mẫu",
        "publisher": "BNV",
        "publish_when_ready": True,
    }
    made = client.post("/api/v1/datasets", json=body, headers=bearer)
    assert made.status_code == 201, made.json
    slug = made.json["slug"]
    assert client.get(f"/api/v1/datasets/{slug}").status_code == 404  # a draft is its agency's alone

    sent = client.post(
        f"/api/v1/datasets/{slug}/resources",
        data={"file": (io.BytesIO(FIRST.encode("utf-8-sig")), "dan-so.csv")},
        headers=bearer,
    )
    assert sent.status_code == 202, sent.json
    resource_id = sent.json["resource_id"]
    assert settled(client, resource_id, token)["state"] == "published"
    assert found(client, "dan so cac tinh", rows=2)["slug"] == slug

    page = client.get(f"/api/v1/resources/{resource_id}/rows", query_string={"limit": 1}).json
    assert page["rows"] == [["01", "Hà Nội", 8718000]]
    assert [column["type"] for column in page["columns"]] == ["string", "string", "number"]

    again = client.put(
        f"/api/v1/resources/{resource_id}/file",
        data={"file": (io.BytesIO(SECOND.encode()), "dan-so.csv")},
        headers=bearer,
    )
    assert again.status_code == 202, again.json
    assert settled(client, resource_id, token)["state"] == "published"
    assert found(client, "dan so", rows=3)["slug"] == slug
    rest = client.get(page["next_url"]).json  # the cursor stays with the version it began with
    assert rest["rows"] == [["46", "Huế", 1432986]]
    lines = client.get(f"/api/v1/resources/{resource_id}/export.jsonl").data.splitlines()
    assert [json.loads(line)["Tỉnh"] for line in lines] == ["Hà Nội", "Huế", "Đà Nẵng"]
