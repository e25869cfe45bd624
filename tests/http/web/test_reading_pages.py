"""Pages that only read: complete in both languages, small, honest about what is not there, safe to open."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

import opendata.web

STATIC = Path(opendata.web.__file__).parent / "static"
LARGEST_PAGE = 100_000
LISTS = (".csv", ".atom")
VOID = "Traceback (most recent call last)"


def assets_of(page) -> set[str]:
    sheets = {link["href"] for link in page.all("link") if link.get("rel") == "stylesheet"}
    return {address for address in sheets | {s["src"] for s in page.all("script") if "src" in s} if address}


def test_every_page_within_reach_answers_in_both_languages(reader, library, read_page) -> None:
    """Follows every link of the portal, as a crawler does: none leads nowhere, no page weighs too much."""
    waiting, seen, weights = ["/vi/", "/en/"], set(), {}
    while waiting:
        address = waiting.pop()
        answer = reader.get(address)
        assert answer.status_code in {200, 302}, f"{address}: {answer.status_code}"
        if answer.status_code == 302:
            assert "/sign-in?next=" in answer.headers["Location"]
            continue
        assert VOID not in answer.text
        if answer.mimetype != "text/html":
            assert urlsplit(address).path.endswith(LISTS), address
            continue
        page = read_page(answer.text)
        assert page.all("html")[0]["lang"] == address.split("/")[1]
        assert len(page.all("h1")) == 1, address
        loaded = sum(
            (STATIC / urlsplit(name).path.removeprefix("/assets/")).stat().st_size for name in assets_of(page)
        )
        weights[address] = len(answer.data) + loaded
        for link in page.links:
            path = urlsplit(link).path
            if re.match(r"/(vi|en)(/|$)", path) and (place := shape(link)) not in seen:
                seen.add(place)
                waiting.append(link.partition("#")[0])
    assert len(weights) > 60
    assert {address: weight for address, weight in weights.items() if weight > LARGEST_PAGE} == {}


def shape(link: str) -> str:
    """One of each kind of address: the same path with the same parameter names, rows without their number."""
    parts = urlsplit(link)
    names = sorted({name for name, _ in parse_qsl(parts.query)})
    return re.sub(r"/rows/\d+", "/rows/n", parts.path) + "?" + ",".join(names)


def test_no_page_asks_for_anything_outside(reader, library, read_page) -> None:
    for address in ("/vi/", "/vi/datasets", library.provinces.page, library.provinces.file()):
        page = read_page(reader.get(address).text)
        for tag, attributes in page.elements:
            loaded = [attributes.get("src"), attributes.get("srcset")]
            if tag == "link" and attributes.get("rel") not in {"alternate", "canonical"}:
                loaded.append(attributes.get("href"))
            for source in filter(None, loaded):
                assert source.startswith("/"), f"{address} loads {source}"
            assert "style" not in attributes, f"{address}: the policy forbids inline styles"
            assert not any(name.startswith("on") for name in attributes)


def test_static_files_are_kept_for_a_year_only_under_their_hash(reader, read_page) -> None:
    address = min(assets_of(read_page(reader.get("/vi/").text)))
    assert "immutable" in reader.get(address).headers["Cache-Control"]
    assert "immutable" not in reader.get(address.partition("?")[0] + "?v=0").headers["Cache-Control"]
    assert reader.get("/assets/../access.py").status_code == 404
    assert reader.get("/assets/nope.css").status_code == 404


@pytest.mark.parametrize(
    ("accept", "expected"), [("en-GB,en;q=0.9,vi;q=0.5", "/en"), ("vi", "/vi"), ("fr", "/vi"), ("", "/vi")]
)
@pytest.mark.parametrize("path", ["/", "/datasets", "/datasets/a-slug?x=1", "/publish", "/sign-in"])
def test_an_address_without_a_language_leads_to_the_readers_own(reader, path, accept, expected) -> None:
    answer = reader.get(path, headers={"Accept-Language": accept})
    assert answer.status_code == 302
    assert answer.headers["Location"] == expected + path
    assert "Accept-Language" in answer.headers["Vary"]


def test_the_language_switch_keeps_the_address(reader, library, read_page) -> None:
    query = urlencode({"q": "dân số", "theme": "dia-phuong"})
    page = read_page(reader.get(f"/vi/datasets?{query}").text)
    assert f"/en/datasets?{query}" in page.links
    page = read_page(reader.get(library.provinces.page.replace("/vi/", "/en/")).text)
    assert library.provinces.page in page.links


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/datasets?page=-1", 400),
        ("/datasets?page=0", 400),
        ("/datasets?page=99999999999", 400),
        ("/datasets?page=999", 404),
        ("/datasets?sort=zzz", 400),
        ("/datasets?nope=1", 400),
        ("/datasets?per_page=abc", 400),
        ("/datasets/khong-co", 404),
        ("/datasets/khong-co/resources/khong-co", 404),
        ("/datasets/%00", 404),
        ("/nope", 404),
        ("/account/tokens", 405),
    ],
)
def test_what_cannot_be_answered_gets_a_clear_page(reader, read_page, lang, path, status) -> None:
    answer = reader.get(f"/{lang}{path}")
    page = read_page(answer.text)
    assert answer.status_code == status
    assert page.all("html")[0]["lang"] == lang
    assert VOID not in answer.text
    assert f"/{lang}/datasets" in page.links
    assert len(page.text) > 80


def test_hostile_words_stay_words(reader, library, read_page) -> None:
    for address in (
        library.hostile.page,
        library.hostile.file(),
        f"{library.hostile.file()}/rows/1",
        "/vi/datasets",
    ):
        answer = reader.get(address)
        page = read_page(answer.text)
        scripts = [s for s in page.all("script") if "src" not in s]
        assert [s.get("type") for s in scripts] in ([], ["application/ld+json"])
        assert "<script>alert" not in answer.text
        assert not [a for a in page.all("img") if "onerror" in a]
        assert "alert(1)" in page.text


def test_the_json_ld_describes_the_dataset(reader, library) -> None:
    html = reader.get(library.hostile.page).text
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    described = json.loads(found)
    assert described["@type"] == "Dataset"
    assert described["name"].startswith("Giá </script><script>alert(1)</script> &")
    assert "<" not in found
    html = reader.get(library.provinces.page).text
    described = json.loads(re.findall(r'ld\+json">(.*?)</script>', html, re.DOTALL)[0])
    assert described["temporalCoverage"] == "2020-01-01/.."
    assert described["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert described["publisher"]["name"] == "Bộ Khoa học và Công nghệ"
    assert {part["name"] for part in described["variableMeasured"]} == {
        "ma",
        "ten",
        "vung",
        "dan_so",
        "thanh_lap",
        "ghi_chu",
    }
    for part in described["distribution"]:
        assert reader.get(part["contentUrl"].removeprefix("http://portal.test")).status_code == 200


def test_the_dataset_page_keeps_the_order_readers_need(reader, library) -> None:
    html = reader.get(library.provinces.page).text
    places = [
        html.index(mark)
        for mark in (
            "<h1>",
            'id="files"',
            'id="facts"',
            'id="about"',
            'id="columns"',
            'id="cite"',
            'id="use"',
            'id="history"',
        )
    ]
    assert places == sorted(places)
    assert "<strong>theo tỉnh</strong>" in html
    assert "mailto:dulieu@example.org" in html


def test_a_draft_is_not_there_for_readers(reader, library) -> None:
    from opendata.accounts.policy import COMMAND_LINE

    draft = library.services.catalogue.create_dataset(
        COMMAND_LINE, {"title": "Chưa công bố", "publisher": "BYT"}
    )
    assert reader.get(f"/vi/datasets/{draft.slug}").status_code == 404


def test_pages_of_faults_say_nothing_of_the_inside(library, monkeypatch) -> None:
    from opendata.app import create_app

    def broken(*_args: object) -> None:
        raise RuntimeError("secret inside")

    app = create_app(library.services.settings, library.services)
    monkeypatch.setattr("opendata.web.home._search", broken)
    answer = app.test_client().get("/vi/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert '<html lang="vi">' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
