"""Files over the API: sent in, followed, replaced, downloaded; and uploads that are wrong in every way."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from opendata.accounts.policy import COMMAND_LINE, VISITOR, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.kernel.jobs import JobRunner
    from opendata.wiring import Services

API = "/api/v1"
CSV = "mã,tên\n01,Hà Nội\n79,Hồ Chí Minh\n"
# The test client writes a boundary of its own into the header, so these requests name theirs below it.
FORM_OF_B = {"CONTENT_TYPE": "multipart/form-data; boundary=b", "CONTENT_LENGTH": ""}


@pytest.fixture
def slug(client: Any, bearer: dict[str, str]) -> str:
    body = {"title": "Tỉnh, thành phố", "publisher": "BKHCN", "slug": "tinh", "publish_when_ready": True}
    assert client.post(f"{API}/datasets", json=body, headers=bearer).status_code == 201
    return "tinh"


def form(content: str | bytes = CSV, name: str = "tỉnh.csv", **fields: str) -> dict[str, Any]:
    raw = content.encode() if isinstance(content, str) else content
    return {**fields, "file": (io.BytesIO(raw), name)}


def kept_files(portal: Services) -> set[str]:
    return set(portal.store.digests())


# -- sending ------------------------------------------------------------------------------


def test_upload_follow_read(  # noqa: PLR0917 - fixtures
    client: Any, bearer: dict[str, str], slug: str, runner: JobRunner, contract: Any, portal: Services
) -> None:
    data = form(title="Danh sách tỉnh", title_en="Provinces", description="34 tỉnh")
    answer = client.post(f"{API}/datasets/{slug}/resources", data=data, headers=bearer)
    received = contract.check(answer)
    assert answer.status_code == 202
    assert answer.headers["Location"] == received["resource_url"]
    assert received["sha256"] == hashlib.sha256(CSV.encode()).hexdigest()
    assert received["size"] == len(CSV.encode())
    assert received["version"] == 1

    assert client.get(received["status_url"]).status_code == 404  # nothing public yet
    waiting = contract.check(client.get(received["status_url"], headers=bearer))
    assert waiting["state"] == "received"
    assert waiting["progress"]["total"] == len(CSV.encode())

    runner.run_waiting()
    done = contract.check(client.get(received["status_url"], headers=bearer))
    assert done["state"] == "published"
    resource = contract.check(client.get(received["resource_url"]))
    assert resource["title"] == {"vi": "Danh sách tỉnh", "en": "Provinces"}
    assert resource["version"]["filename"] == "tỉnh.csv"
    assert [table["rows"] for table in resource["tables"]] == [2]
    assert [column["type"] for column in resource["tables"][0]["columns"]] == ["string", "string"]
    assert {item["format"] for item in resource["formats"]} >= {"csv", "parquet", "arrow", "json", "jsonl"}
    for item in resource["formats"]:
        assert client.get(item["url"]).status_code == 200
    for part, address in resource["links"].items():
        assert client.get(address).status_code == 200, part
    assert portal.catalogue_queries.dataset(VISITOR, slug).state == "published"


def test_fields_after_the_file_count_too(client: Any, bearer: dict[str, str], slug: str) -> None:
    """Curl sends parts in the order of its options, and most people write the file first."""
    boundary = "b0undary"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n{CSV}\r\n'
    tail = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nTên sau\r\n--{boundary}--\r\n'
    )
    answer = client.post(
        f"{API}/datasets/{slug}/resources",
        data=(head + tail).encode(),
        content_type=f"multipart/form-data; boundary={boundary}",
        headers=bearer,
    )
    assert answer.status_code == 202
    resource = client.get(answer.json["resource_url"], headers=bearer).json
    assert resource["title"] == {"vi": "Tên sau"}


def test_a_given_schema_is_used(
    client: Any, bearer: dict[str, str], slug: str, runner: JobRunner, contract: Any
) -> None:
    schema = {"fields": [{"name": "mã", "type": "integer"}, {"name": "tên", "type": "string"}]}
    data = form(schema=json.dumps(schema))
    received = client.post(f"{API}/datasets/{slug}/resources", data=data, headers=bearer).json
    runner.run_waiting()
    found = contract.check(client.get(received["resource_url"] + "/schema"))
    assert [field["type"] for field in found["fields"]] == ["integer", "string"]


def test_a_file_against_its_schema_fails_with_the_place(
    client: Any, bearer: dict[str, str], slug: str, runner: JobRunner, contract: Any
) -> None:
    schema = {"fields": [{"name": "mã", "type": "integer"}, {"name": "tên", "type": "string"}]}
    data = form("mã,tên\n1,a\nkhông,b\n", schema=json.dumps(schema))
    received = client.post(f"{API}/datasets/{slug}/resources", data=data, headers=bearer).json
    runner.run_waiting()
    status = contract.check(client.get(received["status_url"], headers=bearer))
    assert status["state"] == "failed"
    problem = next(p for p in status["problems"] if p["severity"] == "error")
    assert problem["row"] == 3 or "3" in problem["message"]
    assert client.get(received["resource_url"]).status_code == 404


def test_replace_keeps_the_old_version_until_the_new_one_is_ready(
    client: Any, bearer: dict[str, str], wards: tuple[str, str], runner: JobRunner, contract: Any
) -> None:
    address = f"{API}/resources/{wards[1]}"
    before = client.get(f"{address}/file").data
    answer = client.put(
        f"{address}/file",
        data=CSV.encode(),
        content_type="text/csv",
        headers={**bearer, "Content-Disposition": "attachment; filename*=UTF-8''t%E1%BB%89nh.csv"},
    )
    assert contract.check(answer)["version"] == 2
    assert answer.status_code == 202
    assert client.get(f"{address}/file").data == before
    assert contract.check(client.get(f"{address}/status"))["version"] == 1
    assert contract.check(client.get(f"{address}/status", headers=bearer))["version"] == 2
    runner.run_waiting()
    assert client.get(f"{address}/file").data == CSV.encode()
    assert client.get(f"{address}/file?version=1").data == before
    listed = contract.check(client.get(f"{address}/versions"))
    assert [(v["number"], v["filename"]) for v in listed["items"]] == [(2, "tỉnh.csv"), (1, "phường.csv")]
    for item in listed["items"]:
        assert hashlib.sha256(client.get(item["file_url"]).data).hexdigest() == item["sha256"]


def test_replace_with_curl_minus_t_keeps_the_name(
    client: Any, bearer: dict[str, str], wards: tuple[str, str], runner: JobRunner
) -> None:
    answer = client.put(f"{API}/resources/{wards[1]}/file", data=CSV.encode(), headers=bearer)
    assert answer.status_code == 202
    runner.run_waiting()
    assert client.get(f"{API}/resources/{wards[1]}").json["version"]["filename"] == "phường.csv"


def test_a_failed_new_version_changes_nothing_for_readers(
    client: Any, bearer: dict[str, str], wards: tuple[str, str], runner: JobRunner, contract: Any
) -> None:
    address = f"{API}/resources/{wards[1]}"
    client.put(f"{address}/file", data=form(b"\x00" * 5000, "phường.csv"), headers=bearer)
    runner.run_waiting()
    mine = contract.check(client.get(f"{address}/status", headers=bearer))
    public = contract.check(client.get(f"{address}/status"))
    assert public["state"] == "published"
    assert public["version"] == 1
    assert mine["state"] == "failed"
    assert mine["problems"]
    assert [v["number"] for v in client.get(f"{address}/versions").json["items"]] == [1]
    assert client.get(f"{address}/file?version=2").status_code == 404


# -- what is wrong with an upload ---------------------------------------------------------


def test_an_empty_file(
    client: Any, bearer: dict[str, str], slug: str, contract: Any, portal: Services
) -> None:
    answer = client.post(f"{API}/datasets/{slug}/resources", data=form(b""), headers=bearer)
    assert answer.status_code == 422
    assert contract.check(answer)["code"] == "empty-file"
    assert kept_files(portal) == set()


def test_a_file_over_the_limit_is_cut_off_while_streaming(
    client: Any, bearer: dict[str, str], slug: str, contract: Any, portal: Services
) -> None:
    limit = portal.settings.upload_limit_mb << 20

    class Endless(io.RawIOBase):
        """As chunked transfer brings it: nobody knows how long."""

        taken = 0
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'

        def read(self, size: int = -1, /) -> bytes:
            if self.head:
                head, Endless.head = self.head, b""
                return head
            Endless.taken += size
            return b"x" * size

    answer = client.post(
        f"{API}/datasets/{slug}/resources",
        headers=bearer,
        environ_overrides={"wsgi.input": Endless(), "wsgi.input_terminated": True, **FORM_OF_B},
    )
    assert answer.status_code == 413
    assert contract.check(answer)["code"] == "too-large"
    assert Endless.taken <= limit + (4 << 20)
    assert kept_files(portal) == set()
    assert not list((portal.settings.data_dir / "files" / "incoming").iterdir())


def test_an_announced_length_over_the_limit_is_not_read_at_all(
    client: Any, bearer: dict[str, str], slug: str
) -> None:
    class Untouchable(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise AssertionError("the body was read")

    answer = client.post(
        f"{API}/datasets/{slug}/resources",
        headers=bearer,
        environ_overrides=FORM_OF_B | {"wsgi.input": Untouchable(), "CONTENT_LENGTH": str(1 << 40)},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("who", ["nobody", "another agency"])
def test_a_body_is_not_read_from_who_may_not_send_it(client: Any, slug: str, token_of: Any, who: str) -> None:
    class Untouchable(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise AssertionError("the body was read")

    answer = client.put(
        f"{API}/resources/{'0' * 26}/file" if who == "nobody" else f"{API}/resources/{'1' * 26}/file",
        content_type="text/csv",
        headers={} if who == "nobody" else token_of("BYT", Role.EDITOR),
        environ_overrides={"wsgi.input": Untouchable(), "CONTENT_LENGTH": "1000"},
    )
    assert answer.status_code == (401 if who == "nobody" else 404)


def test_a_connection_that_breaks_keeps_nothing(
    client: Any, bearer: dict[str, str], slug: str, contract: Any, portal: Services
) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + CSV.encode()
    answer = client.post(
        f"{API}/datasets/{slug}/resources",
        headers=bearer,
        environ_overrides=FORM_OF_B
        | {
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": str(len(body) + 500),
        },
    )
    assert answer.status_code == 400
    assert contract.check(answer)["code"] == "broken-upload"
    assert kept_files(portal) == set()
    assert portal.resource_queries.resources_of(COMMAND_LINE, _dataset_id(portal, slug)) == ()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"schema": "{"}, "schema"),
        ({"schema": "[]"}, "schema"),
        ({"schema": "{}"}, "schema"),
        ({"schema": '{"fields": [{"type": "string"}]}'}, "schema"),
        ({"schema": '{"fields": "a"}'}, "schema"),
        ({"titel": "a"}, "titel"),
        ({"title": "a\x00b"}, "title"),
    ],
)
def test_wrong_fields_refuse_the_whole_upload(  # noqa: PLR0917 - fixtures and one case
    client: Any,
    bearer: dict[str, str],
    slug: str,
    contract: Any,
    portal: Services,
    fields: dict[str, str],
    field: str,
) -> None:
    answer = client.post(f"{API}/datasets/{slug}/resources", data=form(**fields), headers=bearer)
    assert answer.status_code == 422
    assert [error["field"] for error in contract.check(answer)["errors"]] == [field]
    assert kept_files(portal) == set()


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.csv", "..\\..\\a.csv", "a\tb.csv", "x" * 900 + ".csv", "\u202egpj.exe.csv", "…", "."],
)
def test_hostile_names(client: Any, bearer: dict[str, str], slug: str, portal: Services, name: str) -> None:
    answer = client.post(f"{API}/datasets/{slug}/resources", data=form(name=name), headers=bearer)
    assert answer.status_code == 202
    kept = portal.resource_queries.resource(COMMAND_LINE, answer.json["resource_id"]).latest.filename
    assert kept
    assert len(kept) <= 200
    assert not set(kept) & set("/\\\t")


def test_names_cannot_inject_headers(
    client: Any, bearer: dict[str, str], slug: str, runner: JobRunner
) -> None:
    body = CSV.encode()
    disposition = "attachment; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x%3D1%22.csv"
    received = client.post(
        f"{API}/datasets/{slug}/resources",
        data=body,
        content_type="text/csv",
        headers={**bearer, "Content-Disposition": disposition},
    )
    assert received.status_code == 202
    runner.run_waiting()
    answer = client.get(received.json["resource_url"] + "/file")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Disposition"].isprintable()


@pytest.mark.parametrize("content_type", ["application/json", "text/csv", "multipart/form-data", ""])
def test_uploads_without_a_file(
    client: Any, bearer: dict[str, str], slug: str, contract: Any, content_type: str
) -> None:
    answer = client.post(
        f"{API}/datasets/{slug}/resources", data=b"{}", content_type=content_type, headers=bearer
    )
    assert answer.status_code in {400, 422}
    contract.check(answer)


# -- reading and changing -----------------------------------------------------------------


def test_download_is_counted_once(client: Any, wards: tuple[str, str], portal: Services) -> None:
    address = f"{API}/resources/{wards[1]}/file"
    tag = client.get(address).headers["ETag"]
    client.head(address)
    client.get(address, headers={"If-None-Match": tag})
    client.get(address, headers={"Range": "bytes=10-"})
    client.get(address, headers={"Range": "bytes=99999999-"})
    portal.usage.flush()
    assert client.get(f"{API}/datasets/{wards[0]}").json["downloads"] == 1


def test_file_headers(client: Any, wards: tuple[str, str]) -> None:
    answer = client.get(f"{API}/resources/{wards[1]}/file")
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.data).hexdigest()}"'
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"phuong.csv\"; filename*=UTF-8''ph%C6%B0%E1%BB%9Dng.csv"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, no-cache"
    pinned = client.get(f"{API}/resources/{wards[1]}/file?version=1")
    assert "max-age" in pinned.headers["Cache-Control"]


def test_ranges_over_the_api(client: Any, wards: tuple[str, str], contract: Any) -> None:
    address = f"{API}/resources/{wards[1]}/file"
    whole = client.get(address).data
    part = client.get(address, headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.data) == (206, whole[4:10])
    beyond = client.get(address, headers={"Range": "bytes=99999-"})
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole)}"
    assert contract.check(beyond)["code"] == "range-not-satisfiable"


@pytest.mark.parametrize("version", ["0", "-1", "2", "x", "99999999999999999999", "1.0", "", "1e0"])
def test_versions_that_are_not_there(library: Any, version: str) -> None:
    answer = library.get(f"/resources/{library.resource_id}/file?version={version}")
    assert answer.status_code in {400, 404}
    library.contract.check(answer)


def test_a_file_without_a_table_says_why(
    client: Any, portal: Services, publish_file: Callable[..., tuple[str, str]], contract: Any
) -> None:
    _, resource_id = publish_file(portal, "Ảnh", b"%PDF-1.7\n" + b"x" * 500, "văn bản.pdf")
    address = f"{API}/resources/{resource_id}"
    found = contract.check(client.get(address))
    assert found["tables"] == []
    assert found["version"]["no_table"]["message"]
    assert [item["format"] for item in found["formats"]] == ["pdf"]
    assert contract.check(client.get(f"{address}/status"))["problems"]
    for part in ("schema", "report", "profile", "rows", "export.csv"):
        refused = client.get(f"{address}/{part}")
        assert refused.status_code == 404
        contract.check(refused)
    answer = client.get(f"{address}/file")
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_change_and_delete(
    client: Any, bearer: dict[str, str], wards: tuple[str, str], contract: Any
) -> None:
    address = f"{API}/resources/{wards[1]}"
    changed = contract.check(client.patch(address, json={"title": {"en": "Wards"}}, headers=bearer))
    assert changed["title"]["en"] == "Wards"
    for body in (
        {"titel": "a"},
        {"title": 5},
        {"title": {"fr": "a"}},
        {"title": {"vi": None}},
        {"title": None},
    ):
        wrong = client.patch(address, json=body, headers=bearer)
        assert wrong.status_code == 422, body
        assert contract.check(wrong)["errors"]
    gone = client.delete(address, headers=bearer)
    assert gone.status_code == 204
    contract.check(gone)
    assert client.get(address).status_code == 404
    assert client.delete(address, headers=bearer).status_code == 404


def _dataset_id(portal: Services, slug: str) -> str:
    return portal.catalogue_queries.dataset(COMMAND_LINE, slug).id
