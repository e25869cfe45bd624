"""The search page without scripts: words, filters, chips, order, pages, and what an empty answer offers."""

from __future__ import annotations

import csv
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
    page = read_page(reader.get("/vi/datasets?q=bao+cao+nam&theme=y-te&publisher=BYT").text)
    assert "/vi/datasets?q=bao+cao+nam&publisher=BYT" in page.links  # without the theme
    assert "/vi/datasets?q=bao+cao+nam" in page.links  # without any filter
    assert "không lọc theo chủ đề (1 bộ dữ liệu)" in page.text
    nothing = read_page(reader.get("/vi/datasets?q=qwertzuiop+asdfghjkl").text)
    assert "0 " in nothing.text
    assert "/vi/datasets?q=qwertzuiop" not in nothing.links  # would find nothing either
    assert "/vi/datasets" in nothing.links


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


def test_spans_of_time_are_fields_of_the_same_form_and_chips(reader, library, read_page) -> None:
    html = reader.get("/vi/datasets?period_from=2019&period_to=2021&modified_from=2020-05").text
    page = read_page(html)
    fields = {box.get("name"): box.get("value") for box in page.all("input")}
    assert fields["period_from"] == "2019"
    assert fields["modified_from"] == "2020-05-01"  # a native date field takes nothing but a day
    assert set(found_titles(page)) == {library.provinces.page}
    chip = page.link_after(html, "Thời gian của dữ liệu: 2019 đến 2021")
    assert chip == "/vi/datasets?modified_from=2020-05"
    assert page.link_after(html, "Bỏ tất cả") == "/vi/datasets"


@pytest.mark.parametrize(
    "query", ["period_from=x", "modified_from=2026-02-30", "series=1", "group=a", "nothing=1"]
)
def test_a_wrong_filter_is_named_on_a_page_and_in_a_list(reader, library, query) -> None:
    page = reader.get(f"/vi/datasets?{query}")
    assert page.status_code == 400
    assert query.partition("=")[0] in page.text
    for ending in ("json", "csv"):
        answer = reader.get(f"/vi/datasets.{ending}?{query}")
        assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
        assert query.partition("=")[0] in answer.json["title"]


def test_the_list_as_csv_holds_everything_found_and_no_formula(portal, runner, client) -> None:
    titles = [
        "=cmd|' /C calc'!A0",
        "@SUM(A1)",
        'Một "hai", ba',
        *(f"Bộ {number:04d}" for number in range(230)),
    ]
    for title in titles:
        made = portal.catalogue.create_dataset(COMMAND_LINE, {"title": title, "publisher": "BYT"})
        portal.catalogue.publish_dataset(COMMAND_LINE, made.id)
    portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Bản nháp", "publisher": "BYT"})
    runner.run_waiting()
    answer = client.get("/vi/datasets.csv?sort=title&per_page=5&page=2&bom=true")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Total-Count"] == str(len(titles))
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == len(titles)
    assert sorted(row["title_vi"].removeprefix("'") for row in rows) == sorted(titles)
    assert not [row for row in rows if row["title_vi"][0] in "=+-@"]
    assert {row["publisher_name"] for row in rows} == {"Bộ Y tế"}
    assert client.get(urlsplit(rows[0]["page"]).path).status_code == 200
    assert client.head("/vi/datasets.csv").data == b""


