"""Resumable uploads over HTTP: every status of the tus protocol, and the same file at the end as in one request."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import re
import threading
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.kernel.ids import utc_now
from opendata.kernel.partial_uploads import MOST_WAITING, PartialUploads

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.wiring import Services

API = "/api/v1"
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = {**TUS, "Content-Type": "application/offset+octet-stream"}
CSV = "mã,tên\n01,Sa Pa\n02,Mẫu Sơn\n".encode() * 20


def metadata(**fields: str) -> dict[str, str]:
    pairs = (f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in fields.items())
    return {"Upload-Metadata": ",".join(pairs)}


class Sender:
    """A tus client as small as the protocol allows."""

    def __init__(self, client: Any, bearer: dict[str, str], dataset: str) -> None:
        self.client = client
        self.bearer = bearer
        self.dataset = dataset

    def begin(
        self, length: int, headers: dict[str, str] | None = None, data: bytes = b"", **fields: str
    ) -> Any:
        named = fields or {"filename": "trạm.csv", "dataset": self.dataset}
        sent = {**self.bearer, **TUS, "Upload-Length": str(length), **metadata(**named), **(headers or {})}
        return self.client.post(f"{API}/uploads", headers=sent, data=data)

    def address(self, length: int, **fields: str) -> str:
        answer = self.begin(length, None, b"", **fields)
        assert answer.status_code == 201, answer.text
        return str(urlsplit(answer.headers["Location"]).path)

    def patch(self, address: str, offset: object, data: bytes, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**self.bearer, **CHUNK, "Upload-Offset": str(offset), **named}
        return self.client.patch(address, headers=sent, data=data)

    def offset(self, address: str) -> int:
        answer = self.client.head(address, headers={**self.bearer, **TUS})
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        return int(answer.headers["Upload-Offset"])


@pytest.fixture
def dataset(portal: Services) -> str:
    return portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Trạm", "publisher": "BKHCN"}).slug


@pytest.fixture
def sender(client: Any, bearer: dict[str, str], dataset: str) -> Sender:
    return Sender(client, bearer, dataset)


def versions(portal: Services, slug: str) -> list[Any]:
    key = portal.catalogue_queries.dataset(COMMAND_LINE, slug).id
    return [view.latest for view in portal.resource_queries.resources_of(COMMAND_LINE, key)]


def stored(portal: Services, slug: str) -> list[bytes]:
    return [portal.store.path(version.sha256).read_bytes() for version in versions(portal, slug)]


def test_a_file_in_two_requests(sender: Sender, portal: Services, contract: Any) -> None:
    begun = sender.begin(
        len(CSV), filename="trạm.csv", dataset=sender.dataset, title="Trạm đo", title_en="Stations"
    )
    assert begun.status_code == 201
    assert begun.headers["Location"].startswith("http://portal.test/api/v1/uploads/")
    assert begun.headers["Upload-Offset"] == "0"
    address = urlsplit(begun.headers["Location"]).path
    assert sender.offset(address) == 0
    first = sender.patch(address, 0, CSV[:100])
    assert (first.status_code, first.headers["Upload-Offset"], first.data) == (204, "100", b"")
    assert first.headers["Tus-Resumable"] == "1.0.0"
    assert "Link" not in first.headers
    assert versions(portal, sender.dataset) == []
    last = sender.patch(address, 100, CSV[100:])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(CSV)))
    status = last.headers["Link"].partition(">")[0].lstrip("<")
    followed = sender.client.get(urlsplit(status).path, headers=sender.bearer)
    assert followed.json["state"] == "received"
    assert stored(portal, sender.dataset) == [CSV]
    assert versions(portal, sender.dataset)[0].filename == "trạm.csv"
    assert sender.offset(address) == len(CSV)
    told = contract.check(sender.client.get(address, headers=sender.bearer))
    view = portal.resource_queries.resource(COMMAND_LINE, told["resource_id"])
    assert view.title == {"vi": "Trạm đo", "en": "Stations"}
    assert told["status_url"] == status
    assert told["dataset_slug"] == sender.dataset


def test_a_new_version(sender: Sender, portal: Services, wards: tuple[str, str]) -> None:
    address = sender.address(len(CSV), filename="mới.csv", resource=wards[1])
    assert sender.patch(address, 0, CSV).status_code == 204
    latest = portal.resource_queries.resource(COMMAND_LINE, wards[1]).latest
    assert (latest.number, latest.filename, latest.sha256) == (2, "mới.csv", hashlib.sha256(CSV).hexdigest())


def test_the_bytes_may_come_with_the_beginning(sender: Sender, portal: Services) -> None:
    part = sender.begin(len(CSV), CHUNK, CSV[:50])
    assert (part.status_code, part.headers["Upload-Offset"]) == (201, "50")
    whole = sender.begin(len(CSV), CHUNK, CSV)
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, str(len(CSV)))
    assert 'rel="status"' in whole.headers["Link"]
    assert stored(portal, sender.dataset) == [CSV]


def test_what_is_spoken_here(client: Any) -> None:
    for address in (f"{API}/uploads", f"{API}/uploads/x"):
        answer = client.options(address)
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Max-Size"] == str(64 << 20)
        assert {"creation", "expiration", "checksum", "termination", "creation-with-upload"} == set(
            answer.headers["Tus-Extension"].split(",")
        )
        assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")


def test_other_sites_may_not_even_look(client: Any, sender: Sender) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PATCH"}
    address = sender.address(10)
    answers = [
        client.options(address, headers=asked),
        client.get(address, headers={**sender.bearer, **asked}),
    ]
    for answer in answers:
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("status", "code", "offset", "headers"),
    [
        (412, "tus-version", 10, {"Tus_Resumable": "0.2.2"}),
        (415, "not-a-chunk", 10, {"Content_Type": "application/octet-stream"}),
        (415, "compressed-upload", 10, {"Content_Encoding": "gzip"}),
        (409, "upload-offset", 9, {}),
        (409, "upload-offset", 11, {}),
        (400, "upload-header", "", {}),
        (400, "upload-header", "-1", {}),
        (400, "upload-header", "١", {}),
        (400, "upload-header", "9" * 500, {}),
        (400, "upload-header", 10, {"Upload_Checksum": "crc32 AAAA"}),
        (400, "upload-header", 10, {"Upload_Checksum": "sha1"}),
        (460, "checksum-mismatch", 10, {"Upload_Checksum": "sha1 AAAA"}),
        (401, "sign-in-needed", 10, {"Authorization": ""}),
    ],
)
def test_refused_bytes_change_nothing(
    sender: Sender, status: int, code: str, offset: object, headers: dict[str, str]
) -> None:
    address = sender.address(len(CSV))
    assert sender.patch(address, 0, CSV[:10]).status_code == 204
    answer = sender.patch(address, str(offset).encode().decode("latin-1"), CSV[10:20], **headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers.get("Tus-Version") == ("1.0.0" if status == 412 else None)
    assert sender.offset(address) == 10


def test_more_bytes_than_announced(sender: Sender, portal: Services) -> None:
    address = sender.address(10)
    assert sender.patch(address, 0, b"x" * 11).status_code == 413
    assert sender.offset(address) == 0
    assert sender.patch(address, 0, b"x" * 10).status_code == 204
    assert sender.patch(address, 10, b"").status_code == 204
    assert sender.patch(address, 10, b"x").status_code == 413
    assert stored(portal, sender.dataset) == [b"x" * 10]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_checksums(sender: Sender, portal: Services, algorithm: str) -> None:
    address = sender.address(len(CSV))
    digest = base64.b64encode(hashlib.new(algorithm, CSV[:99]).digest()).decode()
    assert sender.patch(address, 0, CSV[:98], Upload_Checksum=f"{algorithm} {digest}").status_code == 460
    assert sender.offset(address) == 0
    assert sender.patch(address, 0, CSV[:99], Upload_Checksum=f"{algorithm} {digest}").status_code == 204
    assert sender.patch(address, 99, CSV[99:]).status_code == 204
    assert stored(portal, sender.dataset) == [CSV]


@pytest.mark.parametrize(
    ("status", "code", "headers"),
    [
        (400, "upload-header", {"Upload-Length": ""}),
        (400, "upload-header", {"Upload-Length": "1e3"}),
        (413, "too-large", {"Upload-Length": str((64 << 20) + 1)}),
        (422, "empty-file", {"Upload-Length": "0"}),
        (412, "tus-version", {"Tus-Resumable": "2.0.0"}),
        (422, "invalid-input", {"Upload-Metadata": ""}),
        (400, "upload-header", {"Upload-Metadata": "filename !!!"}),
        (400, "upload-header", {"Upload-Metadata": "filename YQ==,filename YQ=="}),
        (400, "upload-header", {"Upload-Metadata": "filename /w=="}),  # no UTF-8
        (400, "upload-header", {"Upload-Metadata": ",".join(f"a{n} YQ==" for n in range(10_000))}),
        (422, "invalid-input", metadata(filename="a\0b", dataset="x")),
        (422, "invalid-input", metadata(filename="a.csv")),
        (422, "invalid-input", metadata(filename=" ", dataset="x")),
        (422, "invalid-input", metadata(filename="a.csv", dataset="x", resource="y")),
        (422, "invalid-input", metadata(filename="a.csv", dataset="x", titel="y")),
        (422, "invalid-input", metadata(filename="a.csv", dataset="x", schema="{}")),
        (404, "not-found", metadata(filename="a.csv", dataset="nothing-there")),
        (404, "not-found", metadata(filename="a.csv", resource="../../etc/passwd")),
    ],
)
def test_refused_beginnings_leave_nothing(
    sender: Sender, portal: Services, status: int, code: str, headers: dict[str, str]
) -> None:
    answer = sender.begin(10, headers)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    folder = portal.store.folder / "uploads"
    assert not folder.exists() or not list(folder.iterdir())


def test_a_huge_name_is_cut_like_elsewhere(sender: Sender, portal: Services) -> None:
    address = sender.address(
        3, filename="../" + "ă" * 9_000 + ".csv", dataset=sender.dataset, filetype="text/csv"
    )
    assert sender.patch(address, 0, b"a\n1").status_code == 204
    (version,) = versions(portal, sender.dataset)
    assert version.filename.endswith(".csv")
    assert len(version.filename) <= 200


def test_an_upload_is_its_beginners_alone(
    sender: Sender, token_of: Callable[..., dict[str, str]], client: Any
) -> None:
    address = sender.address(10)
    colleague = Sender(client, token_of("BKHCN", Role.ADMIN), sender.dataset)
    stranger = Sender(client, token_of("BYT", Role.EDITOR), sender.dataset)
    for other in (colleague, stranger):
        assert client.get(address, headers=other.bearer).status_code == 404
        assert other.patch(address, 0, b"x").status_code == 404
        assert client.delete(address, headers={**other.bearer, **TUS}).status_code == 404
    assert stranger.begin(10).status_code == 404  # a draft of another agency is not there
    assert sender.offset(address) == 0


def test_our_own_page_may_send_with_its_form_token(
    client: Any, officer: Any, dataset: str, portal: Services
) -> None:
    fields = {
        "email": officer.email,
        "password": officer.password,
        "form_token": _form_token(client, "sign-in"),
    }
    assert client.post("/vi/sign-in", data=fields).status_code == 303
    token = _form_token(client, "account")
    trusted = Sender(client, {"X-Form-Token": token}, dataset)
    address = trusted.address(len(CSV))
    for foreign in (
        {},
        {"X-Form-Token": ""},
        {"X-Form-Token": "0" * 64},
        {"X-Form-Token": "ă".encode().decode("latin-1")},
        {"X-Form-Token": token, "Sec-Fetch-Site": "cross-site"},
        {"X-Form-Token": token, "Sec-Fetch-Site": "same-site"},
        {"X-Form-Token": token, "Authorization": "Bearer nonsense"},
    ):
        other = Sender(client, foreign, dataset)
        assert other.begin(10).status_code == 401, foreign
        assert other.patch(address, 0, CSV).status_code == 401
        assert client.delete(address, headers={**foreign, **TUS}).status_code == 401
    assert trusted.patch(address, 0, CSV).status_code == 204
    assert stored(portal, dataset) == [CSV]
    elsewhere = client.patch(f"{API}/datasets/{dataset}", json={}, headers={"X-Form-Token": token})
    assert elsewhere.status_code == 401  # nowhere but at uploads
    stranger = client.application.test_client()
    assert Sender(stranger, {"X-Form-Token": token}, dataset).begin(10).status_code == 401


def test_rights_are_asked_for_again_at_the_end(
    sender: Sender, portal: Services, wards: tuple[str, str]
) -> None:
    address = sender.address(10, filename="a.csv", resource=wards[1])
    assert sender.patch(address, 0, b"x" * 9).status_code == 204
    portal.resources.delete_resource(COMMAND_LINE, wards[1])
    assert sender.patch(address, 9, b"x").status_code == 404
    assert sender.offset(address) == 9


def test_giving_up(sender: Sender, portal: Services) -> None:
    address = sender.address(10)
    assert sender.patch(address, 0, b"x" * 5).status_code == 204
    gone = sender.client.delete(address, headers={**sender.bearer, **TUS})
    assert (gone.status_code, gone.headers["Tus-Resumable"]) == (204, "1.0.0")
    assert sender.client.head(address, headers={**sender.bearer, **TUS}).status_code == 404
    assert sender.patch(address, 5, b"x").status_code == 404
    assert list((portal.store.folder / "uploads").iterdir()) == []


def test_where_only_post_is_let_through(sender: Sender, portal: Services) -> None:
    address = sender.address(10)
    named = {**sender.bearer, **CHUNK, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert sender.client.post(address, headers=named, data=b"x" * 10).status_code == 204
    assert stored(portal, sender.dataset) == [b"x" * 10]
    assert sender.client.post(address, headers={**sender.bearer, **TUS}).status_code == 405
    named = {**sender.bearer, **TUS, "X-HTTP-Method-Override": "DELETE"}
    assert sender.client.post(address, headers=named).status_code == 204
    assert len(versions(portal, sender.dataset)) == 1


def test_expiry(sender: Sender, portal: Services) -> None:
    address = sender.address(10)
    assert sender.patch(address, 0, b"x" * 5).status_code == 204
    done = sender.address(3)
    assert sender.patch(done, 0, b"a\n1").status_code == 204
    folder = portal.store.folder / "uploads"
    data = folder / address.rpartition("/")[2] / "data"
    almost, over = (PartialUploads(folder, lambda h=h: utc_now() + dt.timedelta(hours=h)) for h in (23, 25))  # type: ignore[misc]
    assert almost.sweep() == 0
    yesterday = data.stat().st_mtime - 25 * 3600
    os.utime(data, (yesterday, yesterday))
    assert sender.patch(address, 5, b"x").status_code == 410  # also before it is swept
    assert portal.partial_uploads.sweep() == 1
    assert not data.exists()
    answer = sender.client.get(address, headers={**sender.bearer, **TUS})
    assert (answer.status_code, answer.json["code"]) == (410, "upload-expired")
    assert sender.offset(done) == 3
    assert over.sweep() == 0
    later = PartialUploads(folder, lambda: utc_now() + dt.timedelta(days=9))
    later.sweep()
    assert list(folder.iterdir()) == []
    assert stored(portal, sender.dataset) == [b"a\n1"]


def test_unfinished_uploads_of_a_person_are_counted(sender: Sender, portal: Services) -> None:
    owner = portal.accounts.actor_for_token(sender.bearer["Authorization"].split()[1]).person_id or ""
    for _ in range(MOST_WAITING):
        portal.partial_uploads.create(owner, 5, {})
    answer = sender.begin(10)
    assert (answer.status_code, answer.json["code"]) == (429, "too-many-uploads")


def test_a_portal_that_died_before_it_could_say_so(
    sender: Sender, portal: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was taken, the note about it was not written: the client sends a byte, and nothing is doubled."""
    import opendata.kernel.partial_uploads as module

    address = sender.address(len(CSV))
    write = module._write_about
    with monkeypatch.context() as patched:

        def die(folder: Any, about: Any) -> None:
            if "result" in about:
                raise OSError("power cut")
            write(folder, about)

        patched.setattr(module, "_write_about", die)
        assert sender.patch(address, 0, CSV).status_code == 500
    assert sender.offset(address) == len(CSV) - 1
    assert sender.patch(address, len(CSV) - 1, CSV[-1:]).status_code == 204
    assert stored(portal, sender.dataset) == [CSV]
    assert sender.offset(address) == len(CSV)


