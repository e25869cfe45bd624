"""An officer's way through the forms: nothing typed is lost, everything refused is explained where it stands."""

from __future__ import annotations

import io
import re

import pytest

from opendata.accounts.policy import Role

CSV = "ma,ten\n01,Hà Nội\n04,Cao Bằng\n"


def file_of(text: str, name: str = "tinh.csv") -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), name


def new_draft(client, token, **fields) -> str:
    data = {"form_token": token, "title.vi": "Danh sách tỉnh", "publisher": "BKHCN", **fields}
    answer = client.post("/vi/publish/new", data=data)
    assert answer.status_code == 303, answer.text
    return re.sub(r".*/publish/|\?.*", "", answer.headers["Location"])


def test_one_form_takes_description_and_file_to_a_public_table(desk, portal, runner, read_page) -> None:
    client, token = desk
    data = {
        "form_token": token,
        "title.vi": "Danh sách tỉnh",
        "title.en": "List of provinces",
        "description.vi": "Hai tỉnh.",
        "keywords": "tỉnh, mã",
        "publisher": "BKHCN",
        "theme": "dia-phuong",
        "publish_when_ready": "yes",
        "file": file_of(CSV),
    }
    answer = client.post("/vi/publish/new", data=data)
    assert answer.status_code == 303
    waiting = client.get(answer.headers["Location"])
    assert "data-progress" in waiting.text
    assert "data-settled" not in waiting.text
    assert '<noscript><meta http-equiv="refresh"' in waiting.text
    runner.run_waiting()
    done = client.get(answer.headers["Location"])
    assert "data-settled" in done.text
    public = portal.catalogue_queries.dataset(officer_of_nobody(), "danh-sach-tinh")
    assert public.fields["keywords"] == ["tỉnh", "mã"]
    (file,) = portal.resource_queries.resources_of(officer_of_nobody(), public.id)
    rows = read_page(client.get(f"/vi/datasets/danh-sach-tinh/resources/{file.id}").text).rows()
    assert rows == [["01", "Hà Nội"], ["04", "Cao Bằng"]]


def officer_of_nobody():
    from opendata.accounts.policy import VISITOR

    return VISITOR


def test_a_draft_needs_no_file(desk, portal) -> None:
    client, token = desk
    slug = new_draft(client, token)
    page = client.get(f"/vi/publish/{slug}?done=created")
    assert page.status_code == 200
    assert client.get("/vi/publish").text.count(f"/vi/publish/{slug}") == 1
    client.post(f"/vi/publish/{slug}/publish", data={"form_token": token})
    assert client.get(f"/vi/datasets/{slug}").status_code == 200


@pytest.mark.parametrize("with_file", [False, True])
def test_a_refused_form_comes_back_with_everything_typed(desk, portal, read_page, with_file) -> None:
    client, token = desk
    typed = {
        "title.vi": "",
        "title.en": 'English "title" <b>',
        "description.vi": "Dòng một\nDòng hai </textarea><script>",
        "keywords": "một, hai",
        "theme": "y-te",
        "publisher": "BKHCN",
        "contact_email": "không phải thư",
        "period_start": "2024-05-01",
        "period_end": "2024-01-01",
    }
    data = {"form_token": token, "title.vi": "x" * 301, **{k: v for k, v in typed.items() if k != "title.vi"}}
    if with_file:
        data["file"] = file_of(CSV)
    answer = client.post("/vi/publish/new", data=data)
    page = read_page(answer.text)
    assert answer.status_code == 422
    boxes = {box.get("name"): box.get("value") for box in page.all("input")}
    assert boxes["title.vi"] == "x" * 301
    assert boxes["title.en"] == typed["title.en"]
    assert boxes["keywords"] == "một, hai"
    assert boxes["contact_email"] == typed["contact_email"]
    assert boxes["period_end"] == "2024-01-01"
    assert "Dòng một\nDòng hai &lt;/textarea&gt;&lt;script&gt;</textarea>" in answer.text
    assert [o["value"] for o in page.all("option") if "selected" in o] == ["BKHCN", "y-te"]
    # The summary leads to each wrong field, and the field is described by its own error.
    assert {"#title.vi", "#contact_email", "#period_end"} <= set(page.links)
    by_id = {attributes.get("id"): attributes for _, attributes in page.elements if attributes.get("id")}
    assert by_id["title.vi"]["aria-invalid"] == "true"
    assert set((by_id["title.vi"]["aria-describedby"] or "").split()) <= set(by_id)
    assert portal.catalogue_queries.datasets_of(officer_actor(portal), frozenset({"BKHCN"})) == ()
    assert list(portal.store.digests()) == []


