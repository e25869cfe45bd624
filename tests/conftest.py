"""Fixtures for a whole portal on real parts: SQLite, an index and files in a temporary folder.

Sockets reach the loopback only. `publish_csv` and its kin go through the real services and the real
pipeline, run in this process's thread instead of a worker's.
"""

from __future__ import annotations

import io
import ipaddress
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opendata.accounts.policy import COMMAND_LINE, Actor, Role
from opendata.accounts.service import AgencyEntry
from opendata.app import create_app
from opendata.job_wiring import build_job_runner
from opendata.migrations import migrate
from opendata.resources.service import Upload
from opendata.settings import load_settings
from opendata.wiring import build_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flask import Flask
    from flask.testing import FlaskClient

    from opendata.kernel.jobs import JobRunner
    from opendata.settings import Settings
    from opendata.wiring import Services

REAL_DATA = Path(__file__).parents[2] / "shared" / "data" / "vn"
PASSWORD = "đúng-mật-khẩu-dài"  # of the people these fixtures make


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgres: needs a PostgreSQL server (started from its wheel)")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Where nothing may be skipped (continuous integration), a skipped test has failed."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("OPENDATA_TESTS_SKIP_NOTHING") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the outside network is wrong, and must say so instead of waiting."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def real_data() -> Path:
    """Real, messy files of Vietnamese offices; not part of this repository."""
    if not REAL_DATA.is_dir():
        pytest.skip("the folder of real files (shared/data/vn) is not beside this checkout")
    return REAL_DATA


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        data_dir=tmp_path / "data",
        secret_key="a-secret-of-the-tests-that-is-long-enough",
        base_url="http://portal.test",
        upload_limit_mb=64,
    )


def prepare(settings: Settings) -> Services:
    """A migrated portal with its agencies, nothing published."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    services = build_services(settings)
    services.store.prepare()
    migrate(services.database)
    services.accounts.add_agencies(
        COMMAND_LINE,
        [AgencyEntry(term.code, dict(term.labels), term.kind) for term in services.vocabularies.agencies],
    )
    services.indexing.ensure_index()
    return services


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory made once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    services = prepare(load_settings(data_dir=folder, secret_key="x" * 40))
    services.database.checkpoint()
    services.close()
    return folder


@pytest.fixture
def portal(settings: Settings, prepared_folder: Path) -> Iterator[Services]:
    shutil.copytree(prepared_folder, settings.data_dir)
    services = build_services(settings)
    yield services
    services.close()


@pytest.fixture
def runner(portal: Services) -> JobRunner:
    return build_job_runner(portal)


@pytest.fixture
def app(portal: Services) -> Flask:
    return create_app(portal.settings, portal)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def portal_agency() -> str:
    return "BKHCN"


@pytest.fixture
def other_agency() -> str:
    return "BYT"


@dataclass(frozen=True)
class Officer:
    email: str
    password: str
    actor: Actor


@pytest.fixture
def add_officer(portal: Services) -> Callable[..., Officer]:
    """Make a person with a role in an agency."""

    def add(agency: str, role: Role = Role.EDITOR, email: str = "") -> Officer:
        address = email or f"{role}.{agency.lower()}@example.org"
        person_id = portal.accounts.add_person(
            COMMAND_LINE, email=address, name=f"{role} {agency}", password=PASSWORD
        )
        portal.accounts.set_role(COMMAND_LINE, address, agency, role)
        actor = Actor(person_id=person_id, name=f"{role} {agency}", via="web", roles={agency: role})
        return Officer(address, PASSWORD, actor)

    return add


@pytest.fixture
def officer(add_officer: Callable[..., Officer], portal_agency: str) -> Officer:
    return add_officer(portal_agency)


@pytest.fixture
def officer_token(portal: Services, officer: Officer) -> str:
    return portal.accounts.issue_token(COMMAND_LINE, officer.email, "tests")


@pytest.fixture
def publish_file(runner: JobRunner, portal_agency: str) -> Callable[..., tuple[str, str]]:
    """Publish bytes as a new dataset through the real pipeline; (slug, resource id)."""

    def publish(
        portal: Services, title: str, content: bytes, filename: str, **metadata: Any
    ) -> tuple[str, str]:
        fields: Mapping[str, Any] = {
            "title": title,
            "description": metadata.pop("description", title),
            "publisher": metadata.pop("publisher", portal_agency),
            **metadata,
        }
        dataset = portal.catalogue.create_dataset(COMMAND_LINE, fields, publish_when_ready=True)
        received = portal.resources.add_resource(
            COMMAND_LINE, dataset.id, Upload(io.BytesIO(content), filename)
        )
        runner.run_waiting()
        return dataset.slug, received.resource_id

    return publish


@pytest.fixture
def publish_csv(publish_file: Callable[..., tuple[str, str]]) -> Callable[..., tuple[str, str]]:
    def publish(
        portal: Services, title: str, csv_text: str, filename: str = "data.csv", **metadata: Any
    ) -> tuple[str, str]:
        return publish_file(portal, title, csv_text.encode(), filename, **metadata)

    return publish
