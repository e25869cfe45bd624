"""Whatever is thrown at a reading address, the answer is a 2xx, a 304 or a refusal in words; never a fault."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

API = "/api/v1"
NAMES = st.sampled_from(
    [
        "q",
        "theme",
        "publisher",
        "format",
        "license",
        "frequency",
        "place",
        "sort",
        "page",
        "per_page",
        "facets",
        "table",
        "version",
        "lang",
        "limit",
        "cursor",
        "count",
        "select",
        "bom",
        "mã",
        "tên",
        "dân\xa0số__gt",
        "dân",
        "số__gt",
        "col.mã__in",
        "ngày__le",
        "mã__isnull",
        "tên__contains",
    ]
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "-1", "0", "1e9", "9" * 400, "null", "NaN", "%", "\\", "'", '"', "a,b", '"a', "-", "--", ",,"]
    ),
    st.sampled_from(
        ["[", "(", "*", "a~2", "a AND", 'NOT "', "title:x", "a:", "^", "/re/", "\x00", "\u202e", "\ufeff"]
    ),
    st.integers().map(str),
    st.dates().map(str),
)
PAIRS = st.lists(st.tuples(st.one_of(NAMES, st.text(max_size=12)), VALUES), max_size=5)
RAW = st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))


def reading_addresses(library: Any) -> list[str]:
    values = {
        "key": library.slug,
        "resource_id": library.resource_id,
        "upload_id": "0" * 26,
        "format_name": "csv",
    }
    paths = [path for path, item in library.contract.document["paths"].items() if "get" in item]
    return [path.format(**values) for path in paths]


def assert_in_words(answer: Any, asked: object) -> None:
    assert answer.status_code < 500, (asked, answer.text)
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json", asked
        assert answer.json["detail"], asked
    assert answer.data is not None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=PAIRS, place=st.integers(0, 1000))
def test_random_query_strings(library: Any, pairs: list[tuple[str, str]], place: int) -> None:
    addresses = reading_addresses(library)
    query = urlencode(pairs, errors="surrogatepass")
    asked = f"{addresses[place % len(addresses)]}?{query}"
    assert_in_words(library.client.get(asked), asked)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=RAW, place=st.integers(0, 1000))
def test_query_strings_that_are_no_text(library: Any, raw: str, place: int) -> None:
    addresses = reading_addresses(library)
    asked = addresses[place % len(addresses)]
    answer = library.client.get(asked, environ_overrides={"QUERY_STRING": raw})
    assert_in_words(answer, (asked, raw))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(max_size=40), place=st.integers(0, 1000))
def test_random_names_in_addresses(library: Any, key: str, place: int) -> None:
    rules = [path for path in library.contract.document["paths"] if "{" in path]
    segment = quote(key, safe="", errors="surrogatepass")
    asked = rules[place % len(rules)].format(
        key=segment, resource_id=segment, upload_id=segment, format_name=segment
    )
    assert_in_words(library.client.get(asked), asked)


HEADERS = ["Range", "If-Range", "If-None-Match", "If-Match", "If-Modified-Since", "Accept", "Accept-Language"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    headers=st.dictionaries(st.sampled_from([*HEADERS, "Authorization", "Cookie"]), RAW, max_size=4),
    place=st.integers(0, 1000),
)
def test_random_headers(library: Any, headers: dict[str, str], place: int) -> None:
    addresses = reading_addresses(library)
    asked = addresses[place % len(addresses)]
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    assert_in_words(library.client.get(asked, environ_overrides=environ), (asked, headers))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "title",
        "description",
        "keywords",
        "theme",
        "publisher",
        "license",
        "frequency",
        "place",
        "issued",
        "modified",
        "period_start",
        "contact_email",
        "source_url",
        "slug",
        "publish_when_ready",
        "resources",
    ]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(FIELDS | st.text(max_size=8), JSON, max_size=6), create=st.booleans())
def test_random_metadata(library: Any, body: dict[str, Any], create: bool) -> None:
    body["publisher"] = "NOBODY" if create else body.get("publisher")
    if create:
        answer = library.client.post(f"{API}/datasets", json=body, headers=library.editor)
        assert answer.status_code in {400, 403, 422}, answer.text
    else:
        answer = library.client.patch(
            f"{API}/datasets/{library.draft_slug}", json=body, headers=library.editor
        )
    assert_in_words(answer, body)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_every_method_everywhere(library: Any, method: str) -> None:
    for path in library.contract.document["paths"]:
        asked = path.format(
            key=library.slug, resource_id=library.resource_id, upload_id="0" * 26, format_name="csv"
        )
        answer = library.client.open(asked, method=method)
        assert_in_words(answer, (method, asked))
        if method not in {"GET", "OPTIONS"}:
            assert answer.status_code in {401, 405}, (method, asked)


def test_documents_of_faults_say_nothing_of_the_inside(
    library: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(type(library.portal.catalogue_queries), "dataset", fail)
    answer = library.get(f"/datasets/{library.slug}")
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert "secret" not in answer.text
    assert "secret inside" in caplog.text
