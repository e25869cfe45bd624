"""A live portal and a real Chromium. Tests of pages are skipped, with the reason, where there is no browser.

The portal serves from a thread of this process and a worker runs beside it, on real files. Whatever a page
does that no page may do (an error in the console, a broken policy, a request to another host) fails the test.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.app import create_app
from opendata.job_wiring import build_job_runner
from opendata.settings import load_settings
from opendata.wiring import build_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opendata.wiring import Services

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "đúng-mật-khẩu-dài"


class _Quiet(WSGIRequestHandler):
    def log(self, *_args: object) -> None:
        """Nothing: requests are what the tests are about, not their log."""


@dataclass(frozen=True)
class Live:
    address: str
    services: Services
    email: str
    password: str = PASSWORD


@pytest.fixture
def live(prepared_folder: Path, tmp_path: Path) -> Iterator[Live]:
    folder = tmp_path / "live"
    shutil.copytree(prepared_folder, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = load_settings(data_dir=folder, secret_key="b" * 40, base_url=address, upload_limit_mb=64)
    services = build_services(settings)
    email = "can.bo@example.org"
    services.accounts.add_person(COMMAND_LINE, email=email, name="Cán bộ", password=PASSWORD)
    services.accounts.set_role(COMMAND_LINE, email, "BKHCN", Role.EDITOR)
    server = make_server(
        "127.0.0.1", port, create_app(settings, services), threaded=True, request_handler=_Quiet
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    worker = build_job_runner(services)
    worker.start(1)
    yield Live(address, services, email)
    worker.stop()
    server.shutdown()
    thread.join()
    server.server_close()
    services.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(f"no browser found; one of {', '.join(CHROMIUM)} must be installed in CI")
        pytest.skip(f"no browser found (looked for {', '.join(CHROMIUM)})")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=SWITCHES)
        yield browser
        browser.close()


@dataclass
class Visit:
    """Opens pages and remembers what went wrong on any of them."""

    browser: Any
    live: Live
    troubles: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    contexts: list[Any] = field(default_factory=list)

    def open(self, path: str = "/vi/", **options: Any) -> Any:
        context = self.browser.new_context(**{"accept_downloads": True, "locale": "vi-VN", **options})
        self.contexts.append(context)
        context.set_default_timeout(60_000)
        context.on("request", self._check_request)
        page = context.new_page()
        page.on("console", self._check_console)
        page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        page.goto(self.live.address + path)
        return page

    def sign_in(self, page: Any) -> None:
        page.goto(f"{self.live.address}/en/sign-in")
        page.get_by_label("E-mail address").fill(self.live.email)
        page.get_by_label("Password").fill(self.live.password)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/publish")

    def _check_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and f"{parts.scheme}://{parts.netloc}" != self.live.address:
            self.troubles.append(f"request to {request.url}")

    def _check_console(self, message: Any) -> None:
        if message.type in {"error", "warning"} and not any(words in message.text for words in self.expected):
            self.troubles.append(f"console: {message.text}")


@pytest.fixture
def visit(chromium: Any, live: Live) -> Iterator[Visit]:
    made = Visit(chromium, live)
    yield made
    for context in made.contexts:
        context.close()
    assert made.troubles == []


@pytest.fixture
def publish(live: Live) -> Callable[..., tuple[str, str]]:
    """Publish CSV text and wait for the worker; (slug, resource id)."""
    import io
    import time

    from opendata.resources.service import Upload

    def put(title: str, text: str, filename: str = "bang.csv", **metadata: Any) -> tuple[str, str]:
        services = live.services
        fields = {"title": title, "publisher": "BKHCN", "description": title, **metadata}
        dataset = services.catalogue.create_dataset(COMMAND_LINE, fields, publish_when_ready=True)
        upload = Upload(io.BytesIO(text.encode()), filename)
        received = services.resources.add_resource(COMMAND_LINE, dataset.id, upload)
        for _ in range(600):
            if services.resource_queries.resource(COMMAND_LINE, received.resource_id).latest.is_settled:
                break
            time.sleep(0.1)
        for _ in range(100):  # the index follows the commit
            found = services.catalogue_queries.dataset(COMMAND_LINE, dataset.id)
            if found.state == "published" and _is_indexed(services, dataset.slug):
                break
            time.sleep(0.1)
        return dataset.slug, received.resource_id

    return put


def _is_indexed(services: Services, slug: str) -> bool:
    from opendata.accounts.policy import VISITOR
    from opendata.catalogue.search_form import DatasetSearchForm

    found = services.catalogue_search.search(VISITOR, DatasetSearchForm(per_page=100), "vi")
    return any(item.slug == slug and item.rows for item in found.items)
