"""What a search page needs, at 10,000 generated datasets: rows, exact total, all facets, snippets.

Measures `CatalogueSearch.search` (the path of page and API) and, for scale, the page itself over HTTP.
The catalogue is generated: Zipfian words from real titles, nine of ten datasets in one theme.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.portal_under_test import MB, milliseconds, print_machine, timed
from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.accounts.service import AgencyEntry
from opendata.app import create_app
from opendata.catalogue.models import Dataset, DatasetState
from opendata.catalogue.search_form import read_form
from opendata.migrations import migrate
from opendata.settings import load_settings
from opendata.wiring import Services, build_services

DATASETS = 10_000
SUBJECTS = (
    "Dân số", "Diện tích", "Sản lượng lúa", "Số trường học", "Giá tiêu dùng", "Thu ngân sách", "Chi ngân sách",
    "Số giường bệnh", "Tai nạn giao thông", "Chất lượng không khí", "Lượng mưa", "Khách du lịch", "Xuất khẩu",
    "Nhập khẩu", "Doanh nghiệp thành lập mới", "Lao động có việc làm", "Hộ nghèo", "Rừng trồng mới", "Thủy sản",
    "Điện thương phẩm", "Dịch vụ công trực tuyến", "Học sinh phổ thông", "Thuê bao di động", "Nước sạch nông thôn",
)  # fmt: skip
SHAPES = (
    "theo tỉnh",
    "theo huyện, xã",
    "theo năm",
    "theo quý",
    "theo giới tính",
    "phân theo ngành kinh tế",
    "chia theo khu vực",
)
QUERIES = (
    "dan so", "dân số", "sản lượng lúa đồng tháp", "gia tieu dung 2019", "hoc sinh pho thong", '"chất lượng không khí"',
    "xuất khẩu -nhập", "luong mua", "thu ngan sach ha noi", "doanh nghiep thanh lap", "ty le ho ngheo", "UBND", "TP.HCM",
    "dien thuong pham theo quy", "rừng trồng mới lâm đồng", "nuoc sach", "dich vu cong*", "", "khach du lich 2023 da nang",
    "lao động có việc làm",
)  # fmt: skip
ROUNDS = 10


def main() -> None:
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), secret_key="x" * 40)
        services = build_services(settings)
        services.store.prepare()
        migrate(services.database)
        services.accounts.add_agencies(
            COMMAND_LINE,
            [AgencyEntry(term.code, dict(term.labels), term.kind) for term in services.vocabularies.agencies],
        )
        generate(services, DATASETS)
        start = time.perf_counter()
        services.indexing.rebuild()
        built = time.perf_counter() - start
        size = sum(path.stat().st_size for path in (Path(folder) / "search").rglob("*") if path.is_file())
        print(f"{DATASETS:,} datasets indexed in {built:.1f} s, {size / MB:.1f} MB on disk")
        measure(services)


def measure(services: Services) -> None:
    forms = [read_form([("q", text)]) for text in QUERIES]
    forms += [
        read_form([("q", text), ("theme", "xa-hoi"), ("sort", "newest"), ("page", "20")]) for text in QUERIES
    ]
    search = services.catalogue_search
    for form in forms:
        search.search(VISITOR, form, "vi")
    samples = [s for form in forms for s in timed(partial(search.search, VISITOR, form, "vi"), ROUNDS)]
    print(
        f"  search page data (20 rows, total, 6 facets, snippets)  {milliseconds(samples)}   (target 20 ms)"
    )
    suggest = [
        s
        for text in ("dan", "dân s", "giá ti", "x", "ubnd")
        for s in timed(partial(search.suggest, VISITOR, text), ROUNDS)
    ]
    print(f"  autocompletion                                         {milliseconds(suggest)}")
    client = create_app(services.settings, services).test_client()
    for path in ("/api/v1/datasets?q=dan+so", "/vi/datasets?q=dan+so"):
        if client.get(path).status_code != 200:
            raise SystemExit(f"{path} does not answer")
        print(f"  {path:54} {milliseconds(timed(partial(client.get, path), 50))}")


def generate(services: Services, count: int, seed: int = 20261121) -> None:
    """Rows as the services write them, in one transaction: 10,000 uploads would measure something else."""
    rng = random.Random(seed)
    codes = {
        name: [t.code for t in services.vocabularies.named(name).current()]
        for name in ("agencies", "places", "licences", "frequencies", "themes")
    }
    places = {term.code: term.label("vi") for term in services.vocabularies.places}
    weights = [1 / rank for rank in range(1, len(SUBJECTS) + 1)]
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with services.database.bookkeeping() as unit:
        for number in range(count):
            subject = rng.choices(SUBJECTS, weights)[0]
            place = rng.choice(codes["places"])
            title = f"{subject} {rng.choice(SHAPES)} {places[place]} năm {rng.randint(2000, 2025)}"
            words = " ".join(rng.choices(SUBJECTS, weights, k=12))
            agency = rng.choice(codes["agencies"])
            unit.session.add(
                Dataset(
                    slug=f"d{number}",
                    state=DatasetState.PUBLISHED,
                    agency_code=agency,
                    created_at=now,
                    modified_at=now + dt.timedelta(hours=number),
                    published_at=now,
                    download_count=int(rng.paretovariate(1)),
                    fields={
                        "title": {"vi": title, "en": f"Dataset {number}: {title}"},
                        "description": {"vi": f"{title}. Số liệu {words}.", "en": f"Figures on {words}."},
                        "keywords": rng.sample(SUBJECTS, 4),
                        "theme": "xa-hoi" if rng.random() < 0.9 else rng.choice(codes["themes"]),
                        "publisher": agency,
                        "license": rng.choice(codes["licences"]),
                        "frequency": rng.choice(codes["frequencies"]),
                        "place": place,
                    },
                )
            )


if __name__ == "__main__":
    main()