def test_a_form_without_its_file_comes_back_with_everything_typed(desk, portal, read_page) -> None:
    client, token = desk
    data = {
        "form_token": token,
        "title.vi": "Danh sách <tỉnh>",
        "publisher": "BKHCN",
        "theme": "y-te",
        "contact_email": "không phải thư",
        "file": (io.BytesIO(b""), ""),
    }
    answer = client.post("/en/publish/new", data=data)
    page = read_page(answer.text)
    assert answer.status_code == 422
    boxes = {box.get("name"): box for box in page.all("input")}
    assert boxes["title.vi"]["value"] == "Danh sách <tỉnh>"
    assert boxes["contact_email"]["value"] == "không phải thư"
    assert "checked" not in boxes["publish_when_ready"]
    assert [o["value"] for o in page.all("option") if "selected" in o] == ["BKHCN", "y-te"]
    assert {"#file", "#contact_email"} <= set(page.links)
    assert "Choose a file, or save the description as a draft without one." in answer.text
    assert portal.catalogue_queries.datasets_of(officer_actor(portal), frozenset({"BKHCN"})) == ()
    foreign = client.post("/en/publish/new", data={**data, "form_token": "", "file": (io.BytesIO(b""), "")})
    assert foreign.status_code == 400


def test_the_title_of_a_missing_file_is_kept(desk) -> None:
    client, token = desk
    slug = new_draft(client, token)
    data = {"form_token": token, "file_title.vi": "Bảng 2026", "file": (io.BytesIO(b""), "")}
    assert 'value="Bảng 2026"' in client.post(f"/en/publish/{slug}/files", data=data).text


def test_readers_see_the_history_from_publication_on(desk, portal, officer) -> None:
    client, token = desk
    slug = new_draft(client, token)
    for text in ("Nháp", "Bản đầu"):
        portal.catalogue.update_dataset(officer.actor, slug, {"description": {"vi": text}})
    client.post(f"/vi/publish/{slug}/publish", data={"form_token": token})
    portal.catalogue.update_dataset(officer.actor, slug, {"theme": "y-te"})
    visitor = client.application.test_client()
    items = visitor.get(f"/api/v1/datasets/{slug}/versions").json["items"]
    assert [(item["number"], item["metadata"]["description"]["vi"]) for item in items] == [
        (4, "Bản đầu"),
        (3, "Bản đầu"),
    ]
    published = portal.catalogue_queries.dataset(officer.actor, slug).published_at
    assert items[1]["at"][:19] == published.isoformat()[:19]
    history = visitor.get(f"/en/datasets/{slug}").text.partition('id="history"')[2]
    assert "Changed: Theme" in history
    assert "Published" in history
    assert "Description" not in history
    assert "Created" not in history
    own = client.get(f"/en/datasets/{slug}").text.partition('id="history"')[2]
    assert "Created" in own
    assert own.count("Changed: Description") == 2


def officer_actor(portal):
    from opendata.accounts.policy import COMMAND_LINE

    return COMMAND_LINE


def test_the_form_is_made_from_the_profile(desk, portal, read_page) -> None:
    client, _ = desk
    page = read_page(client.get("/vi/publish/new").text)
    names = [box.get("name") for tag in ("input", "select", "textarea") for box in page.all(tag)]
    for field in portal.profile.fields:
        wanted = [f"{field.name}.vi", f"{field.name}.en"] if field.multilingual else [field.name]
        assert [name for name in names if name in wanted] == wanted
    labelled = {label.get("for") for label in page.all("label")}
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for tag in ("select", "textarea"):
        assert all(box["id"] in labelled for box in page.all(tag))


def test_only_own_agencies_can_be_chosen(desk, read_page) -> None:
    client, token = desk
    html = client.get("/vi/publish/new").text
    choices = html.partition('id="publisher"')[2].partition("</select>")[0]
    assert re.findall(r'option value="(\w+)"', choices) == ["BKHCN"]
    data = {"form_token": token, "title.vi": "Của bộ khác", "publisher": "BYT"}
    assert client.post("/vi/publish/new", data=data).status_code == 403


def test_people_without_an_agency_are_told_what_to_do(client, portal, sign_in) -> None:
    from opendata.accounts.policy import COMMAND_LINE

    portal.accounts.add_person(COMMAND_LINE, email="moi@example.org", name="Mới", password="mật-khẩu-đủ-dài")
    sign_in(client, "moi@example.org", "mật-khẩu-đủ-dài")
    for path in ("/en/publish", "/en/publish/new", "/en/account"):
        assert "belongs to no agency yet" in client.get(path).text


