"""How long searching takes, by engine and number of documents: build, size on disk, and whole searches.

    python benchmarks/search_engines.py [--columns 1000 10000] [--tantivy 1000 10000] [--whoosh 1000 2000] [--queries 200]

Documents are made, seeded: titles from realistic parts, texts from Zipf-distributed syllables and words,
nine of ten documents in one theme. A whole search is parsing, ranking, exact total, six facets and
twenty hits with marked title and description.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opendata.kernel.text import fold, nfc, sort_key
from opendata.search.parsing import Parser
from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, SearchRequest, Sort, TextField
from opendata.search.service import SearchService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SCHEMA = IndexSchema(
    texts=(
        TextField("title_vi", 3.0),
        TextField("title_en", 3.0),
        TextField("keywords", 2.0, snippet=False),
        TextField("publisher", 1.5, snippet=False),
        TextField("place", 1.5, snippet=False),
        TextField("theme", 1.0, snippet=False),
        TextField("description_vi", 1.0),
        TextField("description_en", 1.0),
        TextField("columns", 0.7, snippet=False),
        TextField("files", 0.5, snippet=False),
    ),
    facets=("theme", "publisher", "format", "license", "frequency", "place"),
    numbers=("modified", "downloads"),
    sort_keys=("title",),
)
SUBJECTS = (
    "Dân số", "Diện tích rừng", "Sản lượng lúa", "Số học sinh phổ thông", "Cơ sở khám chữa bệnh", "Chỉ số giá tiêu dùng",
    "Chất lượng không khí", "Thu ngân sách nhà nước", "Chi ngân sách", "Lao động có việc làm", "Tỷ lệ hộ nghèo",
    "Tai nạn giao thông", "Doanh nghiệp đăng ký mới", "Thủ tục hành chính", "Dịch vụ công trực tuyến", "Giá điện",
    "Số thuê bao di động", "Kim ngạch xuất khẩu", "Vốn đầu tư nước ngoài", "Trạm quan trắc nước mặt", "Lượng mưa",
    "Danh mục đơn vị hành chính", "Quy hoạch sử dụng đất", "Bảng giá đất", "Số bác sĩ", "Tiêm chủng mở rộng",
    "Sản xuất công nghiệp", "Vận tải hành khách", "Khách du lịch quốc tế", "Di tích lịch sử",
)  # fmt: skip
PLACES = (
    "Hà Nội", "Thành phố Hồ Chí Minh", "Đà Nẵng", "Hải Phòng", "Cần Thơ", "Huế", "Đồng Nai", "An Giang", "Bắc Ninh",
    "Cà Mau", "Cao Bằng", "Đắk Lắk", "Điện Biên", "Đồng Tháp", "Gia Lai", "Hà Tĩnh", "Hưng Yên", "Khánh Hòa",
    "Lai Châu", "Lâm Đồng", "Lạng Sơn", "Lào Cai", "Nghệ An", "Ninh Bình", "Phú Thọ", "Quảng Ngãi", "Quảng Ninh",
    "Quảng Trị", "Sơn La", "Tây Ninh", "Thái Nguyên", "Thanh Hóa", "Tuyên Quang", "Vĩnh Long",
)  # fmt: skip
FORMS = (
    "theo tỉnh",
    "theo năm",
    "theo quý",
    "theo giới tính",
    "phân theo huyện",
    "theo loại hình",
    "chi tiết",
)
THEMES = ("SOCI", "ECON", "EDUC", "HEAL", "ENVI", "AGRI", "TRAN", "TECH", "ENER", "REGI")
TYPED = (
    "dân số", "dan so ha noi", "giá đất", "ngan sach nha nuoc 2020", "học sinh", "chat luong khong khi", "TP.HCM",
    '"dịch vụ công" trực tuyến', "lao động -nghèo", "quan trac nuoc", "xuất khẩu OR nhập khẩu", "du lich*",
    "số bác sĩ trên một vạn dân ở Nghệ An năm 2019", "bang gia dat tinh thanh hoa", "lượng mưa trung bình", "2021",
    "danh mục đơn vị hành chính cấp xã", "tai nan giao thong duong bo", "UBND", "chi so gia tieu dung thang 5",
)  # fmt: skip
ALIASES = {"TP.HCM": ("Thành phố Hồ Chí Minh", "Sài Gòn"), "UBND": ("Ủy ban nhân dân",)}


def syllables(count: int, random_: random.Random) -> list[str]:
    """Vietnamese-looking syllables, each once; the tone stands on the vowel before the stroke."""
    heads = (
        "b",
        "c",
        "ch",
        "d",
        "đ",
        "g",
        "gi",
        "h",
        "kh",
        "l",
        "m",
        "n",
        "ng",
        "nh",
        "ph",
        "s",
        "t",
        "th",
        "tr",
        "v",
    )
    tails = (
        "a|", "a|n", "a|ng", "a|nh", "a|o", "ă|n", "â|m", "â|n", "â|u", "e|", "e|m", "ê|n", "ê|u", "i|", "i|nh", "iê|n",
        "iê|u", "o|", "o|n", "o|ng", "ô|", "ô|ng", "ô|i", "ơ|", "ơ|n", "u|", "u|ng", "ư|", "ươ|n", "ươ|ng", "u|y", "uyê|n",
    )  # fmt: skip
    tones = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    made = [nfc(head + tail.replace("|", tone)) for head in heads for tail in tails for tone in tones]
    random_.shuffle(made)
    return made[:count]


def documents(count: int, seed: int = 7) -> Iterator[SearchDocument]:
    random_ = random.Random(seed)
    words = syllables(4000, random_)
    steps = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    agencies = [f"Ủy ban nhân dân tỉnh {place}" for place in PLACES] + [
        f"Sở {subject}" for subject in SUBJECTS
    ]

    def text(length: int) -> str:
        return " ".join(random_.choices(words, cum_weights=steps, k=length))

    for number in range(count):
        subject, place, year = random_.choice(SUBJECTS), random_.choice(PLACES), random_.randint(2005, 2025)
        publisher = agencies[min(int(random_.expovariate(0.08)), len(agencies) - 1)]
        title = f"{subject} {place} {random_.choice(FORMS)} năm {year}"
        theme = THEMES[0] if random_.random() < 0.9 else random_.choice(THEMES[1:])
        title_en = f"{fold(subject)} of {fold(place)}, {year}"
        yield SearchDocument(
            id=f"d{number}",
            access=(PUBLIC,) if random_.random() < 0.95 else ("agency-1",),
            texts={
                "title_vi": title,
                "title_en": title_en,
                "keywords": f"{subject}, {place}, {text(3)}",
                "publisher": publisher,
                "place": place,
                "theme": theme,
                "description_vi": f"{title}. {text(random_.randint(20, 120))}. Nguồn: {publisher}.",
                "description_en": f"{title_en}, by {fold(publisher)}, year by year.",
                "columns": ", ".join(f"{text(2)} ma_{number % 97}" for _ in range(random_.randint(4, 15))),
                "files": f"bang_{number}.csv",
            },
            facets={
                "theme": (theme,),
                "publisher": (publisher,),
                "format": tuple({random_.choice(("csv", "xlsx", "json", "pdf")) for _ in range(2)}),
                "license": (random_.choice(("open-47", "cc-by", "cc0")),),
                "frequency": (random_.choice(("ANNUAL", "MONTHLY", "QUARTERLY", "IRREG")),),
                "place": (place,),
            },
            numbers={"modified": 1.6e9 + number * 60, "downloads": int(random_.paretovariate(1.1))},
            sort_keys={"title": sort_key(title)},
            stored={
                "slug": f"bo-du-lieu-{number}",
                "title": title,
                "publisher": publisher,
                "formats": ["csv"],
            },
            suggestions=(title, title_en, subject, publisher),
        )


def requests(count: int) -> Iterator[SearchRequest]:
    random_ = random.Random(11)
    for number in range(count):
        filters = {"theme": ("SOCI",), "format": ("csv", "xlsx")} if number % 4 == 3 else {}
        yield SearchRequest(
            access=frozenset({PUBLIC}),
            text=TYPED[number % len(TYPED)] if number % 10 else "",
            filters=filters,
            sort=Sort("modified", descending=True) if number % 5 == 0 else None,
            offset=random_.choice((0, 0, 0, 20, 400)),
            facets=dict.fromkeys(SCHEMA.facets, 50),
            highlight={"title_vi": 0, "title_en": 0, "description_vi": 220, "description_en": 220},
        )


def timed(name: str, action: Callable[[Any], object], values: Iterable[Any]) -> None:
    """Prints wall time, and the thread's own CPU time, which a busy machine does not blur."""
    walls, own = [], []
    for value in values:
        wall, cpu = time.perf_counter(), time.thread_time()
        action(value)
        walls.append((time.perf_counter() - wall) * 1e3)
        own.append((time.thread_time() - cpu) * 1e3)
    figures = (
        f"{statistics.median(each):8.2f} {statistics.quantiles(each, n=20)[18]:8.2f}" for each in (walls, own)
    )
    print(f"  {name:24} {'   '.join(figures)}")


