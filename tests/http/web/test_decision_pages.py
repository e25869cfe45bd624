"""Pages on which a publisher decides: how a file is read, faulty rows, personal data; and what changed."""

from __future__ import annotations

import io
import json
import re
from typing import Any

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.resources.service import Upload

FAULTY = b"ma,so\n01,5\n02,x\n03,7\n"
SCHEMA = {"fields": [{"name": "ma", "type": "string"}, {"name": "so", "type": "integer"}]}
PEOPLE = (
    "họ và tên,số căn cước\n" + "".join(f"Lê Thị {chr(65 + n)},0011900{n:05d}\n" for n in range(12))
).encode()


def published(portal: Any, runner: Any, content: bytes, **more: Any) -> tuple[str, str]:
    """A dataset with one file, worked on; its slug and the file's id."""
    made = portal.catalogue.create_dataset(
        COMMAND_LINE, {"title": "Bảng", "publisher": "BKHCN"}, publish_when_ready=True
    )
    received = portal.resources.add_resource(
        COMMAND_LINE, made.id, Upload(io.BytesIO(content), "x.csv", **more)
    )
    runner.run_waiting()
    return made.slug, received.resource_id


def token_of(page: Any) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def state(portal: Any, resource_id: str) -> str:
    return portal.resource_queries.resource(COMMAND_LINE, resource_id).latest.state


def test_faulty_rows_are_set_aside_from_the_page_and_can_be_downloaded(desk, portal, runner) -> None:
    client, _ = desk
    slug, file_id = published(portal, runner, FAULTY, table_schema=SCHEMA)
    page = client.get(f"/en/publish/{slug}/files/{file_id}")
    assert "Set the faulty rows aside" in page.text
    sent = client.post(
        f"/en/publish/{slug}/files/{file_id}/rows",
        data={"form_token": token_of(page), "faulty_rows": "set-aside"},
    )
    assert sent.status_code == 303
    runner.run_waiting()
    done = client.get(sent.headers["Location"])
    assert "Rows that break the rules were left out of the table: 1." in done.text
    assert f"/api/v1/resources/{file_id}/quarantine.csv?version=2" in done.text
    visitor = client.application.test_client()
    assert "Rows set aside, with reasons" in visitor.get(f"/en/datasets/{slug}/resources/{file_id}").text
    listed = visitor.get(f"/api/v1/resources/{file_id}/quarantine.csv")
    assert listed.status_code == 200
    assert listed.data.decode("utf-8-sig").splitlines()[1].startswith("3,so,x,")


def test_a_wrong_choice_about_rows_is_a_sentence_and_changes_nothing(desk, portal, runner) -> None:
    client, token = desk
    slug, file_id = published(portal, runner, FAULTY, table_schema=SCHEMA)
    refused = client.post(
        f"/en/publish/{slug}/files/{file_id}/rows", data={"form_token": token, "faulty_rows": "burn"}
    )
    assert refused.status_code == 422
    assert state(portal, file_id) == "failed"


def test_an_ambiguous_column_is_asked_about_with_the_likeliest_reading_chosen(desk, portal, runner) -> None:
    client, _ = desk
    slug, file_id = published(portal, runner, b"ma,ngay\n01,01/07/2025\n02,02/07/2025\n")
    assert "1 column can be read in two ways." in client.get(f"/en/publish/{slug}/files/{file_id}").text
    page = client.get(f"/en/publish/{slug}/files/{file_id}/reading")
    day_first = json.dumps({"format": "%d/%m/%Y", "type": "date"})
    chosen = re.findall(r'<option value="([^"]+)" selected>', page.text)
    assert [value.replace("&#34;", '"') for value in chosen if value] == [day_first]
    sent = client.post(
        f"/en/publish/{slug}/files/{file_id}/reading",
        data={"form_token": token_of(page), "table.0.column.1": day_first},
    )
    assert sent.status_code == 303
    runner.run_waiting()
    (table,) = portal.resource_queries.resource(COMMAND_LINE, file_id).tables
    assert [column["type"] for column in table.columns] == ["string", "date"]
    assert "can be read in two ways" not in client.get(f"/en/publish/{slug}/files/{file_id}").text