def test_saving_changes_only_what_was_changed(desk, portal, officer) -> None:
    client, token = desk
    slug = new_draft(client, token, theme="y-te", **{"description.vi": "Cũ"})
    html = client.get(f"/vi/publish/{slug}/edit").text
    assert 'name="revision" value="1"' in html
    data = {"form_token": token, "revision": "1", "description.vi": "Mới", "theme": ""}
    assert client.post(f"/vi/publish/{slug}/edit", data=data).status_code == 303
    saved = portal.catalogue_queries.dataset(officer.actor, slug)
    assert saved.fields == {
        "title": {"vi": "Danh sách tỉnh"},
        "description": {"vi": "Mới"},
        "publisher": "BKHCN",
    }
    assert saved.revision == 2
    html = client.get(f"/en/datasets/{slug}").text
    assert "Changed: Description, Theme" in html


def test_two_people_at_once_lose_nothing(desk, portal, officer, read_page) -> None:
    client, token = desk
    slug = new_draft(client, token, **{"description.vi": "Đầu tiên"})
    portal.catalogue.update_dataset(officer.actor, slug, {"description": {"vi": "Người khác viết"}})
    data = {
        "form_token": token,
        "revision": "1",
        "title.vi": "Tên của tôi",
        "publisher": "BKHCN",
        "description.vi": "Tôi viết",
    }
    answer = client.post(f"/en/publish/{slug}/edit", data=data)
    assert answer.status_code == 409
    assert "Người khác viết" in answer.text
    assert "Tôi viết</textarea>" in answer.text
    assert 'value="Tên của tôi"' in answer.text
    assert portal.catalogue_queries.dataset(officer.actor, slug).fields["description"] == {
        "vi": "Người khác viết"
    }
    again = {**data, "revision": re.search(r'name="revision" value="(\d+)"', answer.text)[1]}  # type: ignore[index]
    assert client.post(f"/en/publish/{slug}/edit", data=again).status_code == 303
    assert portal.catalogue_queries.dataset(officer.actor, slug).fields["description"] == {"vi": "Tôi viết"}


@pytest.mark.parametrize("revision", ["", "abc", "-1", "99999999999999999999"])
def test_a_revision_that_is_none_counts_as_another(desk, portal, revision) -> None:
    client, token = desk
    slug = new_draft(client, token)
    data = {"form_token": token, "revision": revision, "title.vi": "Khác", "publisher": "BKHCN"}
    assert client.post(f"/vi/publish/{slug}/edit", data=data).status_code == 409


