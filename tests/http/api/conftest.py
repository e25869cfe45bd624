"""The API under test: a small published catalogue, and every answer held against the OpenAPI document."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient
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
        assert answer.mimetype in content, f"{answer.mimetype} is not documented for {request.path}"
        if "json" not in answer.mimetype or "ndjson" in answer.mimetype:
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
def contract(app: Flask, client: FlaskClient) -> Contract:
    return Contract(app, copy.deepcopy(client.get(f"{API}/openapi.json").json))


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
    from opendata.accounts.policy import COMMAND_LINE

    def make(agency: str, role: Any, email: str = "") -> dict[str, str]:
        person = add_officer(agency, role, email)
        secret = portal.accounts.issue_token(COMMAND_LINE, person.email, "tests")
        return {"Authorization": f"Bearer {secret}"}

    return make
