"""Datasets over the API: found, read, made, changed, published, withdrawn; and every way to get it wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from opendata.accounts.policy import COMMAND_LINE, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.wiring import Services

API = "/api/v1"
NEW = {
    "title": {"vi": "Chợ hoa xuân", "en": "Spring flower markets"},
    "description": "Địa điểm **chợ hoa**",
    "publisher": "BKHCN",
    "keywords": ["chợ", "hoa"],
    "theme": "xa-hoi",
}


@pytest.fixture
def draft(client: Any, bearer: dict[str, str]) -> dict[str, Any]:
    answer = client.post(f"{API}/datasets", json=NEW, headers=bearer)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


# -- finding ------------------------------------------------------------------------------


def test_search_without_diacritics(client: Any, wards: tuple[str, str], contract: Any) -> None:
    found = contract.check(client.get(f"{API}/datasets?q=phuong+xa&facets=theme,format"))
    assert found["total"] == 1
    item = found["items"][0]
    assert item["slug"] == wards[0]
    assert item["rows"] == 4
    assert "csv" in item["formats"]
    assert any(part["match"] for part in item["highlights"]["title"])
    assert set(found["facets"]) == {"theme", "format"}
    assert found["facets"]["theme"] == [{"value": "dia-phuong", "label": "Địa phương", "count": 1}]
    assert found["next_url"] is None


def test_labels_follow_accept_language(client: Any, wards: tuple[str, str]) -> None:
    def label(accept: str) -> tuple[str, str]:
        found = client.get(f"{API}/datasets?facets=theme", headers={"Accept-Language": accept}).json
        return found["facets"]["theme"][0]["label"], found["items"][0]["labels"]["theme"]

    assert label("vi") == ("Địa phương", "Địa phương")
    english = label("en-GB,en;q=0.9")
    assert english[0] == english[1]
    assert english[0] != "Địa phương"
    assert label("fr") == ("Địa phương", "Địa phương")


def test_pages_follow_each_other(
    client: Any, portal: Services, publish_csv: Callable[..., Any], contract: Any
) -> None:
    slugs = {publish_csv(portal, f"Bảng {number}", "a\n1\n")[0] for number in range(5)}
    seen: list[str] = []
    address: str | None = f"{API}/datasets?per_page=2&sort=title&facets="
    while address:
        answer = client.get(address)
        page = contract.check(answer)
        assert page["total"] == 5
        assert page["facets"] == {}
        seen += [item["slug"] for item in page["items"]]
        address = page["next_url"]
        assert (f'<{address}>; rel="next"' == answer.headers.get("Link")) == bool(address)
    assert len(seen) == 5
    assert set(seen) == slugs


def test_all_facets_unless_named(client: Any, wards: tuple[str, str]) -> None:
    facets = client.get(f"{API}/datasets").json["facets"]
    assert set(facets) == {"theme", "publisher", "format", "license", "frequency", "place"}


def test_suggestions(client: Any, wards: tuple[str, str], contract: Any) -> None:
    found = contract.check(client.get(f"{API}/suggest?q=phuo"))
    assert any("hường" in item for item in found["items"])
    assert contract.check(client.get(f"{API}/suggest?q=")) == {"items": []}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("page=-1", "bad-parameter"),
        ("page=0", "bad-parameter"),
        ("page=1e3", "bad-parameter"),
        ("page=%D9%A3", "bad-parameter"),
        ("page=999999999999999999999", "bad-parameter"),
        ("per_page=0", "bad-parameter"),
        ("per_page=101", "bad-parameter"),
        ("sort=price", "bad-parameter"),
        ("facets=colour", "bad-parameter"),
        ("colour=red", "unknown-parameter"),
        ("q=a&Q=b", "unknown-parameter"),
        ("q%00=a", "unreadable-query"),
        ("theme=%00", "unreadable-query"),
    ],
)
def test_wrong_parameters_are_named(library: Any, query: str, code: str) -> None:
    answer = library.get(f"/datasets?{query}", Accept_Language="en")
    problem = library.contract.check(answer)
    assert answer.status_code == 400
    assert problem["code"] == code
    assert problem["detail"]


@pytest.mark.parametrize("typed", ["%00", "%01%1f%7f", "%00d%C3%A2n%00s%E1%BB%91%0b", "%E2%80%AE%C2%A0"])
def test_control_characters_are_typed_for_nothing(library: Any, typed: str) -> None:
    for address in (f"/datasets?q={typed}", f"/suggest?q={typed}"):
        answer = library.contract.check(library.get(address))
        assert "\x00" not in str(answer)


def test_nothing_found_is_an_answer(library: Any) -> None:
    assert library.contract.check(library.get("/datasets?q=zzzzzz&theme=khong-co"))["total"] == 0
    assert library.contract.check(library.get("/datasets?page=100000"))["items"] == []


# -- reading ------------------------------------------------------------------------------


def test_read_by_slug_and_by_id(client: Any, wards: tuple[str, str], contract: Any) -> None:
    by_slug = contract.check(client.get(f"{API}/datasets/{wards[0]}"))
    assert by_slug["title"] == {"vi": "Phường, xã năm 2025"}
    assert by_slug["publisher"] == "BKHCN"
    assert by_slug["keywords"] == ["phường", "hành chính"]
    assert by_slug["labels"]["theme"] == "Địa phương"
    assert by_slug["freshness"] == "in-time"
    assert by_slug["page_url"] == f"http://portal.test/vi/datasets/{wards[0]}"
    assert [resource["id"] for resource in by_slug["resources"]] == [wards[1]]
    assert contract.check(client.get(f"{API}/datasets/{by_slug['id']}")) == by_slug


def test_etag_of_a_dataset(client: Any, wards: tuple[str, str], bearer: dict[str, str]) -> None:
    address = f"{API}/datasets/{wards[0]}"
    first = client.get(address)
    assert first.headers["Cache-Control"] == "public, no-cache"
    tag = first.headers["ETag"]
    unchanged = client.get(address, headers={"If-None-Match": tag})
    assert unchanged.status_code == 304
    assert unchanged.data == b""
    client.patch(f"{API}/resources/{wards[1]}", json={"title": "Tên khác"}, headers=bearer)
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200
    private = client.get(address, headers=bearer)
    assert private.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "key", ["khong-co", "01h0000000000000000000zzzz", "%00", "..", "a'b", "đ", "x" * 3000]
)
def test_what_is_not_there(library: Any, key: str) -> None:
    answer = library.get(f"/datasets/{key}", Accept_Language="en")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "not-found"


def test_drafts_are_seen_by_their_agency_only(
    client: Any, draft: dict[str, Any], bearer: dict[str, str], token_of: Any, contract: Any
) -> None:
    address = f"{API}/datasets/{draft['slug']}"
    assert contract.check(client.get(address, headers=bearer))["state"] == "draft"
    assert client.get(address).status_code == 404
    other = token_of("BYT", Role.ADMIN)
    assert client.get(address, headers=other).status_code == 404
    assert client.patch(address, json={"theme": None}, headers=other).status_code == 404
    assert client.delete(address, headers=other).status_code == 404
    assert client.post(f"{address}/publish", headers=other).status_code == 404


# -- writing ------------------------------------------------------------------------------


def test_create(client: Any, bearer: dict[str, str], contract: Any) -> None:
    answer = client.post(f"{API}/datasets", json={**NEW, "slug": "cho-hoa"}, headers=bearer)
    made = contract.check(answer)
    assert answer.status_code == 201
    assert answer.headers["Location"] == made["api_url"]
    assert (made["slug"], made["state"], made["revision"]) == ("cho-hoa", "draft", 1)
    assert made["description"] == {"vi": "Địa điểm **chợ hoa**"}
    again = client.post(f"{API}/datasets", json={**NEW, "slug": "cho-hoa"}, headers=bearer)
    assert (again.status_code, contract.check(again)["code"]) == (409, "slug-taken")


def test_create_names_every_wrong_field(client: Any, bearer: dict[str, str], contract: Any) -> None:
    body = {"title": "", "publisher": "BKHCN", "theme": "khong-co", "issued": "31/02/2020", "colour": "red"}
    answer = client.post(f"{API}/datasets", json=body, headers=bearer)
    assert answer.status_code == 422
    problem = contract.check(answer)
    assert {error["field"] for error in problem["errors"]} == {"title", "theme", "issued", "colour"}


@pytest.mark.parametrize(
    "body",
    [
        {**NEW, "slug": 5},
        {**NEW, "slug": "Có Dấu"},
        {**NEW, "publish_when_ready": "yes"},
        {**NEW, "title": {"vi": {"a": 1}}},
        {**NEW, "title": ["a"]},
        {**NEW, "keywords": {"a": 1}},
        {**NEW, "publisher": ["BKHCN"]},
        {**NEW, "publisher": "KHONGCO"},
        {**NEW, "title": {"fr": "Marchés"}},
        {},
    ],
)
def test_create_with_values_of_the_wrong_kind(library: Any, body: Any) -> None:
    answer = library.client.post(f"{API}/datasets", json=body, headers=library.editor)
    assert answer.status_code in {403, 422}
    library.contract.check(answer)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"null", "application/json", 422),
        (b"\xff\xfe{}", "application/json", 400),
        (b"[" * 500_000, "application/json", 400),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "application/json", 400),
        (b'{"title": NaN}', "application/json", 400),
        (b'{"title": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b'{"title": "a\\u0000b", "publisher": "BKHCN"}', "application/json", 400),
        (b'{"title": "\\ud800", "publisher": "BKHCN"}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"title=a", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
        (b'{"title": "' + b"a" * (1 << 20) + b'"}', "application/json", 413),
    ],
)
def test_bodies_that_are_no_json_object(library: Any, content: bytes, content_type: str, status: int) -> None:
    answer = library.client.post(
        f"{API}/datasets", data=content, content_type=content_type, headers=library.editor
    )
    assert answer.status_code == status
    assert library.contract.check(answer)["detail"]


def test_a_byte_order_mark_is_no_error(client: Any, bearer: dict[str, str]) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(NEW).encode()
    answer = client.post(f"{API}/datasets", data=content, content_type="application/json", headers=bearer)
    assert answer.status_code == 201


def test_change_keeps_what_was_not_sent(
    client: Any, draft: dict[str, Any], bearer: dict[str, str], contract: Any
) -> None:
    address = f"{API}/datasets/{draft['id']}"
    body = {"title": {"en": "Flower markets"}, "theme": None, "keywords": ["tết"]}
    changed = contract.check(client.patch(address, json=body, headers=bearer))
    assert changed["title"] == {"vi": "Chợ hoa xuân", "en": "Flower markets"}
    assert changed["keywords"] == ["tết"]
    assert "theme" not in changed
    assert changed["description"] == draft["description"]
    assert changed["revision"] == 2
    plain = contract.check(client.patch(address, json={"title": "Chợ Tết"}, headers=bearer))
    assert plain["title"] == {"vi": "Chợ Tết", "en": "Flower markets"}
    dropped = contract.check(client.patch(address, json={"title": {"en": None}}, headers=bearer))
    assert dropped["title"] == {"vi": "Chợ Tết"}


def test_saving_over_someone_else_is_refused(
    client: Any, draft: dict[str, Any], bearer: dict[str, str], contract: Any
) -> None:
    address = f"{API}/datasets/{draft['id']}"
    seen = client.get(address, headers=bearer).headers["ETag"]
    first = client.patch(address, json={"theme": "y-te"}, headers={**bearer, "If-Match": seen})
    assert first.status_code == 200
    second = client.patch(address, json={"theme": "giao-duc"}, headers={**bearer, "If-Match": seen})
    assert second.status_code == 412
    assert contract.check(second)["code"] == "precondition-failed"
    assert client.get(address, headers=bearer).json["theme"] == "y-te"
    newer = first.headers["ETag"]
    for good in (f'"x", {newer}', "*"):
        answer = client.patch(address, json={"theme": "giao-duc"}, headers={**bearer, "If-Match": good})
        assert answer.status_code == 200, good
    for bad in ('"nonsense"', "1", '"1"', ";;"):
        answer = client.patch(address, json={"theme": "y-te"}, headers={**bearer, "If-Match": bad})
        assert answer.status_code == 412, bad


def test_publish_withdraw_delete(
    client: Any, draft: dict[str, Any], bearer: dict[str, str], token_of: Any, contract: Any
) -> None:
    address = f"{API}/datasets/{draft['slug']}"
    assert contract.check(client.post(f"{address}/publish", headers=bearer))["state"] == "published"
    assert contract.check(client.post(f"{address}/publish", headers=bearer))["state"] == "published"
    assert client.get(address).status_code == 200
    refused = client.delete(address, headers=bearer)
    assert (refused.status_code, contract.check(refused)["code"]) == (409, "not-a-draft")
    assert client.post(f"{address}/withdraw", headers=bearer).status_code == 403
    admin = token_of("BKHCN", Role.ADMIN)
    assert contract.check(client.post(f"{address}/withdraw", headers=admin))["state"] == "withdrawn"
    assert client.get(address).status_code == 404


def test_delete_a_draft(client: Any, draft: dict[str, Any], bearer: dict[str, str], contract: Any) -> None:
    address = f"{API}/datasets/{draft['slug']}"
    answer = client.delete(address, headers=bearer)
    assert answer.status_code == 204
    contract.check(answer)
    assert client.get(address, headers=bearer).status_code == 404


def test_revisions(client: Any, draft: dict[str, Any], bearer: dict[str, str], contract: Any) -> None:
    address = f"{API}/datasets/{draft['slug']}"
    client.patch(address, json={"theme": "y-te"}, headers=bearer)
    client.post(f"{address}/publish", headers=bearer)
    mine = contract.check(client.get(f"{address}/versions", headers=bearer))
    assert [(r["number"], r["metadata"].get("theme")) for r in mine["items"]] == [(2, "y-te"), (1, "xa-hoi")]
    assert all(r["by"] for r in mine["items"])
    public = contract.check(client.get(f"{address}/versions"))
    assert [(r["number"], r["by"]) for r in public["items"]] == [(2, None)]


# -- who may ------------------------------------------------------------------------------


def test_writing_needs_a_token(client: Any, contract: Any) -> None:
    answer = client.post(f"{API}/datasets", json=NEW)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert contract.check(answer)["code"] == "sign-in-needed"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic YTpi", "Bearer odp_" + "x" * 9000, "ü"])
def test_tokens_that_are_none(library: Any, header: str) -> None:
    headers = {"Authorization": header}
    assert library.client.post(f"{API}/datasets", json=NEW, headers=headers).status_code == 401
    assert library.client.get(f"{API}/datasets/{library.slug}", headers=headers).status_code == 401


def test_a_browser_session_is_not_a_token(client: Any, portal: Services, officer: Any) -> None:
    client.set_cookie("opendata_session", portal.accounts.sign_in(officer.email, officer.password))
    assert client.post(f"{API}/datasets", json=NEW).status_code == 401


def test_another_agency_may_not(client: Any, wards: tuple[str, str], token_of: Any, contract: Any) -> None:
    other = token_of("BYT", Role.ADMIN)
    create = client.post(f"{API}/datasets", json=NEW, headers=other)
    assert create.status_code == 403
    address = f"{API}/datasets/{wards[0]}"
    for answer in (
        client.patch(address, json={"theme": "y-te"}, headers=other),
        client.post(f"{address}/publish", headers=other),
        client.post(f"{address}/withdraw", headers=other),
        client.delete(address, headers=other),
        client.patch(f"{API}/resources/{wards[1]}", json={"title": "a"}, headers=other),
        client.delete(f"{API}/resources/{wards[1]}", headers=other),
    ):
        assert answer.status_code == 403
        assert contract.check(answer)["code"] == "forbidden"


# -- other sites --------------------------------------------------------------------------


def test_other_sites_may_read(client: Any, wards: tuple[str, str]) -> None:
    for path in ("/datasets", f"/datasets/{wards[0]}", "/datasets/khong-co", "/datasets?x=1", "/nope"):
        answer = client.get(API + path, headers={"Origin": "https://example.org"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_preflight(client: Any, wards: tuple[str, str]) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    answer = client.options(f"{API}/resources/{wards[1]}/file", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "Range" in answer.headers["Access-Control-Allow-Headers"]
    assert "Authorization" not in answer.headers["Access-Control-Allow-Headers"]


def test_writes_get_no_leave_for_other_sites(client: Any) -> None:
    answer = client.post(f"{API}/datasets", json=NEW, headers={"Origin": "https://example.org"})
    assert "Access-Control-Allow-Origin" not in answer.headers


# -- refusals in general ------------------------------------------------------------------


def test_addresses_and_methods_that_are_not_there(client: Any) -> None:
    missing = client.get(f"{API}/nope", headers={"Accept-Language": "en"})
    assert (missing.status_code, missing.mimetype) == (404, "application/problem+json")
    wrong = client.put(f"{API}/datasets")
    assert (wrong.status_code, wrong.json["code"]) == (405, "method-not-allowed")
    assert "GET" in wrong.headers["Allow"]


def test_refusals_speak_the_readers_language(client: Any) -> None:
    def detail(accept: str) -> tuple[str, str | None]:
        answer = client.get(f"{API}/datasets/nope", headers={"Accept-Language": accept})
        return answer.json["title"], answer.headers["Content-Language"]

    assert detail("en") == ("Not found", "en")
    assert detail("")[1] == "vi"


def test_refusals_lead_to_their_explanation(client: Any) -> None:
    problem = client.get(f"{API}/datasets?x=1").json
    page = client.get(f"{API}/docs").text
    base, _, anchor = problem["type"].partition("#")
    assert base == f"http://portal.test{API}/docs"
    assert f'id="{anchor}"' in page


# -- why, what else, and what was meant ---------------------------------------------------


def test_only_portal_administrators_are_told_why(
    client: Any, wards: tuple[str, str], bearer: dict[str, str], portal: Services, contract: Any
) -> None:
    address = f"{API}/datasets?q=phuong+xa&explain=1"
    for headers in ({}, bearer):
        refused = client.get(address, headers=headers)
        assert refused.status_code == 403
        assert refused.json["detail"]
    portal.accounts.add_person(
        COMMAND_LINE,
        email="root@example.org",
        name="Root",
        password="một-mật-khẩu-dài",
        is_platform_admin=True,
    )
    secret = portal.accounts.issue_token(COMMAND_LINE, "root@example.org", "tests")
    found = contract.check(client.get(address, headers={"Authorization": f"Bearer {secret}"}))
    parts = found["why"][found["items"][0]["id"]]
    assert any(part["term"] == "phuong" and part["score"] > 0 for part in parts)
    assert client.get(f"{API}/datasets?explain=yes").status_code == 400


def test_what_was_typed_without_the_input_method_is_answered_and_said(
    client: Any, wards: tuple[str, str], contract: Any
) -> None:
    found = contract.check(client.get(f"{API}/datasets?q=phuwowngf+xax"))
    assert found["total"] == 1
    assert found["shown_for"] == "phường xã"
    exact = contract.check(client.get(f"{API}/datasets?q=phuwowngf+xax&exact=true"))
    assert exact["total"] == 0
    assert "shown_for" not in exact
    assert exact["suggestion"] == "phường xã"


def test_fields_in_the_words(client: Any, wards: tuple[str, str]) -> None:
    for words in (
        "theme:dia-phuong",
        'chủ-đề:"địa phương"',
        "chude:dia-phuong phường",
        "format:CSV",
        "title:phuong",
    ):
        found = client.get(f"{API}/datasets", query_string={"q": words}).json
        assert found["total"] == 1, words
    for words in ("theme:y-te", "-theme:dia-phuong", 'cơ-quan:"Bộ Y tế"'):
        assert client.get(f"{API}/datasets", query_string={"q": words}).json["total"] == 0, words


def test_years_in_the_words_narrow_every_form_of_the_list(
    client: Any, wards: tuple[str, str], contract: Any
) -> None:
    slug = wards[0]
    assert slug.endswith("-2025")
    for typed, total in (("năm:2024", 0), ("year:2025", 1), ("phường nam:2020-2030", 1), ("-year:2025", 0)):
        asked = {"q": typed, "exact": "true"}
        assert contract.check(client.get(f"{API}/datasets", query_string=asked))["total"] == total
        for path in ("/vi/datasets", "/vi/datasets.csv", "/vi/datasets.json", "/vi/datasets.atom"):
            answer = client.get(path, query_string=asked)
            assert answer.status_code == 200, path
            assert (slug in answer.text) == bool(total), path


def test_similar_datasets_are_visible_ones(
    client: Any, wards: tuple[str, str], draft: dict[str, Any], bearer: dict[str, str], contract: Any
) -> None:
    found = contract.check(client.get(f"{API}/datasets/{wards[0]}/similar"))
    assert draft["id"] not in [item["id"] for item in found["items"]]
    assert client.get(f"{API}/datasets/{draft['id']}/similar").status_code == 404
    assert client.get(f"{API}/datasets/{draft['id']}/similar", headers=bearer).status_code == 200
    assert client.get(f"{API}/datasets/{wards[0]}/similar?x=1").status_code == 400