def test_a_file_that_cannot_be_published_says_why_and_the_old_one_stays(
    desk, portal, runner, officer
) -> None:
    client, token = desk
    slug = new_draft(client, token, publish_when_ready="yes")
    add = client.post(f"/vi/publish/{slug}/files", data={"form_token": token, "file": file_of(CSV)})
    runner.run_waiting()
    (file,) = portal.resource_queries.resources_of(
        officer.actor, portal.catalogue_queries.dataset(officer.actor, slug).id
    )
    bad = (io.BytesIO(b"ma,ten\n" + b"\0" * 300), "hong.csv")
    replaced = client.post(
        f"/vi/publish/{slug}/files/{file.id}/replace", data={"form_token": token, "file": bad}
    )
    assert (add.status_code, replaced.status_code) == (303, 303)
    runner.run_waiting()
    told = client.get(replaced.headers["Location"].replace("/vi/", "/en/"))
    assert "NUL" in told.text
    assert "Readers still get version 1" in told.text
    visitor = client.application.test_client()
    page = visitor.get(f"/vi/datasets/{slug}/resources/{file.id}")
    assert "Hà Nội" in page.text
    assert "hong.csv" not in page.text


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"file": (io.BytesIO(b""), "rong.csv")}, "empty"),
        ({"file": (io.BytesIO(b""), "")}, "Choose a file"),
        ({}, "Choose a file"),
    ],
)
def test_a_file_that_is_not_taken_leaves_the_draft_and_a_reason(desk, portal, officer, sent, words) -> None:
    client, token = desk
    slug = new_draft(client, token)
    data = {"form_token": token, **sent}
    answer = client.post(f"/en/publish/{slug}/files", data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert words in answer.text
    assert (
        portal.resource_queries.resources_of(
            officer.actor, portal.catalogue_queries.dataset(officer.actor, slug).id
        )
        == ()
    )
    assert list(portal.store.digests()) == []


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(desk, portal) -> None:
    client, token = desk
    slug = new_draft(client, token)
    answer = client.post(
        f"/en/publish/{slug}/files",
        input_stream=io.BytesIO(b"--b\r\n"),
        content_type="multipart/form-data; boundary=b",
        environ_overrides={"CONTENT_LENGTH": str(70 << 20)},
    )
    assert answer.status_code == 413
    assert "64\N{NO-BREAK SPACE}MB" in answer.text
    assert list(portal.store.digests()) == []


def test_a_form_that_breaks_off_is_refused(desk, portal) -> None:
    client, token = desk
    slug = new_draft(client, token)
    body = f'--b\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nma,ten\n1,2'
    answer = client.post(
        f"/vi/publish/{slug}/files", data=body.encode(), content_type="multipart/form-data; boundary=b"
    )
    assert answer.status_code == 400
    assert list(portal.store.digests()) == []


def test_publishing_withdrawing_and_deleting_need_their_rights(app, portal, add_officer, sign_in) -> None:
    editor, admin = add_officer("BKHCN"), add_officer("BKHCN", Role.ADMIN)
    client = app.test_client()
    token = sign_in(client, editor.email, editor.password)
    slug = new_draft(client, token)
    assert client.post(f"/vi/publish/{slug}/publish", data={"form_token": token}).status_code == 303
    assert "/withdraw" not in client.get(f"/vi/publish/{slug}").text
    assert client.post(f"/vi/publish/{slug}/withdraw", data={"form_token": token}).status_code == 403
    assert client.post(f"/vi/publish/{slug}/delete", data={"form_token": token}).status_code == 409
    chief = app.test_client()
    token = sign_in(chief, admin.email, admin.password)
    assert chief.post(f"/vi/publish/{slug}/withdraw", data={"form_token": token}).status_code == 303
    assert app.test_client().get(f"/vi/datasets/{slug}").status_code == 404
    assert chief.get(f"/vi/datasets/{slug}").status_code == 200


def test_a_draft_can_be_deleted_with_its_files(desk, portal, runner) -> None:
    client, token = desk
    slug = new_draft(client, token)
    client.post(f"/vi/publish/{slug}/files", data={"form_token": token, "file": file_of(CSV)})
    runner.run_waiting()
    assert client.post(f"/vi/publish/{slug}/delete", data={"form_token": token}).status_code == 303
    assert client.get(f"/vi/publish/{slug}").status_code == 404


def test_a_removed_file_is_gone_for_readers(desk, portal, runner, officer) -> None:
    client, token = desk
    slug = new_draft(client, token, publish_when_ready="yes")
    titled = {"form_token": token, "file_title.vi": "Bảng tỉnh", "file": file_of(CSV)}
    client.post(f"/vi/publish/{slug}/files", data=titled)
    runner.run_waiting()
    (file,) = portal.resource_queries.resources_of(
        officer.actor, portal.catalogue_queries.dataset(officer.actor, slug).id
    )
    assert file.title == {"vi": "Bảng tỉnh"}
    assert (
        client.post(f"/vi/publish/{slug}/files/{file.id}/remove", data={"form_token": token}).status_code
        == 303
    )
    assert client.get(f"/vi/datasets/{slug}/resources/{file.id}").status_code == 404


def test_a_form_of_an_ended_session_gives_back_what_was_typed(desk, portal) -> None:
    client, token = desk
    client.delete_cookie("opendata_session")
    data = {"form_token": token, "title.vi": "Đã gõ rất lâu", "publisher": "BKHCN"}
    answer = client.post("/vi/publish/new", data=data)
    assert answer.status_code == 400
    assert "Đã gõ rất lâu" in answer.text
    assert token not in answer.text


def test_progress_shows_real_numbers(desk, portal, officer) -> None:
    from opendata.resources.models import ResourceVersion

    client, token = desk
    slug = new_draft(client, token)
    sent = client.post(f"/vi/publish/{slug}/files", data={"form_token": token, "file": file_of(CSV)})
    (file,) = portal.resource_queries.resources_of(
        officer.actor, portal.catalogue_queries.dataset(officer.actor, slug).id
    )
    with portal.database.bookkeeping() as unit:
        version = unit.session.get_one(ResourceVersion, file.latest.id)
        version.state, version.stage = "processing", "convert"
        version.progress_done, version.progress_total, version.progress_unit = 412_000, 1_000_000, "rows"
    html = client.get(sent.headers["Location"]).text
    assert 'value="412000" max="1000000"' in html
    assert "412.000" in html
    assert html.count('class="done"') == 2
    assert html.count('aria-current="step"') == 1


def test_the_page_of_a_file_waits_with_its_publisher_and_is_not_there_for_others(
    desk, portal, officer, runner
) -> None:
    client, token = desk
    slug = new_draft(client, token, publish_when_ready="yes")
    client.post(f"/vi/publish/{slug}/files", data={"form_token": token, "file": file_of(CSV)})
    dataset = portal.catalogue_queries.dataset(officer.actor, slug)
    (file,) = portal.resource_queries.resources_of(officer.actor, dataset.id)
    page = f"/vi/datasets/{slug}/resources/{file.id}"
    waiting = client.get(page)
    assert waiting.status_code == 200
    assert "<progress" in waiting.text
    assert '<noscript><meta http-equiv="refresh"' in waiting.text
    visitor = client.application.test_client()
    assert visitor.get(page).status_code == 404
    runner.run_waiting()
    assert "<progress" not in client.get(page).text
    assert "Cao Bằng" in visitor.get(page).text