def test_header_rows_and_encoding_are_corrected_from_the_page(desk, portal, runner) -> None:
    client, _ = desk
    slug, file_id = published(portal, runner, b"a,b\nx,y\n1,2\n3,4\n")
    page = client.get(f"/vi/publish/{slug}/files/{file_id}/reading")
    form = {"form_token": token_of(page), "table.0.header_rows": "2", "encoding": "utf-8", "delimiter": ","}
    assert client.post(f"/vi/publish/{slug}/files/{file_id}/reading", data=form).status_code == 303
    runner.run_waiting()
    view = portal.resource_queries.resource(COMMAND_LINE, file_id)
    assert [column["name"] for column in view.tables[0].columns] == ["x", "y"]
    again = client.get(f"/vi/publish/{slug}/files/{file_id}/reading")
    assert 'value="2"' in again.text


def test_a_row_number_that_is_none_comes_back_with_what_was_typed(desk, portal, runner) -> None:
    client, token = desk
    slug, file_id = published(portal, runner, b"a,b\n1,2\n")
    data = {"form_token": token, "table.0.header_rows": "hai", "table.0.column.0": '{"type": "string"}'}
    refused = client.post(f"/en/publish/{slug}/files/{file_id}/reading", data=data)
    assert refused.status_code == 422
    assert "“hai” is no row number" in refused.text
    assert 'value="hai"' in refused.text
    assert portal.resource_queries.resource(COMMAND_LINE, file_id).latest.number == 1


def test_hostile_values_of_the_form_are_refused(desk, portal, runner) -> None:
    client, token = desk
    slug, file_id = published(portal, runner, b"a,b\n1,2\n")
    for value in ("[1]", '{"type": "string", "path": "/etc"}', "{}x", "null"):
        data = {"form_token": token, "table.0.column.0": value}
        answer = client.post(f"/en/publish/{slug}/files/{file_id}/reading", data=data)
        assert answer.status_code in {303, 422}, value
        if answer.status_code == 303:
            runner.run_waiting()
    assert state(portal, file_id) == "published"


def test_personal_data_waits_for_the_one_with_the_right(desk, portal, runner, officer) -> None:
    client, _ = desk
    slug, file_id = published(portal, runner, PEOPLE)
    page = client.get(f"/en/publish/{slug}/files/{file_id}")
    assert "Personal data was found" in page.text
    assert "data-settled" in page.text
    assert "It may be public: publish it" not in page.text
    assert "001190000000" not in page.text
    data = {"form_token": token_of(page), "decision": "release"}
    assert client.post(f"/en/publish/{slug}/files/{file_id}/decision", data=data).status_code == 403
    portal.accounts.set_role(COMMAND_LINE, officer.email, "BKHCN", Role.ADMIN)
    assert "It may be public: publish it" in client.get(f"/en/publish/{slug}/files/{file_id}").text
    assert client.post(f"/en/publish/{slug}/files/{file_id}/decision", data=data).status_code == 303
    assert state(portal, file_id) == "published"
    assert client.post(f"/en/publish/{slug}/files/{file_id}/decision", data=data).status_code == 409