def test_a_database_that_fails_at_the_end_loses_nothing(
    sender: Sender, portal: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = sender.address(1)
    with monkeypatch.context() as patched:
        patched.setattr(type(portal.resources), "add_resource", lambda *_a: 1 / 0)
        assert sender.patch(address, 0, b"x").status_code == 500
    assert sender.offset(address) == 0
    assert sender.patch(address, 0, b"y").status_code == 204
    assert stored(portal, sender.dataset) == [b"y"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1, max_size=4000), data=st.data())
def test_any_split_gives_the_same_file(library: Any, content: bytes, data: st.DataObject) -> None:
    sender = Sender(library.client, library.editor, library.draft_slug)
    address = sender.address(len(content))
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=6).map(sorted), label="cuts")
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        if sender.offset(address) == start:
            assert sender.patch(address, start, content[start:end]).status_code == 204
    told = library.client.get(address, headers=library.editor).json
    assert told["offset"] == len(content)
    version = library.portal.resource_queries.resource(COMMAND_LINE, told["resource_id"]).latest
    assert library.portal.store.path(version.sha256).read_bytes() == content


def test_a_broken_connection_keeps_what_arrived(served: tuple[Any, Any]) -> None:
    portal, app = served
    sender = _served_sender(portal, app)
    content = os.urandom(5 << 20)
    address = sender.address(len(content))
    host = urlsplit(portal.settings.base_url)
    connection = HTTPConnection(str(host.hostname), host.port, timeout=30)
    connection.putrequest("PATCH", address)
    for name, value in {**sender.bearer, **CHUNK, "Upload-Offset": "0"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content[: 3 << 20])
    connection.close()
    reached = 0
    for _ in range(200):
        reached = sender.offset(address)
        if reached == 3 << 20:
            break
        threading.Event().wait(0.05)
    assert reached == 3 << 20
    assert sender.patch(address, reached, content[reached:]).status_code == 204
    assert stored(portal, sender.dataset) == [content]


def _form_token(client: Any, page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get(f"/vi/{page}").text)
    assert found
    return found[1]


def _served_sender(portal: Any, app: Any) -> Sender:
    portal.accounts.add_person(COMMAND_LINE, email="t@example.org", name="T", password="mật-khẩu-rất-dài")
    portal.accounts.set_role(COMMAND_LINE, "t@example.org", "BKHCN", Role.EDITOR)
    token = portal.accounts.issue_token(COMMAND_LINE, "t@example.org", "tests")
    slug = portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Trạm", "publisher": "BKHCN"}).slug
    return Sender(app.test_client(), {"Authorization": f"Bearer {token}"}, slug)
