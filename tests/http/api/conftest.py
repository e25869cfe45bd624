"""The API under test: a small published catalogue, and every answer held against the OpenAPI document."""

from __future__ import annotations

import io
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # ships no types
from werkzeug.serving import make_server

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.app import create_app
from opendata.catalogue.seed_packages import read_packages
from opendata.job_wiring import build_job_runner
from opendata.kernel.bundled import bundled
from opendata.resources.seeding import SeedLoader
from opendata.resources.service import Upload
from opendata.settings import load_settings
from opendata.wiring import build_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from werkzeug.test import TestResponse

    from opendata.wiring import Services

API = "/api/v1"
WARDS = (
    "mã,tên,tỉnh,dân số,ngày\n"
    "00001,Phường Ba Đình,Hà Nội,65023,2025-07-01\n"
    "00004,Phường Hoàn Kiếm,Hà Nội,,2025-07-01\n"
    "26734,Phường Sài Gòn,Hồ Chí Minh,47022,2025-07-02\n"
    "20194,Phường Hải Châu,Đà Nẵng,131427,\n"
)


class Contract:
    """The document that the portal publishes, and a strict reading of answers by it."""

    def __init__(self, app: Flask, document: dict[str, Any]) -> None:
        self._app = app
        self.document = document

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """The documented operation that an address belongs to."""
        rule, _ = self._app.url_map.bind("portal.test").match(
            path, method="GET" if method == "HEAD" else method, return_rule=True
        )
        documented = rule.rule.replace("<", "{").replace(">", "}")
        found: dict[str, Any] = self.document["paths"][documented][method.lower().replace("head", "get")]
        return found

    def check(self, answer: TestResponse) -> Any:
        """The JSON of an answer, after holding status, media type and body against the document."""
        request = answer.request
        operation = self.operation(request.method, request.path)
        response = operation["responses"].get(str(answer.status_code)) or operation["responses"]["default"]
        response = self._resolve(response)
        if answer.status_code in {204, 304}:
            assert answer.data == b""
            return None
        content = {name.split(";")[0]: media for name, media in response["content"].items()}
        if "*/*" in content:
            return None
        assert answer.mimetype in content, f"{answer.mimetype} is not documented for {request.path}"
        if answer.mimetype not in {"application/json", "application/problem+json"}:
            return None
        schema = {**content[answer.mimetype]["schema"], "components": self.document["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.json)
        return answer.json

    def _resolve(self, part: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in part:
            found: Any = self.document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part


@pytest.fixture
def contract(app: Flask, client: Any) -> Contract:
    return Contract(app, client.get(f"{API}/openapi.json").json)


class Library:
    """A published catalogue that many tests read and none changes."""

    def __init__(self, portal: Services, app: Flask, editor: dict[str, str], **names: str) -> None:
        self.portal = portal
        self.client: Any = app.test_client()
        self.contract = Contract(app, self.client.get(f"{API}/openapi.json").json or {})
        self.editor = editor
        self.slug = names["slug"]
        self.resource_id = names["resource_id"]
        self.draft_slug = names["draft_slug"]

    def __repr__(self) -> str:
        return "library"

    def get(self, path: str, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(f"{API}{path}", headers=named)


@pytest.fixture(scope="session")
def library(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("library") / "data"
    shutil.copytree(prepared_folder, folder)
    settings = load_settings(data_dir=folder, secret_key="x" * 40, base_url="http://portal.test")
    portal = build_services(settings)
    slug, resource_id = _publish(portal, "Phường, xã năm 2025", WARDS.encode(), "phường.csv")
    _publish(portal, "Ảnh không có bảng", b"%PDF-1.7\n" + b"x" * 500, "ảnh.pdf")
    draft = portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Bản nháp", "publisher": "BKHCN"})
    build_job_runner(portal).run_waiting()
    portal.accounts.add_person(COMMAND_LINE, email="a@example.org", name="A", password="mật-khẩu-rất-dài")
    portal.accounts.set_role(COMMAND_LINE, "a@example.org", "BKHCN", Role.ADMIN)
    token = portal.accounts.issue_token(COMMAND_LINE, "a@example.org", "tests")
    app = create_app(settings, portal)
    editor = {"Authorization": f"Bearer {token}"}
    yield Library(portal, app, editor, slug=slug, resource_id=resource_id, draft_slug=draft.slug)
    portal.close()


def _publish(portal: Services, title: str, content: bytes, filename: str) -> tuple[str, str]:
    fields = {
        "title": title,
        "publisher": "BKHCN",
        "theme": "dia-phuong",
        "license": "luat-20-2023",
        "frequency": "ANNUAL",
        "keywords": ["phường"],
    }
    dataset = portal.catalogue.create_dataset(COMMAND_LINE, fields, publish_when_ready=True)
    received = portal.resources.add_resource(COMMAND_LINE, dataset.id, Upload(io.BytesIO(content), filename))
    return dataset.slug, received.resource_id


@pytest.fixture
def bearer(officer_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {officer_token}"}


@pytest.fixture
def wards(portal: Services, publish_csv: Callable[..., tuple[str, str]]) -> tuple[str, str]:
    """A published dataset with one table: (slug, resource id)."""
    return publish_csv(
        portal,
        "Phường, xã năm 2025",
        WARDS,
        filename="phường.csv",
        theme="dia-phuong",
        license="luat-20-2023",
        frequency="ANNUAL",
        keywords=["phường", "hành chính"],
    )


@pytest.fixture
def token_of(portal: Services, add_officer: Callable[..., Any]) -> Callable[..., dict[str, str]]:
    """A bearer header for a new person with a role in an agency."""

    def make(agency: str, role: Any, email: str = "") -> dict[str, str]:
        person = add_officer(agency, role, email)
        secret = portal.accounts.issue_token(COMMAND_LINE, person.email, "tests")
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def served(prepared_folder: Path, tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    """A portal behind a real HTTP server on the loopback: (services, app)."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    shutil.copytree(prepared_folder, tmp_path / "data")
    server = make_server("127.0.0.1", 0, Flask("before"), threaded=True)
    base = f"http://127.0.0.1:{server.server_port}"
    settings = load_settings(data_dir=tmp_path / "data", secret_key="x" * 40, base_url=base)
    portal = build_services(settings)
    server.app = create_app(settings, portal)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield portal, server.app
    server.shutdown()
    server.server_close()
    thread.join()
    portal.close()


@pytest.fixture
def publish_seed() -> Callable[[Services, set[str]], None]:
    """Publish some of the seed datasets."""

    def publish(portal: Services, slugs: set[str]) -> None:
        packages = [found for found in read_packages(bundled("seed_datasets")) if found.slug in slugs]
        loader = SeedLoader(
            portal.catalogue, portal.catalogue_queries, portal.resources, portal.resource_queries
        )
        assert loader.load(COMMAND_LINE, packages)
        build_job_runner(portal).run_waiting()

    return publish


@pytest.fixture
def publish_csv_into() -> Callable[[Services, str, str], str]:
    """Publish a table in any portal; the id of its file."""

    def publish(portal: Services, title: str, csv_text: str) -> str:
        _, resource_id = _publish(portal, title, csv_text.encode(), "data.csv")
        build_job_runner(portal).run_waiting()
        return resource_id

    return publish
