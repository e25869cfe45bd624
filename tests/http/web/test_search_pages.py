"""The search page without scripts: words, filters, chips, order, pages, and what an empty answer offers."""

from __future__ import annotations

import io
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from opendata.accounts.policy import COMMAND_LINE
from opendata.resources.service import Upload


def found_titles(page) -> list[str]:
    return [link for link in page.links if link.startswith("/vi/datasets/") and "/resources/" not in link]


def test_words_without_diacritics_find_and_mark(reader, library, read_page) -> None:
    html = reader.get("/vi/datasets?q=dan+so").text
    assert library.provinces.page in found_titles(read_page(html))
    assert "<mark>Dân số</mark>" in html


def test_the_filters_are_a_form_that_needs_no_script(reader, library, read_page) -> None:
    page = read_page(reader.get("/vi/datasets?q=dan+so&sort=title").text)
    boxes = [box for box in page.all("input") if box.get("type") == "checkbox"]
    assert {box["name"] for box in boxes} >= {"theme", "publisher", "format"}
    hidden = {box["name"]: box["value"] for box in page.all("input") if box.get("type") == "hidden"}
    assert hidden == {"q": "dan so", "sort": "title"}
    assert any(form.get("method") == "get" for form in page.all("form"))


def test_a_filter_narrows_and_its_chip_takes_it_back(reader, library, read_page) -> None:
    address = "/vi/datasets?" + urlencode({"publisher": "BYT"})
    html = reader.get(address).text
    page = read_page(html)
    assert set(found_titles(page)) == {library.document.page}
    chip = page.link_after(html, "Y tế")
    assert chip is not None
    assert "publisher" not in parse_qs(urlsplit(chip).query)
    assert [box for box in page.all("input") if "checked" in box] == [
        {"type": "checkbox", "name": "publisher", "value": "BYT", "checked": None}
    ]


@pytest.mark.parametrize(("sort", "first"), [("title", "bang-rat-rong"), ("newest", "bao-cao-nam")])
def test_results_come_in_the_order_asked_for(reader, library, read_page, sort, first) -> None:
    page = read_page(reader.get(f"/vi/datasets?sort={sort}").text)
    assert found_titles(page)[0] == f"/vi/datasets/{first}"


def test_an_empty_answer_offers_ways_on(reader, library, read_page) -> None:
    html = reader.get("/vi/datasets?q=qwertzuiop+asdfghjkl&theme=y-te").text
    page = read_page(html)
    assert "0 " in page.text
    assert "/vi/datasets?q=qwertzuiop+asdfghjkl" in page.links  # without the filter
    assert "/vi/datasets?q=qwertzuiop&theme=y-te" in page.links  # one word
    assert "/vi/datasets" in page.links


def test_a_misspelt_word_gets_a_suggestion(reader, library, read_page) -> None:
    html = reader.get("/vi/datasets?q=" + "chir+so").text
    assert "Traceback" not in html
    links = [parse_qs(urlsplit(link).query).get("q") for link in read_page(html).links]
    assert any(words and words != ["chir so"] for words in links)


def test_a_page_past_the_end_says_where_the_end_is(reader, library, read_page) -> None:
    answer = reader.get("/vi/datasets?page=7")
    assert answer.status_code == 404
    assert "/vi/datasets" in read_page(answer.text).links


def test_paging_shows_every_dataset_once(portal, runner, client, read_page) -> None:
    wanted = set()
    for number in range(25):
        made = portal.catalogue.create_dataset(COMMAND_LINE, {"title": f"Bộ số {number}", "publisher": "BYT"})
        portal.catalogue.publish_dataset(COMMAND_LINE, made.id)
        wanted.add(f"/vi/datasets/{made.slug}")
    runner.run_waiting()
    seen: list[str] = []
    address: str | None = "/vi/datasets?per_page=10&sort=title"
    while address:
        html = client.get(address).text
        page = read_page(html)
        seen += [link for link in page.links if link in wanted]
        following = [link["href"] for link in page.all("a") if link.get("rel") == "next"]
        address = following[0] if following else None
    assert sorted(seen) == sorted(wanted)


def test_home_counts_what_is_there(portal, runner, client, read_page) -> None:
    made = portal.catalogue.create_dataset(
        COMMAND_LINE,
        {"title": "Giá điện", "publisher": "BCT", "theme": "nang-luong"},
        publish_when_ready=True,
    )
    upload = Upload(io.BytesIO(b"a,b\n1,2\n3,4\n5,6\n"), "gia.csv")
    portal.resources.add_resource(COMMAND_LINE, made.id, upload)
    runner.run_waiting()
    html = client.get("/en/").text
    figures = [part.partition("</dd>")[0] for part in html.split("<dd>")[1:5]]
    assert figures == ["1", "1", "3", "0"]
    assert f"/en/datasets/{made.slug}" in read_page(html).links
    energy = html.partition("theme=nang-luong")[2]
    assert energy.partition('class="count">')[2].partition("<")[0] == "1"


def test_home_stands_while_the_index_is_being_made(app, portal, monkeypatch) -> None:
    from opendata.kernel.errors import UnavailableError

    def unusable(*_args: object, **_options: object) -> None:
        raise UnavailableError

    monkeypatch.setattr("opendata.catalogue.search.CatalogueSearch.search", unusable)
    client = app.test_client()
    assert client.get("/vi/").status_code == 200
    assert client.get("/vi/datasets").status_code == 503
