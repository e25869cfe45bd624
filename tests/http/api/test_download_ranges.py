"""Downloads: every form of Range against the file itself, validators, names, and hostile headers."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from email import message_from_bytes
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from opendata.http.files import (
    Download,
    RangeError,
    content_disposition,
    read_ranges,
    send_download,
    starts_download,
)
from opendata.kernel.errors import PortalError

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

CONTENT = random.Random(7).randbytes(700_001)
TAG = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)
FINISHED = dt.datetime(2026, 3, 1, 8, 30, 15, 999, tzinfo=dt.UTC)


@pytest.fixture
def counted() -> list[bool]:
    return []


@pytest.fixture
def file_client(tmp_path: Path, counted: list[bool]) -> FlaskClient:
    path = tmp_path / "stored"
    path.write_bytes(CONTENT)
    app = Flask(__name__)
    download = Download(path, SIZE, TAG, "Dân số 2025.csv", "text/csv", modified=FINISHED)

    @app.get("/file")
    def file() -> Response:
        response = send_download(download)
        counted.append(starts_download(response))
        return response

    @app.errorhandler(PortalError)
    def refuse(error: PortalError) -> Response:
        return Response("no", error.status, headers=getattr(error, "headers", {}))

    return app.test_client()


def test_whole_file(file_client: FlaskClient, counted: list[bool]) -> None:
    answer = file_client.get("/file")
    assert answer.status_code == 200
    assert answer.data == CONTENT
    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["ETag"] == f'"{TAG}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["Last-Modified"] == "Sun, 01 Mar 2026 08:30:15 GMT"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Dan so 2025.csv"')
    assert counted == [True]


def test_head_has_the_headers_and_no_body(file_client: FlaskClient, counted: list[bool]) -> None:
    whole, head = file_client.get("/file"), file_client.head("/file")
    assert head.status_code == 200
    assert head.data == b""
    kept = {name: value for name, value in whole.headers.items() if name != "Date"}
    assert {name: value for name, value in head.headers.items() if name != "Date"} == kept
    assert counted == [True, False]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=0-", slice(0, None)),
        ("bytes=100-199", slice(100, 200)),
        (f"bytes={SIZE - 1}-", slice(SIZE - 1, None)),
        (f"bytes=5-{SIZE + 1000}", slice(5, None)),
        ("bytes=-1", slice(-1, None)),
        ("bytes=-300000", slice(-300_000, None)),
        (f"bytes=-{SIZE * 2}", slice(0, None)),
        ("Bytes= 10-19 ", slice(10, 20)),
        ("bytes=10-19,9999999-", slice(10, 20)),
    ],
)
def test_single_range(file_client: FlaskClient, header: str, expected: slice) -> None:
    answer = file_client.get("/file", headers={"Range": header})
    start, stop, _ = expected.indices(SIZE)
    assert answer.status_code == 206
    assert answer.data == CONTENT[expected]
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=20-10",
        "items=0-5",
        "0-5",
        "bytes=0-5;6-7",
        "bytes=0x10-0x20",
        "bytes=--5",
        "bytes=٣-٥",
        "bytes=" + "9" * 5000 + "-",
        "bytes=" + ",".join(["0-1"] * 17),
        "bytes=0-,0-",
        "bytes=0-5,banana",
    ],
)
def test_ranges_that_are_ignored(file_client: FlaskClient, header: str) -> None:
    answer = file_client.get("/file", environ_overrides={"HTTP_RANGE": header.encode().decode("latin-1")})
    assert answer.status_code == 200
    assert answer.data == CONTENT


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", "bytes=99999999-", "bytes=-0", f"bytes={SIZE}-,-0"])
def test_range_beyond_the_end(file_client: FlaskClient, header: str) -> None:
    answer = file_client.get("/file", headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


def test_several_ranges_come_as_parts(file_client: FlaskClient) -> None:
    answer = file_client.get("/file", headers={"Range": "bytes=0-9, 500000-500019, -5"})
    assert answer.status_code == 206
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + answer.data, EmailMessage).get_payload()
    assert isinstance(parts, list)
    assert [part["Content-Range"] for part in parts if isinstance(part, EmailMessage)] == [
        f"bytes 0-9/{SIZE}",
        f"bytes 500000-500019/{SIZE}",
        f"bytes {SIZE - 5}-{SIZE - 1}/{SIZE}",
    ]
    boundary = answer.mimetype_params["boundary"].encode()
    bodies = [piece.split(b"\r\n\r\n", 1)[1] for piece in answer.data.split(b"--" + boundary)[1:4]]
    assert [body[:-2] for body in bodies] == [CONTENT[:10], CONTENT[500_000:500_020], CONTENT[-5:]]


def test_if_range(file_client: FlaskClient) -> None:
    def get(condition: str) -> int:
        headers = {"Range": "bytes=0-9", "If-Range": condition}
        return file_client.get("/file", headers=headers).status_code

    assert get(f'"{TAG}"') == 206
    assert get('"another"') == 200
    assert get(f'W/"{TAG}"') == 200
    assert get("Sun, 01 Mar 2026 08:30:15 GMT") == 200
    assert get("nonsense") == 200


def test_conditions(file_client: FlaskClient, counted: list[bool]) -> None:
    def get(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return file_client.get("/file", headers=named).status_code

    assert get(If_None_Match=f'"{TAG}"') == 304
    assert get(If_None_Match=f'W/"{TAG}", "x"') == 304
    assert get(If_None_Match="*") == 304
    assert get(If_None_Match=f'"{TAG}"', Range="bytes=0-9") == 304
    assert get(If_Modified_Since="Sun, 01 Mar 2026 08:30:15 GMT") == 304
    assert get(If_Match='"another"') == 412
    assert not any(counted)
    assert get(If_None_Match='"another"') == 200
    assert get(If_Modified_Since="Sun, 01 Mar 2026 08:30:14 GMT") == 200
    assert get(If_Match=f'"{TAG}"') == 200


@pytest.mark.parametrize(
    ("header", "is_start"),
    [
        ("bytes=0-9", True),
        ("bytes=0-", True),
        ("bytes=10-", False),
        ("bytes=-5", False),
        ("bytes=1-2,5-6", True),
    ],
)
def test_what_counts_as_a_download(
    file_client: FlaskClient, counted: list[bool], header: str, is_start: bool
) -> None:
    file_client.get("/file", headers={"Range": header})
    assert counted == [is_start]


@given(st.text(alphabet="bytes=-,0123456789 ;", max_size=40) | st.text(max_size=20), st.integers(1, 10**12))
def test_any_range_header_stays_inside_the_file(header: str, size: int) -> None:
    for text in (header, "bytes=" + header):
        try:
            spans = read_ranges(text, size)
        except RangeError:
            continue
        for start, length in spans or ():
            assert 0 <= start < size
            assert 1 <= length <= size - start


@given(st.text(max_size=60))
def test_any_name_makes_one_safe_header(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    plain = header.removeprefix('attachment; filename="').partition('"')[0]
    assert plain
    assert "\\" not in plain


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
def test_browsers_read_the_real_name(name: str) -> None:
    header = content_disposition(name).partition("filename*=UTF-8''")[2]
    assert header
    assert unquote(header, errors="strict") == name


@pytest.mark.parametrize(
    "claimed",
    [
        "text/html",
        "image/svg+xml",
        "application/javascript",
        "text/csv\r\nSet-Cookie: a=b",
        "",
        "x",
        "ТЕКСТ/csv",
    ],
)
def test_types_that_could_act_or_inject_become_plain_bytes(tmp_path: Path, claimed: str) -> None:
    assert Download(tmp_path, 1, TAG, "a", claimed).safe_type == "application/octet-stream"
