"""A large file over a line that breaks, in a real browser: it goes on by itself, and after a reload too."""

from __future__ import annotations

import os
from typing import Any

import pytest

from opendata.accounts.policy import COMMAND_LINE

SIZE = 20 << 20
PIECE = 8 << 20


@pytest.fixture
def large(tmp_path: Any) -> Any:
    path = tmp_path / "bản đồ.pdf"
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(SIZE - 9))
    return path


def test_sending_goes_on_after_a_break_and_after_a_reload(visit: Any, large: Any) -> None:
    visit.expected = ("net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED")
    portal = visit.live.services
    dataset = portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Bản đồ", "publisher": "BKHCN"})
    page = visit.open()
    visit.sign_in(page)
    calls: list[tuple[str, str]] = []
    page.on("request", lambda request: calls.append((request.method, request.url)))
    patches = 0

    def break_the_second(route: Any) -> None:
        nonlocal patches
        patches += route.request.method == "PATCH"
        if patches >= 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/uploads/*", break_the_second)
    page.goto(f"{visit.live.address}/en/publish/{dataset.slug}")
    page.get_by_label("Title of the file").fill("Bản đồ nền")
    page.get_by_label("File", exact=True).set_input_files(large)
    page.get_by_role("button", name="Send the file").click()
    page.get_by_text("Sending goes on as soon as it is back").wait_for()
    page.reload()  # the person gives up waiting
    page.unroute("**/api/v1/uploads/*")

    held = True

    def break_once(route: Any) -> None:
        nonlocal held
        if held and route.request.method == "PATCH":
            held = False
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/uploads/*", break_once)
    page.get_by_label("File", exact=True).set_input_files(large)
    page.get_by_role("button", name="Send the file").click()
    page.wait_for_url(f"**/publish/{dataset.slug}/files/*")
    (view,) = portal.resource_queries.resources_of(COMMAND_LINE, dataset.id)
    assert view.title == {"vi": "Bản đồ nền"}
    assert portal.store.path(view.latest.sha256).read_bytes() == large.read_bytes()
    assert [url for method, url in calls if method == "POST"] == [f"{visit.live.address}/api/v1/uploads"]
    assert page.evaluate("localStorage.length") == 0
    page.locator("[data-settled]").wait_for()


def test_a_large_file_of_a_new_dataset_goes_on_where_it_stopped(visit: Any, large: Any) -> None:
    visit.expected = ("net::ERR_FAILED", "422 (UNPROCESSABLE ENTITY)")
    portal = visit.live.services
    page = visit.open()
    visit.sign_in(page)
    sizes: list[int] = []
    page.on("request", lambda request: sizes.append(len(request.post_data_buffer or b"")))
    page.goto(f"{visit.live.address}/en/publish/new")
    page.get_by_label("File", exact=True).set_input_files(large)
    page.get_by_role("button", name="Save and send the file").click()
    page.get_by_text("Nothing was saved yet").wait_for()  # the title is missing; the file stays chosen
    page.locator("[id='title.vi']").fill("Bản đồ mới")
    page.route("**/api/v1/uploads/*", lambda route: route.abort())
    page.get_by_role("button", name="Save and send the file").click()
    page.get_by_text("Sending goes on as soon as it is back").wait_for()
    page.unroute("**/api/v1/uploads/*")
    page.reload()  # the person gives up waiting, and is with the dataset that was saved
    page.get_by_role("heading", name="Bản đồ mới").wait_for()
    page.get_by_label("File", exact=True).set_input_files(large)
    page.get_by_role("button", name="Send the file").click()
    page.wait_for_url("**/publish/*/files/*")
    slug = page.url.split("/")[-3]
    dataset = portal.catalogue_queries.dataset(COMMAND_LINE, slug)
    (view,) = portal.resource_queries.resources_of(COMMAND_LINE, dataset.id)
    assert portal.store.path(view.latest.sha256).read_bytes() == large.read_bytes()
    assert max(sizes) <= PIECE
    page.locator("[data-settled]").wait_for()
    assert portal.catalogue_queries.dataset(COMMAND_LINE, slug).state == "published"


def test_a_large_new_version(visit: Any, large: Any, publish: Any) -> None:
    slug, resource_id = publish("Bản đồ", "a,b\n1,2\n")
    page = visit.open()
    visit.sign_in(page)
    page.goto(f"{visit.live.address}/en/publish/{slug}")
    page.get_by_text("Replace or remove this file").click()
    page.locator(".bench-file").get_by_label("File", exact=True).set_input_files(large)
    page.get_by_role("button", name="Send the new version").click()
    page.wait_for_url(f"**/publish/{slug}/files/{resource_id}")
    latest = visit.live.services.resource_queries.resource(COMMAND_LINE, resource_id).latest
    assert (latest.number, latest.size) == (2, SIZE)
