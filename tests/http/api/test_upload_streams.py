"""Uploads as streams: any bytes in any chunks arrive whole; whatever is broken is refused while reading."""

from __future__ import annotations

import io
import random
import tracemalloc
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from opendata.http.uploads import (
    BrokenUploadError,
    CompressedUploadError,
    FormTooLargeError,
    IncomingFile,
    LengthNeededError,
    disposition_name,
    open_upload,
)
from opendata.kernel.errors import InvalidInputError, PortalError, TooLargeError

APP = Flask(__name__)
LIMIT = 8 << 20
BOUNDARY = "----WebKitFormBoundaryAbc123"
FORM = f"multipart/form-data; boundary={BOUNDARY}"

Part = tuple[str, str | None, bytes]


def form_body(*parts: Part, closed: bool = True) -> bytes:
    """Written by hand from RFC 7578, so that the decoder is not tested against its own encoder."""
    body = b""
    for name, filename, content in parts:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        if filename is not None:
            head += f'; filename="{filename}"\r\nContent-Type: application/octet-stream'
        body += head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + (f"--{BOUNDARY}--\r\n".encode() if closed else b"")


class Dripping(io.RawIOBase):
    """A connection that hands out bytes in odd pieces, and ends without a word when it breaks (as granian does)."""

    def __init__(self, content: bytes, seed: int) -> None:
        self._source = io.BytesIO(content)
        self._random = random.Random(seed)

    def read(self, size: int = -1, /) -> bytes:
        return self._source.read(min(size, self._random.choice([1, 2, 7, 100, 5000, 70_000])))


def opened(body: bytes, seed: int = 1, length: int | None = -1, **headers: Any) -> IncomingFile:
    environ = EnvironBuilder(method="POST").get_environ()
    environ["CONTENT_TYPE"] = headers.pop("content_type", FORM)
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    environ["wsgi.input"] = Dripping(body, seed)
    environ["wsgi.input_terminated"] = True
    environ.pop("CONTENT_LENGTH", None)
    if length is not None:
        environ["CONTENT_LENGTH"] = str(len(body) if length == -1 else length)
    with APP.request_context(environ):
        return open_upload(request._get_current_object(), limit=LIMIT, fallback_name=None)  # type: ignore[attr-defined]


def read_all(incoming: IncomingFile, size: int = 1 << 20) -> bytes:
    pieces = []
    while piece := incoming.read(size):
        assert len(piece) <= size
        pieces.append(piece)
    return b"".join(pieces)


CONTENTS = st.one_of(
    st.binary(max_size=2000),
    st.lists(
        st.sampled_from(
            [b"\r\n", b"--", BOUNDARY.encode(), b"\r\n--" + BOUNDARY.encode()[:-1], b"\r", b"\n", b"a"]
        ),
        max_size=60,
    ).map(b"".join),
    st.integers(0, 3).map(lambda n: random.Random(n).randbytes(200_000)),
).filter(lambda content: b"--" + BOUNDARY.encode() not in content)


@settings(max_examples=150, deadline=None)
@given(
    content=CONTENTS,
    seed=st.integers(0, 1000),
    before=st.booleans(),
    size=st.sampled_from([1, 3, 65_536, 1 << 20]),
)
def test_any_bytes_arrive_whole(content: bytes, seed: int, before: bool, size: int) -> None:
    field: Part = ("title", None, "Dân số".encode())
    file: Part = ("file", "dân số.csv", content)
    incoming = opened(form_body(*((field, file) if before else (file, field))), seed)
    assert incoming.filename == "dân số.csv"
    assert read_all(incoming, size if len(content) < 5000 else 1 << 20) == content
    assert incoming.fields == {"title": "Dân số"}
    assert incoming.read(10) == b""


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 600), seed=st.integers(0, 50))
def test_a_form_that_breaks_off_is_refused(cut: int, seed: int) -> None:
    body = form_body(("file", "a.csv", b"a,b\r\n" * 100), ("title", None, b"x"))
    end = len(body) - 2 - cut  # the closing boundary is whole without its last line end
    with pytest.raises(PortalError) as refused:
        read_all(opened(body[: end - 1], seed))
    assert refused.value.status in {400, 422}


def test_the_fields_are_checked_before_the_store_sees_the_end() -> None:
    incoming = opened(form_body(("file", "a.csv", b"a"), ("schema", None, b"{")))

    def refuse(fields: Any) -> None:
        assert fields == {"schema": "{"}
        raise ValueError("schema")

    incoming.finish = refuse
    assert incoming.read(1) == b"a"
    with pytest.raises(ValueError, match="schema"):
        incoming.read(1)