def test_what_changed_is_shown_with_counts_rows_and_a_download(desk, portal, runner) -> None:
    client, _ = desk
    slug, file_id = published(portal, runner, b"ma,ten\n01,A\n02,B\n")
    upload = Upload(io.BytesIO(b"ma,ten\n01,<b>\n03,C\n"), "x.csv")
    portal.resources.replace_file(COMMAND_LINE, file_id, upload)
    runner.run_waiting()
    visitor = client.application.test_client()
    assert "changes?version=2" in visitor.get(f"/en/datasets/{slug}/resources/{file_id}").text
    page = visitor.get(f"/en/datasets/{slug}/resources/{file_id}/changes?version=2")
    assert page.status_code == 200
    assert "Rows are told apart by: ma." in page.text
    assert "<mark>&lt;b&gt;</mark>" in page.text
    answer = visitor.get(f"/api/v1/resources/{file_id}/changes").json
    assert answer["differences"]["added"] == answer["differences"]["removed"] == 1
    lines = visitor.get(answer["rows_url"].partition("portal.test")[2]).text.splitlines()
    assert lines[0] == "_change,ma,ten"
    assert len(lines) == 5
    for wrong in ("1", "9", "x", "", "-1"):
        assert (
            visitor.get(f"/en/datasets/{slug}/resources/{file_id}/changes?version={wrong}").status_code == 404
        )


def test_the_shelf_says_why_a_file_waits_and_where_to_decide(desk, portal, runner) -> None:
    client, _ = desk
    bad, bad_file = published(portal, runner, FAULTY, table_schema=SCHEMA)
    people, people_file = published(portal, runner, PEOPLE)
    dates, dates_file = published(portal, runner, b"ma,ngay\n01,01/07/2025\n02,02/07/2025\n")
    fine, _ = published(portal, runner, b"a,b\n1,2\n")
    shelf = client.get("/en/publish").text
    assert re.search(r"Rows with errors</span>.*?x\.csv", shelf)
    assert f'href="/en/publish/{bad}/files/{bad_file}"' in shelf
    assert "Personal data: 2 findings" in shelf or "Personal data: 1 finding<" in shelf
    assert f'href="/en/publish/{people}/files/{people_file}"' in shelf
    assert "1 ambiguous column<" in shelf
    assert f'href="/en/publish/{dates}/files/{dates_file}/reading"' in shelf
    assert f"/publish/{fine}/files/" not in shelf


def test_the_page_of_a_dataset_labels_what_its_columns_mean(desk, portal, runner) -> None:
    client, _ = desk
    slug, _ = published(portal, runner, "Mã tỉnh,Giá trị\n01,5\n04,6\n08,7\n".encode())
    for language, title in (("vi", "Mã tỉnh"), ("en", "Province code")):
        page = client.get(f"/{language}/datasets/{slug}").text
        assert re.search(rf'<a class="label sense"[^>]*>.*?{title}[^<]*</a>', page), title


def test_a_wrong_correction_leads_back_to_the_form_and_to_text(desk, portal, runner) -> None:
    client, token = desk
    slug, file_id = published(portal, runner, b"ma,ten\n01,Ha\n02,Hoa\n")
    page = f"/en/publish/{slug}/files/{file_id}"
    wrong = {"form_token": token, "table.0.column.1": '{"type": "integer"}'}
    client.post(f"{page}/reading", data=wrong)
    runner.run_waiting()
    assert f'href="{page}/reading"' in client.get(page).text
    client.post(f"{page}/rows", data={"form_token": token, "faulty_rows": "set-aside"})
    runner.run_waiting()
    told = client.get(page).text
    assert "No row would be left" in told
    assert 'value="set-aside"' not in told
    assert 'value="as-text"' in told
    client.post(f"{page}/rows", data={"form_token": token, "faulty_rows": "as-text"})
    runner.run_waiting()
    assert state(portal, file_id) == "published"


def test_many_errors_of_one_kind_are_one_card_that_names_every_place(desk, portal, runner) -> None:
    client, _ = desk
    content = b"ma,so\n" + b"".join(f"{n},x{n}\n".encode() for n in range(12))
    slug, file_id = published(portal, runner, content, table_schema=SCHEMA)
    told = client.get(f"/en/publish/{slug}/files/{file_id}").text
    assert told.count('#cell-not-integer"') == 1
    assert "7 more places" in told
    assert all(f"“x{n}”" in told for n in range(12))
    bench = client.get(f"/en/publish/{slug}").text
    assert "Rows with errors" in bench
