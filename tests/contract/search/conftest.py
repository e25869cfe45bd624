"""A small catalogue in every engine: each test in this folder runs on all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from opendata.kernel.text import fold, sort_key
from opendata.search.parsing import Parser
from opendata.search.port import (
    PUBLIC,
    IndexSchema,
    Range,
    SearchDocument,
    SearchRequest,
    SearchResponse,
    TextField,
)
from opendata.search.query import Between, Facet, Within
from opendata.search.service import SearchService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENGINES = ("columns", "tantivy", "whoosh")
SCHEMA = IndexSchema(
    texts=(TextField("title", 3.0), TextField("keywords", 2.0, snippet=False), TextField("description")),
    facets=("theme", "format", "place"),
    numbers=("modified", "downloads"),
    sort_keys=("title",),
)
ALIASES = {
    "TP.HCM": ("Thành phố Hồ Chí Minh", "Sài Gòn"),
    "UBND": ("Ủy ban nhân dân",),
}


def named_theme(value: str) -> Facet | None:
    return Facet("theme", (value.upper(),)) if value.upper() in {"SOCI", "ECON", "ENVI", "AGRI"} else None


def within(boost: float) -> Callable[[str], Within | None]:
    return lambda value: Within(boost, tuple(fold(value).split())) if value.strip() else None


def numbered(value: str) -> Between | None:
    """`3..5`: both ends count, and so does a length of the title that no row goes beyond."""
    low, dots, high = value.partition("..")
    if not dots or not (low + high).isdigit():
        return None
    asked = Range(float(low) if low else None, float(high) if high else None)
    return Between((("modified", asked), ("downloads", Range(high=1000.0))))


READER = Parser(
    ALIASES,
    {
        "theme": named_theme,
        "chu-de": named_theme,
        "title": within(3.0),
        "keyword": within(2.0),
        "number": numbered,
    },
    ("bộ dữ liệu về", "dữ liệu"),
)
EVERYONE = frozenset({PUBLIC})

# id, title, description, keywords, theme, formats, place
ROWS = (
    ("dan-so-hn", "Dân số Hà Nội năm 2023", "Dân số trung bình chia theo quận, huyện.", "dân số; nhân khẩu", "SOCI", ("CSV", "XLSX"), "01"),
    ("dan-so-hcm", "Dân số Thành phố Hồ Chí Minh", "Số liệu điều tra dân số năm 2019.", "dân số", "SOCI", ("CSV",), "79"),
    ("lao-dong", "Lao động và việc làm", "Dân số trong độ tuổi lao động; tỷ lệ thất nghiệp.", "lao động", "SOCI", ("XLSX",), "01"),
    ("dat-dai", "Bảng giá đất tỉnh Đắk Lắk", "Quy định giá đất ở, đất nông nghiệp.", "đất đai", "AGRI", ("PDF",), "66"),
    ("khong-khi", "Chất lượng không khí", "Trạm quan trắc tại Sài Gòn, bụi PM2.5 theo giờ.", "môi trường", "ENVI", ("JSON", "CSV"), "79"),
    ("dich-vu-cong", "Dịch vụ công trực tuyến", "Hồ sơ tiếp nhận tại UBND các xã, mã đơn vị H55.242.", "thủ tục hành chính", "SOCI", ("CSV",), "01"),
    ("thu-tuc", "Danh mục thủ tục hành chính", "Do Ủy ban nhân dân tỉnh công bố theo Nghị định 194/2025/NĐ-CP.", "thủ tục", "SOCI", ("XLSX",), "66"),
    ("xuat-khau", "Kim ngạch xuất khẩu", "Giá trị xuất khẩu theo nhóm hàng.", "thương mại", "ECON", ("CSV", "JSON"), "01"),
    ("nhap-khau", "Kim ngạch nhập khẩu", "Giá trị nhập khẩu theo nhóm hàng.", "thương mại", "ECON", ("CSV",), "79"),
    ("y-te", "Cơ sở khám chữa bệnh", "Bệnh viện và trạm y tế, quản lý theo mã.", "y tế", "HEAL", ("CSV",), "01"),
    ("ky-thuat", "Hạ tầng kĩ thuật", "Công trình do Sở quản lí.", "xây dựng", "TRAN", ("PDF",), "79"),
    ("population", "Population of provinces", "Average population by province and year.", "population", "SOCI", ("CSV",), "01"),
)  # fmt: skip


def document(  # noqa: PLR0917 - a row of the table above
    name: str,
    title: str,
    description: str = "",
    keywords: str = "",
    theme: str = "SOCI",
    formats: tuple[str, ...] = ("CSV",),
    place: str = "01",
    *,
    access: tuple[str, ...] = (PUBLIC,),
    modified: float = 0.0,
) -> SearchDocument:
    return SearchDocument(
        id=name,
        access=access,
        texts={"title": title, "keywords": keywords, "description": description},
        facets={"theme": (theme,), "format": formats, "place": (place,)},
        numbers={"modified": modified, "downloads": len(title)},
        sort_keys={"title": sort_key(title)},
        stored={"title": title, "nested": {"formats": list(formats), "none": None}},
        suggestions=(title, *keywords.split("; ")) if keywords else (title,),
    )


def catalogue() -> list[SearchDocument]:
    return [document(*row, modified=float(number)) for number, row in enumerate(ROWS)]


@pytest.fixture(params=ENGINES, scope="module")
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(engine: str, tmp_path) -> str:
    return f"{engine}://{tmp_path}/index"


@pytest.fixture
def service(url: str) -> Iterator[SearchService]:
    """An empty place for an index."""
    made = SearchService(url, SCHEMA, READER)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shelf(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchService]:
    """The catalogue above, to be read only."""
    made = SearchService(f"{engine}://{tmp_path_factory.mktemp('shelf')}/index", SCHEMA, READER)
    made.rebuild(catalogue(), position=7)
    yield made
    made.close()


@pytest.fixture(scope="module")
def find(shelf: SearchService) -> Callable[..., SearchResponse]:
    """Searches as everyone, with anything else of the request by name."""

    def search(text: str = "", **request: Any) -> SearchResponse:
        wanted: dict[str, Any] = {"access": EVERYONE, "limit": 50} | request
        return shelf.search(SearchRequest(text=text, **wanted))

    return search


def ids(response: SearchResponse) -> list[str]:
    return [hit.id for hit in response.hits]
