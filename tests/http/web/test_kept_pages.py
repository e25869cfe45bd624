"""Pages of results that are sent as they were written before: only to whom they would be written alike, while they hold."""

from __future__ import annotations

import pytest

from opendata.accounts.policy import COMMAND_LINE
from opendata.web import datasets, results_page


@pytest.fixture
def published(portal, runner):
    def publish(title: str) -> None:
        made = portal.catalogue.create_dataset(COMMAND_LINE, {"title": title, "publisher": "BYT"})
        portal.catalogue.publish_dataset(COMMAND_LINE, made.id)
        runner.run_waiting()

    return publish


@pytest.fixture
def writings(monkeypatch) -> list[str]:
    """The languages of the result pages written, one a page."""
    seen: list[str] = []
    write = results_page.results_page

    def noted(*args, **kwargs) -> bytes:
        text = write(*args, **kwargs)
        seen.append("vi" if b'<html lang="vi">' in text else "en")
        return text

    monkeypatch.setattr(datasets, "results_page", noted)
    return seen


def test_a_page_is_written_once_for_each_language_and_address(published, client, writings) -> None:
    published("Trạm y tế")
    first = client.get("/vi/datasets?q=tram")
    again = client.get("/vi/datasets?q=tram")
    assert again.data == first.data
    assert again.headers["Content-Language"] == "vi"
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Content-Length"] == first.headers["Content-Length"]
    assert writings == ["vi"]
    assert '<html lang="en">' in client.get("/en/datasets?q=tram").text
    # The same search under another address: its links to itself are other ones.
    assert "/en/datasets?q=tram&amp;theme=" in client.get("/vi/datasets?q=tram&theme=").text
    assert writings == ["vi", "en", "vi"]


def test_what_is_published_meanwhile_is_on_the_page(published, client) -> None:
    published("Trạm y tế")
    assert "tram-bom" not in client.get("/vi/datasets?q=tram").text
    published("Trạm bơm")
    assert "tram-bom" in client.get("/vi/datasets?q=tram").text


def test_a_person_s_page_is_theirs_alone(published, desk, app, writings) -> None:
    published("Trạm y tế")
    visitor = app.test_client()
    before = visitor.get("/vi/datasets?q=tram").text
    client, _ = desk
    own = client.get("/vi/datasets?q=tram").text
    assert "form_token" in own
    assert visitor.get("/vi/datasets?q=tram").text == before
    assert client.get("/vi/datasets?q=tram").text != before
    assert len(writings) == 3


def test_what_an_empty_page_offers_is_looked_up_each_time(published, client, writings) -> None:
    published("Trạm y tế")
    for _ in range(2):
        assert client.get("/vi/datasets?q=tram&theme=giao-duc").status_code == 200
    assert len(writings) == 2


def test_an_answer_of_the_api_is_the_same_from_memory(published, client) -> None:
    published("Trạm y tế")
    vietnamese, english = {"Accept-Language": "vi"}, {"Accept-Language": "en"}
    first = client.get("/api/v1/datasets?q=tram", headers=vietnamese)
    other = client.get("/api/v1/datasets?q=tram", headers=english)
    assert first.json["items"][0]["page_url"].endswith("/vi/datasets/tram-y-te")
    assert other.data != first.data
    assert client.get("/api/v1/datasets?q=tram", headers=vietnamese).data == first.data
    tag = first.headers["ETag"]
    assert (
        client.get("/api/v1/datasets?q=tram", headers={**vietnamese, "If-None-Match": tag}).status_code == 304
    )
