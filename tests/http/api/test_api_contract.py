"""The OpenAPI document against the app: nothing undocumented, nothing documented that is not there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from opendata.accounts.policy import Permission
from opendata.api.access import EVERYONE, MARK
from opendata.catalogue.search_form import read_form
from opendata.kernel.errors import UnknownParameterError

API = "/api/v1"
MARKS = {EVERYONE, *(str(permission) for permission in Permission)}


def api_rules(library: Any) -> list[Any]:
    app = library.client.application
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")]


def test_every_route_says_who_may(library: Any) -> None:
    app = library.client.application
    for rule in api_rules(library):
        mark = vars(app.view_functions[rule.endpoint]).get(MARK)
        assert mark in MARKS, f"{rule} does not say who may"
        if rule.methods - {"GET", "HEAD", "OPTIONS"}:
            assert mark != EVERYONE, f"{rule} writes for everyone"


def test_every_route_is_documented_and_nothing_else(library: Any) -> None:
    routed = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in api_rules(library)
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    document = library.contract.document
    documented = {
        (path, method)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert routed == documented


def test_the_document_is_sound(library: Any) -> None:
    document = library.contract.document
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"]
    assert document["servers"] == [{"url": "http://portal.test"}]
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("properties"), f"{name} says nothing"
    text = str(document)
    for reference in set(re.findall(r"'\$ref': '([^']+)'", text)):
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
    operations = [o for item in document["paths"].values() for m, o in item.items() if m != "parameters"]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    for path, item in document["paths"].items():
        named = {parameter["name"] for parameter in item.get("parameters", []) if parameter["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
    for operation in operations:
        assert operation["summary"]
        assert operation["x-codeSamples"][0]["source"]
        assert ("security" in operation) == (operation["x-who-may"] != EVERYONE)


def test_documented_search_parameters_are_those_of_the_grammar(library: Any) -> None:
    operation = library.contract.document["paths"][f"{API}/datasets"]["get"]
    documented = {parameter["name"] for parameter in operation["parameters"]}
    with pytest.raises(UnknownParameterError) as refused:
        read_form([("no-such-name", "")], also=("facets", "explain"))
    assert documented == set(str(refused.value.params["known"]).split(", "))


def test_documented_row_parameters_are_those_of_the_grammar(library: Any) -> None:
    operation = library.contract.document["paths"][f"{API}/resources/{{resource_id}}/rows"]["get"]
    documented = {parameter["name"] for parameter in operation["parameters"]}
    refusal = library.get(f"/resources/{library.resource_id}/rows?nope=1", Accept_Language="en").json[
        "detail"
    ]
    for name in documented - {"table", "filters"}:
        assert name in refusal


def test_metadata_fields_are_the_profiles(library: Any) -> None:
    schemas = library.contract.document["components"]["schemas"]
    fields = {field.name for field in library.portal.profile.fields}
    own = set(schemas["Dataset"]["properties"]) - fields
    assert fields <= set(schemas["Dataset"]["properties"])
    assert fields | {"slug", "publish_when_ready"} == set(schemas["NewDataset"]["properties"])
    assert fields == set(schemas["DatasetChanges"]["properties"])
    assert own & fields == set()
    for field in library.portal.profile.fields:
        example = schemas["NewDataset"]["properties"][field.name]["examples"][0]
        Draft202012Validator(schemas["NewDataset"]["properties"][field.name]).validate(example)


def test_every_read_answers_as_documented(library: Any) -> None:
    values = {"key": library.slug, "resource_id": library.resource_id}
    for path, item in library.contract.document["paths"].items():
        if item.get("get", {}).get("x-who-may") != EVERYONE:
            continue
        for format_name in ("csv", "parquet", "arrow", "json", "jsonl") if "{format_name}" in path else ("",):
            address = path.format(**values, format_name=format_name)
            answer = library.client.get(address + ("?q=ph" if address.endswith("/suggest") else ""))
            assert answer.status_code == 200, address
            library.contract.check(answer)
            assert answer.headers["ETag"], address
            assert answer.headers["Cache-Control"], address
            head = library.client.head(answer.request.full_path)
            assert head.status_code == 200
            assert head.data == b""


def test_the_document_speaks_both_languages(library: Any) -> None:
    vietnamese = library.get("/openapi.json", Accept_Language="vi").json
    english = library.get("/openapi.json", Accept_Language="en").json
    title = english["components"]["schemas"]["NewDataset"]["properties"]["title"]["title"]
    assert title == "Title"
    assert (
        vietnamese["components"]["schemas"]["NewDataset"]["properties"]["title"]["title"] == "Tên bộ dữ liệu"
    )
    assert vietnamese["paths"].keys() == english["paths"].keys()
