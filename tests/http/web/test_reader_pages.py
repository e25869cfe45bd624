"""Asking for data, feeds and saved searches through the pages, and what administrators see of them."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree as ET

import pytest

from opendata.accounts.policy import COMMAND_LINE
from tests.conftest import PASSWORD

ATOM = "{http://www.w3.org/2005/Atom}"
NEED = "Số liệu lượng mưa theo ngày ở các trạm"


@pytest.fixture
def administrator(portal, app, sign_in):
    """A signed-in administrator of the portal: (client, form token)."""
    portal.accounts.add_person(
        COMMAND_LINE, email="admin@example.org", name="Quản trị", password=PASSWORD, is_platform_admin=True
    )
    client = app.test_client()
    return client, sign_in(client, "admin@example.org", PASSWORD)


def publish(portal, runner, title: str, **more) -> str:
    made = portal.catalogue.create_dataset(COMMAND_LINE, {"title": title, "publisher": "BYT", **more})
    portal.catalogue.publish_dataset(COMMAND_LINE, made.id)
    runner.run_waiting()
    return made.slug


def test_an_empty_answer_leads_to_a_request_that_an_administrator_answers(  # noqa: PLR0917 - fixtures
    portal, runner, client, read_page, token_of, administrator
) -> None:
    slug = publish(portal, runner, "Lượng mưa")
    page = read_page(client.get("/vi/datasets?q=qwertzuiop").text)
    assert "/vi/requests/new?q=qwertzuiop" in page.links
    form = client.get("/vi/requests/new?q=qwertzuiop").text
    assert "qwertzuiop" in form
    token = token_of(client, "/vi/requests/new?q=qwertzuiop")
    sent = {
        "form_token": token,
        "need": NEED,
        "query": "qwertzuiop",
        "contact": "lan@example.org",
        "homepage": "",
    }
    answer = client.post("/vi/requests/new", data=sent)
    assert (answer.status_code, answer.location) == (303, "/vi/requests/thanks")
    assert client.get("/vi/requests/thanks").status_code == 200

    desk, desk_token = administrator
    listed = desk.get("/vi/admin/requests").text
    assert NEED in listed
    assert "mailto:lan@example.org" in listed
    (asked,) = portal.data_requests.listed(COMMAND_LINE)
    base = f"/vi/admin/requests/{asked.id}"
    wrong = desk.post(f"{base}/answer", data={"form_token": desk_token, "dataset": "khong-co"})
    assert wrong.status_code == 422
    assert "Không có bộ dữ liệu nào ở địa chỉ này" in wrong.text
    assert desk.post(f"{base}/decline", data={"form_token": desk_token, "reason": ""}).status_code == 422
    right = desk.post(f"{base}/answer", data={"form_token": desk_token, "dataset": f"/vi/datasets/{slug}"})
    assert right.status_code == 303
    assert f"/vi/datasets/{slug}" in read_page(desk.get("/vi/admin/requests?state=answered").text).links
    assert desk.post(f"{base}/decline", data={"form_token": desk_token, "reason": "x"}).status_code == 409
    assert desk.get("/vi/admin/requests?state=lost").status_code == 400


def test_a_wrong_request_loses_nothing_that_was_typed(client, token_of, read_page) -> None:
    token = token_of(client, "/vi/requests/new")
    sent = {"form_token": token, "need": NEED + " <b>", "contact": "không phải thư", "query": "mưa"}
    answer = client.post("/vi/requests/new", data=sent)
    assert answer.status_code == 422
    assert NEED + " &lt;b&gt;" in answer.text
    assert "#contact" in read_page(answer.text).links
    assert 'name="query" value="mưa"' in answer.text


def test_a_robot_that_fills_in_everything_leaves_nothing(client, portal, token_of) -> None:
    token = token_of(client, "/vi/requests/new")
    answer = client.post(
        "/vi/requests/new", data={"form_token": token, "need": NEED, "homepage": "https://spam.example"}
    )
    assert (answer.status_code, answer.location) == (303, "/vi/requests/thanks")
    assert portal.data_requests.listed(COMMAND_LINE) == ()


def test_officers_may_not_read_requests_or_searches(desk) -> None:
    client, token = desk
    for page in ("/vi/admin/requests", "/vi/admin/searches"):
        assert client.get(page).status_code == 403
    answer = client.post("/vi/admin/requests/x/decline", data={"form_token": token, "reason": "x"})
    assert answer.status_code == 403
    assert "/vi/admin/requests" not in client.get("/vi/account").text


def test_searches_in_vain_are_counted_for_administrators(portal, client, administrator, read_page) -> None:
    for _ in range(2):
        client.get("/vi/datasets?q=Giá+vàng+miếng")
    client.get("/api/v1/datasets?q=gia+vang+mieng")
    client.get("/vi/datasets?q=gia+vang+mieng&theme=y-te")  # the filter may be why
    client.get("/vi/datasets?q=lan%40example.org")
    client.get("/vi/datasets?q=0912345678")
    portal.demand.flush()
    desk, _ = administrator
    for days in ("30", "90"):
        page = read_page(desk.get(f"/vi/admin/searches?days={days}").text)
        assert "gia vang mieng 3" in page.text
        assert "/vi/datasets?q=gia+vang+mieng" in page.links
        assert "lan" not in page.text.split()
        assert "0912345678" not in page.text
    assert desk.get("/vi/admin/searches?days=7").status_code == 400


def read_feed(answer) -> ET.Element:
    return ET.fromstring(answer.data)  # noqa: S314 - made by this portal just now


def text_of(element: ET.Element, name: str) -> str:
    return element.findtext(f"{ATOM}{name}") or ""


def link_of(element: ET.Element, rel: str) -> str:
    return next(link.attrib["href"] for link in element.findall(f"{ATOM}link") if link.get("rel") == rel)


def test_every_search_has_a_feed_with_ids_that_stay(portal, runner, client, read_page) -> None:
    slugs = [
        publish(portal, runner, f"Lượng mưa trạm {n} <b>&</b>", description="Mô tả\x0b") for n in range(3)
    ]
    publish(portal, runner, "Khác hẳn")
    page = client.get("/vi/datasets?q=luong+mua&sort=title&per_page=1").text
    heads = [link for link in read_page(page).all("link") if link.get("type") == "application/atom+xml"]
    (address,) = [link["href"] for link in heads if link["rel"] == "alternate"]
    answer = client.get(address)
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    root = read_feed(answer)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    assert [link_of(entry, "alternate") for entry in entries] == [
        f"http://portal.test/vi/datasets/{slug}" for slug in reversed(slugs)
    ]
    for element in (root, *entries):
        assert [len(element.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
        assert dt.datetime.fromisoformat(text_of(element, "updated")).tzinfo is not None
        assert text_of(element, f"author/{ATOM}name")
        assert text_of(element, "title")
    assert text_of(root, "updated") == text_of(entries[0], "updated")
    assert text_of(entries[0], "title") == "Lượng mưa trạm 2 <b>&</b>"
    itself = urlsplit(link_of(root, "self"))
    assert text_of(root, "id") == itself.geturl()
    assert client.get(f"{itself.path}?{itself.query}").data == answer.data
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    ids = {text_of(entry, "id") for entry in entries}
    english = read_feed(client.get(address.replace("/vi/", "/en/")))
    assert ids == {text_of(entry, "id") for entry in english.findall(f"{ATOM}entry")}
    assert all(one.startswith("tag:portal.test,") for one in ids)
    assert client.get("/vi/datasets?q=luong", headers={"Accept": "application/atom+xml"}).mimetype == (
        "application/atom+xml"
    )
    assert text_of(read_feed(client.get("/vi/datasets.atom?q=qwertzuiop")), "updated")


def test_a_search_is_saved_looked_at_and_deleted(portal, runner, desk, read_page) -> None:
    client, token = desk
    publish(portal, runner, "Lượng mưa cũ")
    query = urlencode([("q", "lượng mưa"), ("publisher", "BYT"), ("period_from", "2019")])
    page = read_page(client.get(f"/vi/datasets?{query}&page=1").text)
    address = next(box["value"] for box in page.all("input") if box.get("name") == "address")
    assert parse_qs(address) == parse_qs(query)
    saved = client.post(
        "/vi/saved-searches", data={"form_token": token, "name": "Mưa", "address": "q=luong+mua"}
    )
    assert (saved.status_code, saved.location) == (303, "/vi/saved-searches?done=saved")
    assert "không có gì mới" in client.get("/vi/saved-searches").text
    publish(portal, runner, "Lượng mưa mới")
    shelf = client.get("/vi/saved-searches").text
    assert "1 mới hoặc thay đổi" in read_page(shelf).text
    look = read_page(shelf).link_after(shelf, "Mưa")
    opened = client.get(look)
    assert (opened.status_code, opened.location) == (302, "/vi/datasets?q=luong+mua&sort=newest")
    assert "không có gì mới" in client.get("/vi/saved-searches").text
    assert client.post(f"{look}/delete", data={"form_token": token}).status_code == 303
    assert look not in client.get("/vi/saved-searches").text
    assert client.get(look).status_code == 404
    wrong = client.post("/vi/saved-searches", data={"form_token": token, "name": "x", "address": "page=0"})
    assert wrong.status_code == 400
    nameless = client.post("/vi/saved-searches", data={"form_token": token, "name": " ", "address": ""})
    assert nameless.status_code == 422


def test_while_the_index_is_made_again_nothing_looks_whole_that_is_not(
    portal, runner, desk, read_page
) -> None:
    client, token = desk
    publish(portal, runner, "Lượng mưa")
    client.post("/vi/saved-searches", data={"form_token": token, "name": "Mưa", "address": "q=luong+mua"})
    for folder in (portal.settings.data_dir).rglob("CURRENT"):
        folder.unlink()
    assert client.get("/vi/datasets.csv").status_code == 503
    assert client.get("/vi/datasets?q=qwertzuiop+luong").status_code == 200
    assert client.get("/vi/saved-searches").status_code == 200
    client.get("/vi/datasets?q=khong+dem")
    portal.demand.flush()
    assert portal.demand_log.top(COMMAND_LINE, 30) == ()
