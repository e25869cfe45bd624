"""Every page says who may open it, and keeps to it."""

from __future__ import annotations

from opendata.web.access import MARK

VALUES = {
    "lang": "vi",
    "slug": "x",
    "resource_id": "x",
    "token_id": "x",
    "number": 1,
    "request_id": "x",
    "search_id": "x",
    "name": "base.css",
    "first": "publish",
    "rest": "x",
}


def rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("web.")]


def address(app, rule) -> str:
    with app.test_request_context():
        return app.url_map.bind("portal.test").build(
            rule.endpoint, {name: VALUES[name] for name in rule.arguments}
        )


def test_every_page_says_who_may_open_it(app) -> None:
    marks = {rule.endpoint: vars(app.view_functions[rule.endpoint]).get(MARK) for rule in rules(app)}
    assert len(marks) > 20
    assert {name: mark for name, mark in marks.items() if mark not in {"everyone", "signed-in"}} == {}


def test_reading_asks_nobody_and_publishing_everybody(app) -> None:
    closed = {
        r.endpoint.split(".")[1]
        for r in rules(app)
        if vars(app.view_functions[r.endpoint])[MARK] == "signed-in"
    }
    assert closed == {
        "publishing",
        "publishing_files",
        "publishing_decisions",
        "accounts",
        "saved_searches",
        "administration",
    }


def test_visitors_are_led_to_the_sign_in_page_and_back(app) -> None:
    client = app.test_client()
    asked = 0
    for rule in rules(app):
        if vars(app.view_functions[rule.endpoint])[MARK] == "signed-in" and "GET" in rule.methods:
            path = address(app, rule)
            answer = client.get(path)
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/vi/sign-in?next=%2Fvi%2F")
            asked += 1
    assert asked >= 6


def test_no_form_works_without_its_token(app, portal, officer, sign_in) -> None:
    """Every form of every page, with no token, a wrong one, and a foreign content type: refused, unchanged."""
    client = app.test_client()
    sign_in(client, officer.email, officer.password)
    before = changes(portal)
    asked = 0
    for rule in rules(app):
        if "POST" not in rule.methods:
            continue
        path = address(app, rule)
        for data in ({}, {"form_token": "0" * 64, "title.vi": "x"}):
            for mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
                answer = client.post(path, data=data, content_type=mimetype)
                assert answer.status_code in {400, 404, 422}, f"{path} {mimetype}: {answer.status_code}"
        answer = client.post(path, json={"form_token": "x"})
        assert answer.status_code == 400
        asked += 1
    assert asked >= 12
    assert changes(portal) == before
    assert client.get("/vi/account").status_code == 200


def test_a_form_with_a_file_and_a_wrong_token_leaves_nothing_behind(app, portal, officer, sign_in) -> None:
    import io

    client = app.test_client()
    sign_in(client, officer.email, officer.password)
    before = changes(portal)
    data = {
        "form_token": "0" * 64,
        "title.vi": "x",
        "publisher": "BKHCN",
        "file": (io.BytesIO(b"a,b\n1,2\n"), "a.csv"),
    }
    assert client.post("/vi/publish/new", data=data).status_code == 400
    assert changes(portal) == before
    assert list(portal.store.digests()) == []


def test_a_form_sent_by_another_site_is_refused_before_it_is_read(app, officer, sign_in) -> None:
    client = app.test_client()
    token = sign_in(client, officer.email, officer.password)
    answer = client.post("/vi/sign-out", data={"form_token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 400
    assert client.get("/vi/account").status_code == 200


def test_a_token_of_one_session_is_worth_nothing_in_another(app, officer, add_officer, sign_in) -> None:
    other = add_officer("BYT")
    first, second = app.test_client(), app.test_client()
    token = sign_in(first, officer.email, officer.password)
    sign_in(second, other.email, other.password)
    assert second.post("/vi/sign-out", data={"form_token": token}).status_code == 400


def test_people_of_another_agency_find_nothing_to_change(app, portal, officer, add_officer, sign_in) -> None:
    draft = portal.catalogue.create_dataset(officer.actor, {"title": "Nháp", "publisher": "BKHCN"})
    public = portal.catalogue.create_dataset(officer.actor, {"title": "Mở", "publisher": "BKHCN"})
    portal.catalogue.publish_dataset(officer.actor, public.id)
    other = add_officer("BYT")
    client = app.test_client()
    token = sign_in(client, other.email, other.password)
    assert client.get(f"/vi/publish/{draft.slug}").status_code == 404
    assert client.get(f"/vi/publish/{public.slug}").status_code == 403
    assert client.get(f"/vi/publish/{public.slug}/edit").status_code == 403
    for action in ("publish", "withdraw", "delete"):
        answer = client.post(f"/vi/publish/{public.slug}/{action}", data={"form_token": token})
        assert answer.status_code == 403
    assert client.get(f"/vi/datasets/{public.slug}").status_code == 200


def changes(portal) -> int:
    """Rows of the audit trail but for sign-ins."""
    from sqlalchemy import func, select

    from opendata.accounts.models import AuditRow

    with portal.database.reading() as session:
        return (
            session.scalar(
                select(func.count()).select_from(AuditRow).where(AuditRow.action != "person.sign-in")
            )
            or 0
        )