@pytest.mark.parametrize(
    "body",
    [
        form_body(("title", None, b"x")),
        form_body(("file", "", b"")),
        form_body(("upload", "a.csv", b"a")),
        form_body(),
        form_body(("file", None, b"text in a plain field")),
    ],
    ids=["no file", "nothing chosen", "wrong field", "empty form", "not a file"],
)
def test_a_form_without_a_file(body: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        opened(body)
    assert [error.field for error in refused.value.errors] == ["file"]


def test_a_second_file_is_refused() -> None:
    incoming = opened(form_body(("file", "a.csv", b"a"), ("file", "b.csv", b"b")))
    with pytest.raises(InvalidInputError):
        read_all(incoming)


def test_an_empty_second_file_field_is_not() -> None:
    incoming = opened(form_body(("more", "", b""), ("file", "a.csv", b"a"), ("more", "", b"")))
    assert read_all(incoming) == b"a"


def test_large_fields_and_endless_heads_are_refused_early() -> None:
    with pytest.raises(FormTooLargeError):
        opened(form_body(("title", None, b"x" * (2 << 20)), ("file", "a", b"a")))
    with pytest.raises(FormTooLargeError):
        read_all(opened(form_body(("file", "a", b"a"), ("title", None, b"x" * (2 << 20)))))
    endless = f"--{BOUNDARY}\r\nX: ".encode() + b"x" * (7 << 20)
    with pytest.raises(FormTooLargeError):
        opened(endless)
    with pytest.raises(FormTooLargeError):
        opened(form_body(*[("t", None, b"x")] * 100, ("file", "a", b"a")))


def test_announced_length_beyond_the_limit_is_refused_unread() -> None:
    with pytest.raises(TooLargeError):
        opened(b"", length=LIMIT * 2)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=\xe9"])
def test_a_form_without_a_usable_boundary(content_type: str) -> None:
    with pytest.raises(BrokenUploadError):
        opened(form_body(("file", "a", b"a")), content_type=content_type)


RAW: dict[str, Any] = {
    "content_type": "text/csv",
    "content_disposition": "attachment; filename*=UTF-8''d%C3%A2n.csv",
}


def test_bare_bytes_with_a_name() -> None:
    content = random.Random(3).randbytes(300_000)
    incoming = opened(content, **RAW)
    assert incoming.filename == "dân.csv"
    assert read_all(incoming) == content


def test_bare_bytes_that_break_off() -> None:
    with pytest.raises(BrokenUploadError):
        read_all(opened(b"a" * 1000, length=2000, **RAW))


def test_bare_bytes_need_a_length_and_a_name() -> None:
    with pytest.raises(LengthNeededError):
        opened(b"a", length=None, **RAW)
    with pytest.raises(InvalidInputError):
        opened(b"a", content_type="text/csv")
    with pytest.raises(CompressedUploadError):
        opened(b"a", content_encoding="gzip", **RAW)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="a b.csv"', "a b.csv"),
        ("attachment; filename=a.csv", "a.csv"),
        ("attachment; filename*=UTF-8''%E1%BB%87.csv", "ệ.csv"),
        ('attachment; filename="tệp.csv"', "tệp.csv"),
        ("attachment", None),
        ("", None),
        (";;;=", None),
    ],
)
def test_names_in_content_disposition(header: str, name: str | None) -> None:
    as_wsgi = header.encode("utf-8").decode("latin-1")
    assert disposition_name(as_wsgi) == name


def test_memory_stays_small() -> None:
    """64 MB pass through while the decoder never holds more than a few chunks."""

    class Zeros(io.RawIOBase):
        left = 64 << 20

        def read(self, size: int = -1, /) -> bytes:
            given = min(size, self.left)
            self.left -= given
            return bytes(given)

    head = form_body(("file", "zeros.bin", b""), closed=False)[:-2]
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    incoming = opened_stream(_Chain([io.BytesIO(head), Zeros(), io.BytesIO(tail)]))
    tracemalloc.start()
    total = sum(len(piece) for piece in iter(lambda: incoming.read(1 << 20), b""))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == 64 << 20
    assert peak < 4 << 20


class _Chain(io.RawIOBase):
    def __init__(self, sources: list[Any]) -> None:
        self._sources = sources

    def read(self, size: int = -1, /) -> bytes:
        while self._sources:
            if piece := self._sources[0].read(size):
                return bytes(piece)
            self._sources.pop(0)
        return b""


def opened_stream(stream: Any) -> IncomingFile:
    environ = EnvironBuilder(method="POST").get_environ()
    environ |= {"CONTENT_TYPE": FORM, "wsgi.input": stream, "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    with APP.request_context(environ):
        return open_upload(request._get_current_object(), limit=LIMIT, fallback_name=None)  # type: ignore[attr-defined]