def measure(engine: str, count: int, queries: int) -> None:
    everyone = frozenset({PUBLIC})
    with tempfile.TemporaryDirectory() as folder:
        service = SearchService(f"{engine}://{folder}/index", SCHEMA, Parser(ALIASES))
        made = list(documents(count))
        started, cpu = time.perf_counter(), time.process_time()
        service.rebuild(made, position=1)
        build, cpu = time.perf_counter() - started, time.process_time() - cpu
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        print(
            f"{engine}, {count:,} documents: built in {build:.1f} s ({cpu:.1f} CPU-s), {size / 1e6:.1f} MB on disk"
        )
        print(f"  {'ms':24} {'p50':>8} {'p95':>8}   {'CPU p50':>8} {'p95':>8}")
        for request in requests(len(TYPED)):
            service.search(request)
        timed("whole search", service.search, requests(queries))
        typing = [text[:cut] for text in TYPED for cut in range(1, len(text))][:queries]
        timed("completion", lambda text: service.suggest(text, 8, everyone), typing)
        wrong = ("dan soo ha noi", "giaoo thong duong bo", "chat luong khongkhi")
        mistyped = [SearchRequest(access=everyone, text=text) for text in wrong * 4]
        timed("search with correction", service.search, mistyped)
        timed("commit of one", lambda document: service.index([document], [], 2), made[:20])
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  memory of this process at most {memory:.0f} MB, the documents themselves included")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--tantivy", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--whoosh", type=int, nargs="*", default=[1_000, 2_000])
    parser.add_argument("--queries", type=int, default=200)
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    for engine in ("columns", "tantivy", "whoosh"):
        for count in getattr(chosen, engine):
            measure(engine, count, chosen.queries)


if __name__ == "__main__":
    main()
