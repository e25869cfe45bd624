"""The documentation page: complete in both languages, nothing from outside, and its examples run as printed."""

from __future__ import annotations

import io
import json
import re
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from opendata.accounts.policy import COMMAND_LINE, Role
from opendata.job_wiring import build_job_runner
from opendata.resources.service import Upload

if TYPE_CHECKING:
    from pathlib import Path

API = "/api/v1"


class Page(HTMLParser):
    """What a page loads, where it links to, and the code it prints."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.code: list[str] = []
        self.tags: set[str] = set()
        self._in_code = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.add(tag)
        assert not any(name.startswith("on") or name == "style" for name in named)
        if tag == "link" and named.get("rel") == "stylesheet":
            self.loads.append(named["href"] or "")
        if "src" in named:
            self.loads.append(named["src"] or "")
        if tag == "a":
            self.links.append(named.get("href") or "")
        if named.get("id"):
            self.ids.add(named["id"] or "")
        if tag == "pre":
            self._in_code = True
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.code[-1] += data


@pytest.mark.parametrize("name", ["docs", "docs/shapes"])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_page_stands_alone(library: Any, lang: str, name: str) -> None:
    answer = library.get(f"/{name}?lang={lang}")
    page = Page(answer.text)
    assert answer.headers["Content-Language"] == lang
    assert f'<html lang="{lang}">' in answer.text
    assert "script" not in page.tags
    assert "style" not in page.tags
    assert page.loads
    for address in page.loads:
        assert address.startswith("/assets/")
        with library.client.get(address) as sheet:
            assert sheet.status_code == 200, address
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link
        elif "#" in link:
            address, _, mark = link.partition("#")
            assert mark in Page(library.client.get(address).text).ids, link
    assert len(answer.data) < 100_000
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_every_operation_is_on_the_page(library: Any) -> None:
    page = Page(library.get("/docs").text)
    for item in library.contract.document["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                assert operation["operationId"] in page.ids
                assert operation["x-codeSamples"][0]["source"] in page.code


def test_the_language_follows_the_reader(library: Any) -> None:
    assert '<html lang="en">' in library.get("/docs", Accept_Language="en").text
    assert '<html lang="vi">' in library.get("/docs").text


def test_an_empty_portal_is_documented_too(client: Any) -> None:
    assert "RESOURCE_ID" in client.get(f"{API}/docs").text


MAKING = (
    "create_dataset",
    "add_resource",
    "replace_file",
    "correct_reading",
    "change_dataset",
    "change_resource",
    "decide",
    "begin_upload",
    "read_upload",
    "send_bytes",
    "override_method",
)
ENDING = ("stop_upload", "publish_dataset", "withdraw_dataset", "delete_resource", "delete_dataset")


def test_the_examples_run_as_printed(served: tuple[Any, Any], publish_seed: Any, tmp_path: Path) -> None:
    """Each one in a shell, with what the page says to set; those that take things away come last."""
    portal, app = served
    publish_seed(portal, {"xep-hang-chinh-phu-dien-tu", "cac-dan-toc-viet-nam"})
    examples = _examples(app.test_client().get(f"{API}/openapi.json").json)
    found = re.search(r'"publisher": "([^"]+)"', examples["create_dataset"])
    assert found
    agency = found[1]
    portal.accounts.add_person(COMMAND_LINE, email="a@example.org", name="A", password="mật-khẩu-rất-dài")
    portal.accounts.set_role(COMMAND_LINE, "a@example.org", agency, Role.ADMIN)
    token = portal.accounts.issue_token(COMMAND_LINE, "a@example.org", "docs")
    shell = {"OPENDATA_TOKEN": token, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    (tmp_path / "data.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    reading = [name for name in examples if name not in {*MAKING, *ENDING}]
    for name in (*reading, *MAKING, *ENDING):
        if name == "delete_dataset":  # the one of the other examples was public by now
            portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Nháp", "publisher": agency}, slug="nhap")
            examples[name] = examples[name].replace("vi-du-api", "nhap")
        if name == "decide":
            _hold_a_version(portal, shell["RESOURCE_ID"])
            examples[name] = examples[name].replace('"version": 1', '"version": 4')
        if name in {"override_method", "stop_upload"}:  # the one before is whole by now
            shell["UPLOAD_ID"] = _upload_id(_run(examples["begin_upload"], tmp_path, shell))
        output = _run(examples[name], tmp_path, shell)
        if name == "begin_upload":
            shell["UPLOAD_ID"] = _upload_id(output)
        if name == "add_resource":
            shell["RESOURCE_ID"] = json.loads(output)["resource_id"]
        if name in {"add_resource", "replace_file", "correct_reading"}:
            build_job_runner(portal).run_waiting()
    assert portal.resource_queries.row_total() > 0


def _upload_id(answer: str) -> str:
    found = re.search(r"^Location: .*/uploads/(\w+)\s*$", answer, re.MULTILINE)
    assert found, answer
    return found[1]


def _hold_a_version(portal: Any, resource_id: str) -> None:
    people = "họ và tên,số căn cước\n" + "".join(
        f"Nguyễn Văn {chr(65 + n)},0010990{n:05d}\n" for n in range(12)
    )
    upload = Upload(io.BytesIO(people.encode()), "người.csv")
    portal.resources.replace_file(COMMAND_LINE, resource_id, upload)
    build_job_runner(portal).run_waiting()
    held = portal.resource_queries.resource(COMMAND_LINE, resource_id).latest
    assert (held.state, held.number) == ("held", 4)


def _examples(document: dict[str, Any]) -> dict[str, str]:
    return {
        operation["operationId"]: operation["x-codeSamples"][0]["source"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    }


def _run(code: str, folder: Path, shell: dict[str, str]) -> str:
    """Curl says with its exit code when the portal refused."""
    failing = code.replace("curl ", "curl --silent --show-error --fail-with-body ", 1)
    done = subprocess.run(["bash", "-c", failing], cwd=folder, env=shell, capture_output=True, check=False)
    assert done.returncode == 0, (code, done.stdout[:500], done.stderr)
    return done.stdout.decode("utf-8", "replace")


@pytest.mark.parametrize(
    "column", ["năm", "a b", "limit", "it's", "a,b", '"q"', "-x", "col.y", "a__gt", "{z}"]
)
def test_examples_name_any_column(
    served: tuple[Any, Any], publish_csv_into: Any, tmp_path: Path, column: str
) -> None:
    portal, app = served
    head = '"' + column.replace('"', '""') + '"'
    publish_csv_into(portal, f"Bảng của 'ai' {column}", f"{head},khác\n1,2\n3,4\n")
    examples = _examples(app.test_client().get(f"{API}/openapi.json").json)
    shell = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    assert json.loads(_run(examples["query_rows"], tmp_path, shell))["total"] == 2
    assert _run(examples["export_rows"], tmp_path, shell).count("\n") == 3
    assert json.loads(_run(examples["search_datasets"], tmp_path, shell))["total"] == 1
