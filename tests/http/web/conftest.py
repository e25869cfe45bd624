"""A small library of published datasets, made once: what the tests of pages that only read look at.

Everything goes through the real services and the real pipeline. Tests that change something use the
`portal` and `client` of the folder above instead.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from opendata.accounts.policy import COMMAND_LINE
from opendata.app import create_app
from opendata.job_wiring import build_job_runner
from opendata.resources.service import Upload
from opendata.settings import load_settings
from opendata.wiring import build_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from opendata.wiring import Services

HOSTILE = "Giá </script><script>alert(1)</script> & \"ngoặc\" 'đơn' <b>đậm</b>"
LONG_TEXT = "Ngày xửa ngày xưa. " * 400


@dataclass(frozen=True)
class Shelf:
    """A published dataset: its slug, its files in order, and the CSV text it was made from."""

    slug: str
    files: tuple[str, ...]
    source: str = ""

    @property
    def page(self) -> str:
        return f"/vi/datasets/{self.slug}"

    def file(self, number: int = 0) -> str:
        return f"{self.page}/resources/{self.files[number]}"

    @property
    def rows(self) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self.source)))[1:]


@dataclass(frozen=True)
class Library:
    services: Services
    provinces: Shelf
    measures: Shelf
    hostile: Shelf
    wide: Shelf
    document: Shelf

    @property
    def all(self) -> tuple[Shelf, ...]:
        return (self.provinces, self.measures, self.hostile, self.wide, self.document)


def provinces_csv() -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["ma", "ten", "vung", "dan_so", "thanh_lap", "ghi_chu"])
    for number in range(1, 124):
        region = "Bắc" if number % 3 else "Nam"
        note = "" if number % 5 else f"ghi chú {number}"
        writer.writerow(
            [
                f"{number:03d}",
                f"Tỉnh số {number}",
                region,
                number * 1000 + 7,
                f"2024-02-{1 + number % 28:02d}",
                note,
            ]
        )
    return out.getvalue()


def measures_csv() -> str:
    return "nam,chi_so\n2018,-0.5931\n2020,0.6667\n2022,12.5\n2024,\n"


def hostile_csv() -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["<img src=x onerror=alert(1)>", "chu"])
    writer.writerow([HOSTILE, LONG_TEXT])
    writer.writerow(["=1+1", "ngắn"])
    return out.getvalue()


def wide_csv() -> str:
    header = ",".join(f"cot_{number}" for number in range(1, 201))
    rows = (",".join(str(row * column) for column in range(1, 201)) for row in range(1, 31))
    return header + "\n" + "\n".join(rows) + "\n"


@pytest.fixture(scope="session")
def library(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("library") / "data"
    shutil.copytree(prepared_folder, folder)
    services = build_services(
        load_settings(data_dir=folder, secret_key="s" * 40, base_url="http://portal.test")
    )
    full: dict[str, object] = {
        "description": "Dân số **theo tỉnh**, mỗi dòng một tỉnh.\n\n## Cách đọc\n\nMã là chữ.",
        "theme": "dia-phuong",
        "license": "cc-by-4.0",
        "frequency": "ANNUAL",
        "place": "VN",
        "keywords": ["dân số", "tỉnh"],
        "period_start": "2020-01-01",
        "contact_email": "dulieu@example.org",
    }
    made = Library(
        services,
        provinces=_publish(services, "Dân số các tỉnh", [(provinces_csv(), "dan_so.csv")], full),
        measures=_publish(
            services, "Chỉ số theo năm", [(measures_csv(), "chi_so.csv")], {"theme": "cong-nghe"}
        ),
        hostile=_publish(
            services, HOSTILE, [(hostile_csv(), "hostile.csv")], {"description": f"{HOSTILE}\n\n{HOSTILE}"}
        ),
        wide=_publish(services, "Bảng rất rộng", [(wide_csv(), "rong.csv")], {}),
        document=_publish(
            services,
            "Báo cáo năm",
            [
                ("%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF", "bao_cao.pdf"),
                ("a,b\n1,2\n", "phu_luc.csv"),
            ],
            {"publisher": "BYT"},
        ),
    )
    build_job_runner(services).run_waiting()
    yield made
    services.close()


def _publish(
    services: Services, title: str, files: list[tuple[str, str]], metadata: dict[str, object]
) -> Shelf:
    fields = {"title": title, "publisher": "BKHCN", **metadata}
    dataset = services.catalogue.create_dataset(COMMAND_LINE, fields, publish_when_ready=True)
    made = [
        services.resources.add_resource(COMMAND_LINE, dataset.id, Upload(io.BytesIO(text.encode()), name))
        for text, name in files
    ]
    return Shelf(dataset.slug, tuple(received.resource_id for received in made), files[0][0])


@pytest.fixture
def reader(library: Library) -> FlaskClient:
    """A visitor of the library."""
    return create_app(library.services.settings, library.services).test_client()


class Page(HTMLParser):
    """What a reader's program sees of a page: text, links, form fields, elements by name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._in_cell = False
        self._skipped = 0
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._skipped += 1
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag == "td" and self.tables:
            self.tables[-1][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._skipped -= 1
        elif tag == "td":
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        self.words.append(data)
        if self._in_cell:
            self.tables[-1][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def links(self) -> list[str]:
        return [link["href"] or "" for link in self.all("a") if "href" in link]

    def rows(self, table: int = 0) -> list[list[str]]:
        """Cells of the body, without the row number."""
        return [[cell.strip() for cell in row[1:]] for row in self.tables[table] if row]

    def link_after(self, html: str, words: str) -> str | None:
        """The address of the link whose text holds `words`."""
        for match in re.finditer(r"<a\b[^>]*href=\"([^\"]+)\"[^>]*>(.*?)</a>", html, re.DOTALL):
            if words in re.sub(r"<[^>]+>", "", match[2]):
                return match[1].replace("&amp;", "&")
        return None


@pytest.fixture(scope="session")
def read_page() -> Callable[[str], Page]:
    return Page


@pytest.fixture
def sign_in() -> Callable[..., str]:
    """Sign a client in through the form; the form token of the session."""

    def sign(client: FlaskClient, email: str, password: str) -> str:
        token = form_token(client, "/vi/sign-in")
        answer = client.post("/vi/sign-in", data={"form_token": token, "email": email, "password": password})
        assert answer.status_code == 303, answer.text
        return form_token(client, "/vi/account")

    return sign


@pytest.fixture(scope="session")
def token_of() -> Callable[[FlaskClient, str], str]:
    return form_token


def form_token(client: FlaskClient, address: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get(address).text)
    assert found is not None
    return found[1]


@pytest.fixture
def desk(client, officer, sign_in):
    """A signed-in officer of BKHCN: (client, form token)."""
    return client, sign_in(client, officer.email, officer.password)
