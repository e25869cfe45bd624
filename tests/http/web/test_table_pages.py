"""The page of a file: its rows and their order are those of the file, whatever the table looks like."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest


def walk(reader, read_page, address: str) -> list[list[str]]:
    """All rows of a table, by following “next”."""
    rows: list[list[str]] = []
    following: str | None = address
    while following:
        page = read_page(reader.get(following).text)
        rows += page.rows()
        links = [link["href"] for link in page.all("a") if link.get("rel") == "next"]
        following = links[0] if links else None
    return rows


def test_paging_by_links_shows_every_row_once(reader, library, read_page) -> None:
    rows = walk(reader, read_page, library.provinces.file())
    assert [row[0] for row in rows] == [row[0] for row in library.provinces.rows]
    assert len(rows) == 123


def test_going_back_leads_to_the_first_page(reader, library, read_page) -> None:
    first = read_page(reader.get(library.provinces.file()).text)
    (following,) = [link["href"] for link in first.all("a") if link.get("rel") == "next"]
    second = read_page(reader.get(following).text)
    (back,) = [link["href"] for link in second.all("a") if link.get("rel") == "prev"]
    assert read_page(reader.get(back).text).rows() == first.rows()


def test_numbers_dates_and_gaps_are_written_for_the_reader(reader, library, read_page) -> None:
    vi = read_page(reader.get(library.provinces.file()).text).rows()[0]
    en = read_page(reader.get(library.provinces.file().replace("/vi/", "/en/")).text).rows()[0]
    assert vi[:5] == ["001", "Tỉnh số 1", "Bắc", "1.007", "02/02/2024"]
    assert en[:5] == ["001", "Tỉnh số 1", "Bắc", "1,007", "2 Feb 2024"]
    html = reader.get(library.provinces.file()).text
    assert html.count('class="null"') == sum(1 for row in library.provinces.rows[:40] if not row[5])


def test_years_are_not_grouped_and_no_digit_is_lost(reader, library, read_page) -> None:
    rows = read_page(reader.get(library.measures.file()).text).rows()
    assert [row[0] for row in rows] == ["2018", "2020", "2022", "2024"]
    assert [row[1] for row in rows][:3] == ["−0,5931", "0,6667", "12,5"]


def test_heads_sort_up_then_down_then_not_at_all(reader, library, read_page) -> None:
    address = library.provinces.file()
    orders = []
    for _ in range(4):
        html = reader.get(address).text
        orders.append([row[3] for row in read_page(html).rows()][:3])
        found = read_page(html).link_after(html, "dan_so")
        assert found is not None
        address = found.partition("#")[0]
    natural = ["1.007", "2.007", "3.007"]
    assert orders == [natural, natural, ["123.007", "122.007", "121.007"], natural]
    assert 'aria-sort="descending"' in reader.get(f"{library.provinces.file()}?sort=-dan_so").text


def test_the_filter_form_leads_to_an_address_that_states_the_filter(reader, library, read_page) -> None:
    file = library.provinces.file()
    asked = {"to": "sort=-ma", "column": "dan_so", "operator": "ge", "value": "120000", "q": "bac"}
    answer = reader.get(f"{file}/filter", query_string=asked)
    assert answer.status_code == 302
    rows = walk(reader, read_page, answer.headers["Location"].partition("#")[0])
    wanted = [row[0] for row in reversed(library.provinces.rows) if int(row[3]) >= 120000 and row[2] == "Bắc"]
    assert [row[0] for row in rows] == wanted
    assert wanted


def test_each_filter_can_be_taken_away_by_itself(reader, library, read_page) -> None:
    address = f"{library.provinces.file()}?dan_so__ge=120000&vung={quote('Bắc')}"
    html = reader.get(address).text
    less = read_page(html).link_after(html, "Bắc")
    assert less is not None
    rows = walk(reader, read_page, less.partition("#")[0])
    assert [row[0] for row in rows] == [row[0] for row in library.provinces.rows if int(row[3]) >= 120000]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("khong_co=1", 400),
        ("dan_so__ge=nhieu", 400),
        ("vung__zz=1", 400),
        ("cursor=zzz", 400),
        ("sort=khong_co", 400),
        ("table=khong_co", 404),
        ("q=a&q=b&sort=ma&sort=ten", 400),
    ],
)
def test_a_filter_that_cannot_be_used_is_explained_in_place(
    reader, library, read_page, query, status
) -> None:
    answer = reader.get(f"{library.provinces.file()}?{query}")
    page = read_page(answer.text)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    if status == 400:
        assert any(part.get("role") == "alert" for part in page.all("div"))
        assert library.provinces.file() in page.links


def test_a_filter_that_nothing_fits_says_so(reader, library, read_page) -> None:
    html = reader.get(f"{library.provinces.file()}?ma=zzz".replace("/vi/", "/en/")).text
    page = read_page(html)
    assert "No row fits these filters" in page.text
    assert (
        page.link_after(html, "Remove all filters")
        == library.provinces.file().replace("/vi/", "/en/") + "#table"
    )


def test_a_wide_table_shows_all_its_columns_in_parts(reader, library, read_page) -> None:
    address: str | None = library.wide.file().replace("/vi/", "/en/")
    names: list[str] = []
    last_cells: list[str] = []
    while address:
        html = reader.get(address).text
        names += re.findall(r'class="column-head"[^>]*><span>([^<]+)</span>', html)
        last_cells = read_page(html).rows()[0]
        found = read_page(html).link_after(html, "Columns after")
        address = found.partition("#")[0] if found else None
    assert names == [f"cot_{number}" for number in range(1, 201)]
    assert last_cells[-1] == "200"


def test_long_texts_are_never_cut_without_a_way_to_the_whole(reader, library, read_page) -> None:
    html = reader.get(library.hostile.file()).text
    assert '<details class="long">' in html
    assert f"{library.hostile.file()}/rows/1" in read_page(html).links
    row = read_page(reader.get(f"{library.hostile.file()}/rows/1").text)
    assert "Ngày xửa ngày xưa. " * 399 in " ".join(row.words)


def test_rows_have_addresses_and_end_where_the_table_ends(reader, library, read_page) -> None:
    file = library.provinces.file()
    page = read_page(reader.get(f"{file}/rows/123").text)
    assert "Tỉnh số 123" in page.text
    assert f"{file}/rows/122" in page.links
    assert f"{file}/rows/124" not in page.links
    for number in ("0", "124", "99999999999999999999", "-1", "x"):
        assert reader.get(f"{file}/rows/{number}").status_code == 404


def test_pictures_say_what_they_show(reader, library) -> None:
    html = reader.get(library.provinces.file()).text
    figures = html.count('<svg class="chart"')
    titles = re.findall(r'<svg class="chart"[^>]*role="img"><title>([^<]+)</title>', html)
    assert figures == len(titles) == 2  # dan_so and thanh_lap
    assert "1.007" in titles[0]
    shares = re.findall(r'title="(Bắc|Nam)">[^<]*</span><span>(\d+)%', html)
    in_north = sum(1 for row in library.provinces.rows if row[2] == "Bắc")
    total = len(library.provinces.rows)
    assert dict(shares) == {
        "Bắc": str(round(100 * in_north / total)),
        "Nam": str(round(100 * (total - in_north) / total)),
    }


def test_the_dictionary_counts_what_the_file_holds(reader, library, read_page) -> None:
    page = read_page(reader.get(library.provinces.file()).text)
    dictionary = {row[0].strip(): [cell.strip() for cell in row] for row in page.tables[1] if row}
    gaps = sum(1 for row in library.provinces.rows if not row[5])
    regions = len({row[2] for row in library.provinces.rows})
    assert str(gaps) in dictionary["ghi_chu"]
    assert str(regions) in dictionary["vung"]
    assert "1.007 – 123.007" in dictionary["dan_so"]


def test_every_download_on_the_page_answers(reader, library, read_page) -> None:
    page = read_page(reader.get(library.provinces.file()).text)
    downloads = [link["href"] for link in page.all("a") if "download" in link]
    assert len(downloads) >= 7
    for address in downloads:
        answer = reader.get(address.removeprefix("http://portal.test"))
        assert answer.status_code == 200, address
        assert answer.data
    kinds = {re.sub(r".*\.|\?.*", "", address) for address in downloads if "export" in address}
    assert kinds == {"csv", "parquet", "arrow", "json", "jsonl"}


def test_the_api_address_on_the_page_gives_the_rows_in_sight(reader, library, read_page) -> None:
    html = reader.get(f"{library.provinces.file()}?dan_so__ge=120000&sort=-ma").text
    address = re.search(r"<code>(http://portal\.test/api/v1/resources/[^<]+/rows[^<]*)</code>", html)
    assert address is not None
    answer = reader.get(address[1].replace("&amp;", "&").removeprefix("http://portal.test"))
    shown = [row[0] for row in read_page(html).rows()]
    assert [row[0] for row in answer.json["rows"]] == shown


def test_a_file_without_a_table_says_why(reader, library, read_page) -> None:
    page = read_page(reader.get(library.document.file(0)).text)
    assert "PDF" in page.text
    assert not page.tables
    assert any("download" in link for link in page.all("a"))
    assert reader.get(f"{library.document.file(0)}/rows/1").status_code == 404


def test_a_file_of_another_dataset_is_found_at_its_own_address(reader, library) -> None:
    wrong = f"{library.wide.page}/resources/{library.provinces.files[0]}"
    answer = reader.get(wrong)
    assert answer.status_code == 302
    assert answer.headers["Location"] == library.provinces.file()


def test_paging_stays_with_its_version_and_says_so(portal, runner, client, publish_csv, read_page) -> None:
    import io

    from opendata.accounts.policy import COMMAND_LINE
    from opendata.resources.service import Upload

    slug, resource_id = publish_csv(portal, "Nhiều dòng", "ma\n" + "\n".join(f"c{n:03d}" for n in range(100)))
    file = f"/en/datasets/{slug}/resources/{resource_id}"
    first = read_page(client.get(file).text)
    (following,) = [link["href"] for link in first.all("a") if link.get("rel") == "next"]
    new = Upload(io.BytesIO(b"ma\nkhac\n"), "moi.csv")
    portal.resources.replace_file(COMMAND_LINE, resource_id, new)
    runner.run_waiting()
    assert read_page(client.get(file).text).rows() == [["khac"]]
    older = client.get(following)
    assert read_page(older.text).rows()[0] == ["c040"]
    assert read_page(older.text).link_after(older.text, "Go to the present one") == file
    html = client.get(file).text
    assert html.count("/file?version=") == 2