def test_one_address_answers_as_the_accept_header_wishes(reader, library) -> None:
    def asked(accept: str):
        return reader.get("/vi/datasets?q=dan+so", headers={"Accept": accept})

    for accept, kind in (
        ("application/json", "application/json"),
        ("text/csv", "text/csv"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("*/*", "text/html"),
        ("image/png", "text/html"),
        ("text/csv;q=0.5, application/json", "application/json"),
    ):
        answer = asked(accept)
        assert answer.mimetype == kind
        assert "Accept" in answer.vary
    through_api = reader.get("/api/v1/datasets?q=dan+so", headers={"Accept-Language": "vi"}).json
    assert asked("application/json").json == through_api
    assert reader.get("/vi/datasets.json?q=dan+so").json == through_api
    doors = reader.get("/datasets.csv?q=x", headers={"Accept-Language": "en"})
    assert (doors.status_code, doors.location) == (302, "/en/datasets.csv?q=x")


def test_editions_are_one_row_with_a_link_to_each(portal, runner, client, read_page) -> None:
    for year in range(2001, 2031):
        made = portal.catalogue.create_dataset(
            COMMAND_LINE, {"title": f"Niên giám năm {year}", "publisher": "BYT"}
        )
        portal.catalogue.publish_dataset(COMMAND_LINE, made.id)
    for number in range(25):
        made = portal.catalogue.create_dataset(COMMAND_LINE, {"title": f"Riêng {number}", "publisher": "BYT"})
        portal.catalogue.publish_dataset(COMMAND_LINE, made.id)
    runner.run_waiting()
    html = client.get("/vi/datasets?sort=title").text
    page = read_page(html)
    assert html.count('<article class="result">') == 20
    assert "55 bộ dữ liệu" in page.text
    assert "30 kỳ dữ liệu:" in page.text
    assert page.link_after(html, "2030") == "/vi/datasets/nien-giam-nam-2030"
    every = page.link_after(html, "và 24 kỳ nữa")
    assert every is not None
    assert "30 bộ dữ liệu" in read_page(client.get(every).text).text
    flat = page.link_after(html, "Hiện riêng từng kỳ")
    assert flat is not None
    assert client.get(flat).text.count("/vi/datasets/nien-giam-nam-") == 20
    assert client.get("/vi/datasets?sort=title&page=2").text.count('<article class="result">') == 6
    api = client.get("/api/v1/datasets?group=series&sort=title&facets=").json
    assert (api["total"], api["lines"], len(api["items"])) == (55, 26, 20)
    assert api["items"][0]["editions"]["total"] == 30
    assert api["items"][0]["editions"]["items"][0]["edition"] == {"vi": "2030"}
    assert client.get(f"/api/v1/datasets?series={api['items'][0]['series']}").json["total"] == 30
    plain = client.get("/api/v1/datasets?facets=").json
    assert "lines" not in plain
    assert not [item for item in plain["items"] if "editions" in item]


def test_results_for_a_better_spelling_say_so_and_lead_back(reader, library, read_page) -> None:
    html = reader.get("/vi/datasets?q=dan+soo+tinnh").text
    page = read_page(html)
    shown = reader.get("/api/v1/datasets?q=dan+soo+tinnh").json
    assert shown["shown_for"]
    assert f"Đang hiện kết quả cho {shown['shown_for']}" in page.text
    assert library.provinces.page in found_titles(page)
    assert library.provinces.slug in {item["slug"] for item in shown["items"]}
    back = page.link_after(html, "dan soo tinnh")
    assert back == "/vi/datasets?q=dan+soo+tinnh&exact=true"
    typed = reader.get(back).text
    assert "Đang hiện kết quả cho" not in typed
    taken = page.link_after(html, "Tải danh sách này")
    assert library.provinces.slug in reader.get(taken).text
    exact = reader.get("/api/v1/datasets?q=dan+soo+tinnh&exact=true").json
    assert "shown_for" not in exact
    assert reader.get("/api/v1/datasets?exact=1").status_code == 400


def test_administrators_of_the_portal_read_why_a_result_has_its_place(
    client, portal, runner, sign_in, read_page
) -> None:
    made = portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Dân số theo tỉnh", "publisher": "BYT"})
    portal.catalogue.publish_dataset(COMMAND_LINE, made.id)
    runner.run_waiting()
    address = "/vi/datasets?q=dan+so+tinh"
    assert client.get(f"{address}&explain=1").status_code == 403
    assert "explain" not in client.get(address).text
    portal.accounts.add_person(
        COMMAND_LINE,
        email="root@example.org",
        name="Root",
        password="một-mật-khẩu-dài",
        is_platform_admin=True,
    )
    sign_in(client, "root@example.org", "một-mật-khẩu-dài")
    html = client.get(address).text
    asked = read_page(html).link_after(html, "Xem vì sao")
    assert asked == f"{address}&explain=1"
    page = read_page(client.get(asked).text)
    (rows,) = page.tables
    by_word = {
        (row[0], row[1]): float(row[2].replace(",", ".")) for row in filter(None, rows) if len(row) > 2
    }
    assert by_word["dan so", "tiêu đề"] > 0
    told = portal.accounts.issue_token(COMMAND_LINE, "root@example.org", "tests")
    why = client.get(
        "/api/v1/datasets?q=dan+so+tinh&explain=1", headers={"Authorization": f"Bearer {told}"}
    ).json["why"][made.id]
    points = sum(part["score"] for part in why)
    assert f"Vì sao ở vị trí này: {points:.1f} điểm".replace(".", ",") in page.text
    assert client.get("/vi/datasets?q=dan+so&explain=yes").status_code == 400
