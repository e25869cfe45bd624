"""Realistic catalogues of any size, seeded: what the search benchmarks and load tests are run on.

    python benchmarks/catalogue_generator.py 100000 > catalogue.jsonl
    opendata import-catalogue catalogue.jsonl

Records come one by one in the shape that `opendata import-catalogue` reads. Words follow Zipf's law over the
portal's own Vietnamese (vocabularies, communes, seed texts); nine of ten datasets have one theme; agencies,
places and formats are as uneven as they are in life; a third of the datasets stand in series that differ in
the year alone, one in twenty is nearly the same as the one before it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import re
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

sys.path.insert(0, str(Path(__file__).parents[1]))
from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue.importing import ImportOptions
from opendata.catalogue.models import Dataset
from opendata.catalogue.seed_packages import read_packages
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.kernel.ids import new_id
from opendata.kernel.text import fold, slugify
from opendata.resources.models import PublishedTable, Resource, ResourceVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opendata.catalogue.import_batch import RecordProblem
    from opendata.wiring import Services

SUBJECTS: Final = (
    ("Dân số", "Population"), ("Diện tích rừng", "Forest area"), ("Sản lượng lúa", "Rice output"),
    ("Số học sinh phổ thông", "Pupils"), ("Cơ sở khám chữa bệnh", "Health facilities"),
    ("Chỉ số giá tiêu dùng", "Consumer price index"), ("Chất lượng không khí", "Air quality"),
    ("Thu ngân sách nhà nước", "State budget revenue"), ("Chi ngân sách nhà nước", "State budget expenditure"),
    ("Lao động có việc làm", "Employed persons"), ("Tỷ lệ hộ nghèo", "Poverty rate"),
    ("Tai nạn giao thông", "Traffic accidents"), ("Doanh nghiệp đăng ký mới", "New enterprises"),
    ("Danh mục thủ tục hành chính", "Administrative procedures"), ("Dịch vụ công trực tuyến", "Online public services"),
    ("Giá bán điện", "Electricity prices"), ("Thuê bao di động", "Mobile subscriptions"),
    ("Kim ngạch xuất khẩu", "Exports"), ("Kim ngạch nhập khẩu", "Imports"), ("Vốn đầu tư nước ngoài", "Foreign investment"),
    ("Trạm quan trắc nước mặt", "Surface water stations"), ("Lượng mưa", "Rainfall"), ("Quy hoạch sử dụng đất", "Land use plan"),
    ("Bảng giá đất", "Land prices"), ("Số bác sĩ", "Doctors"), ("Tiêm chủng mở rộng", "Vaccination"),
    ("Sản xuất công nghiệp", "Industrial production"), ("Vận tải hành khách", "Passenger transport"),
    ("Khách du lịch quốc tế", "International visitors"), ("Di tích lịch sử văn hóa", "Historic monuments"),
    ("Trường mầm non", "Kindergartens"), ("Trường tiểu học", "Primary schools"), ("Bệnh viện công lập", "Public hospitals"),
    ("Hợp tác xã nông nghiệp", "Cooperatives"), ("Chăn nuôi gia súc, gia cầm", "Livestock"), ("Thủy sản nuôi trồng", "Aquaculture"),
    ("Rác thải sinh hoạt", "Household waste"), ("Nước sạch nông thôn", "Rural clean water"), ("Nhà ở xã hội", "Social housing"),
    ("Giấy phép xây dựng", "Building permits"), ("Tuyến xe buýt", "Bus routes"), ("Chợ và siêu thị", "Markets"),
    ("Người có công", "People with merit"), ("Bảo hiểm y tế", "Health insurance"), ("Bảo hiểm xã hội", "Social insurance"),
    ("Hồ chứa thủy lợi", "Reservoirs"), ("Mực nước sông", "River levels"), ("Đề tài khoa học", "Research projects"),
)  # fmt: skip
FORMS: Final = (
    "theo tỉnh, thành phố", "theo xã, phường", "theo năm", "theo quý", "theo tháng", "theo giới tính", "theo nhóm tuổi",
    "phân theo ngành kinh tế", "phân theo loại hình", "chia theo khu vực", "chi tiết", "tổng hợp", "danh sách",
)  # fmt: skip
COLUMNS: Final = (
    "ma_tinh", "ten_tinh", "ma_xa", "ten_xa", "nam", "quy", "thang", "gia_tri", "don_vi_tinh", "ghi_chu", "so_luong",
    "ty_le", "dia_chi", "kinh_do", "vi_do", "ngay_cap_nhat", "loai_hinh", "ma_don_vi", "ten_don_vi", "dien_tich",
)  # fmt: skip
FILE_FORMATS: Final = ("csv", "xlsx", "json", "parquet", "xml", "pdf")
FORMAT_WEIGHTS: Final = (50, 30, 10, 2, 4, 4)
MAIN_THEME: Final = 0.9
SERIES: Final = 0.08
NEARLY_THE_SAME: Final = 0.05
# As in any text the most frequent words say little; what a catalogue is about comes after them.
FUNCTION_WORDS: Final = (
    "và",
    "của",
    "các",
    "có",
    "được",
    "cho",
    "trong",
    "là",
    "với",
    "theo",
    "một",
    "những",
    "này",
    "đến",
    "không",
    "khi",
    "từ",
    "về",
    "người",
    "tại",
    "do",
    "ra",
    "vào",
    "trên",
    "để",
    "khác",
    "đã",
    "như",
    "cũng",
    "phải",
    "làm",
    "sau",
    "nhiều",
    "lại",
    "còn",
    "nếu",
    "thì",
    "đó",
    "bằng",
    "mà",
    "nên",
    "qua",
    "hoặc",
    "đang",
    "sẽ",
    "mọi",
    "mỗi",
    "cùng",
    "giữa",
    "trước",
    "ngoài",
    "gồm",
    "thuộc",
    "việc",
    "hai",
    "ba",
    "bốn",
    "năm",
    "cấp",
    "loại",
    "số",
)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class _Words:
    """Words in order of use, with the running sums of their Zipfian weights."""

    words: tuple[str, ...]
    sums: tuple[float, ...]

    def draw(self, rng: random.Random, count: int) -> str:
        return " ".join(rng.choices(self.words, cum_weights=self.sums, k=count))


class CatalogueGenerator:
    """The same `seed` gives the same records; those of a smaller catalogue begin the larger one."""

    def __init__(self, seed: int = 20261122) -> None:
        self._seed = seed
        vocabularies = load_vocabularies(bundled("catalog_schemas"))
        self._codes = {
            name: [term.code for term in vocabularies.named(name).current()]
            for name in ("themes", "agencies", "places", "licences", "frequencies")
        }
        self._places = {place.code: place.labels for place in vocabularies.places}
        self._agencies = {agency.code: agency.label("vi") for agency in vocabularies.agencies}
        self._vietnamese = _zipf(_vietnamese_words())
        self._english = _zipf(_english_words())

    def records(self, count: int) -> Iterator[dict[str, Any]]:
        """`count` records in the shape of the API's dataset, with the columns of their files besides."""
        rng = random.Random(self._seed)
        made = 0
        while made < count:
            base = self._base(rng)
            length = rng.randint(3, 8) if rng.random() < SERIES else 1
            first = rng.randint(2004, 2026 - length)
            for year in range(first, first + length):
                if made == count:
                    return
                yield self._record(rng, made, base, year)
                made += 1
                if rng.random() < NEARLY_THE_SAME and made < count:
                    yield self._record(rng, made, base, year)
                    made += 1

    def _base(self, rng: random.Random) -> dict[str, Any]:
        """What the members of a series share."""
        subject, subject_en = _skewed(rng, SUBJECTS)
        place = _skewed(rng, self._codes["places"])
        labels = self._places[place]
        form = rng.choice(FORMS)
        agency = _skewed(rng, self._codes["agencies"])
        return {
            "title": f"{subject} {form} {labels['vi']}",
            "title_en": f"{subject_en}, {fold(labels['vi']).title()}",
            "text": self._vietnamese.draw(rng, int(rng.triangular(15, 140, 45))),
            "text_en": self._english.draw(rng, rng.randint(8, 30)),
            "keywords": [subject, labels["vi"], *(self._vietnamese.draw(rng, 2) for _ in range(rng.randint(1, 4)))],
            "theme": self._codes["themes"][0] if rng.random() < MAIN_THEME else rng.choice(self._codes["themes"]),
            "publisher": agency,
            "place": place,
            "license": _skewed(rng, self._codes["licences"]),
            "frequency": _skewed(rng, self._codes["frequencies"]),
            "columns": [
                {"name": name, "description": self._vietnamese.draw(rng, 4)}
                for name in rng.sample(COLUMNS, rng.randint(3, 12))
            ],
        }  # fmt: skip

    def _record(self, rng: random.Random, number: int, base: dict[str, Any], year: int) -> dict[str, Any]:
        title = f"{base['title']} năm {year}"
        slug = f"{slugify(title, limit=70)}-{number}"
        agency = self._agencies[base["publisher"]]
        formats = set(rng.choices(FILE_FORMATS, FORMAT_WEIGHTS, k=rng.choice((1, 1, 2, 3))))
        return {
            "slug": slug,
            "title": {"vi": title, "en": f"{base['title_en']}, {year}"},
            "description": {
                "vi": f"{title}. {base['text']}.\n\nNguồn: **{agency}**.",
                "en": f"{base['title_en']}: {base['text_en']}.",
            },
            "keywords": base["keywords"],
            "theme": base["theme"],
            "publisher": base["publisher"],
            "identifier": f"{base['publisher']}-{number:07d}",
            "place": base["place"],
            "license": base["license"],
            "frequency": base["frequency"],
            "issued": f"{year}-{rng.randint(1, 12):02d}-15",
            "modified": f"{year}-12-{rng.randint(1, 28):02d}",
            "period_start": f"{year}-01-01",
            "period_end": f"{year}-12-31",
            "resources": [
                {"title": title, "format": name, "file": f"{slug}.{name}", "columns": base["columns"]}
                for name in sorted(formats)
            ],
        }


def _skewed(rng: random.Random, values: Sequence[Any]) -> Any:
    """The first ones most: the n-th is chosen about 1/n as often."""
    return values[min(int(len(values) ** rng.random()) - 1, len(values) - 1)]


def _zipf(words: Sequence[str]) -> _Words:
    return _Words(tuple(words), tuple(accumulate(1 / rank for rank in range(1, len(words) + 1))))


def _vietnamese_words() -> list[str]:
    """Function words, then syllables by their use in seed texts and vocabularies, then names of communes."""
    counted: Counter[str] = Counter()
    for package in read_packages(bundled("seed_datasets")):
        for name in ("title", "description"):
            counted.update(_WORD.findall(package.metadata.get(name, {}).get("vi", "").lower()))
    vocabularies = load_vocabularies(bundled("catalog_schemas"))
    for vocabulary in (vocabularies.themes, vocabularies.agencies, vocabularies.places, vocabularies.formats):
        for term in vocabulary:
            counted.update(_WORD.findall(" ".join((term.label("vi"), *term.aliases)).lower()))
    communes = (bundled("catalog_schemas") / "vocabularies" / "communes.json").read_text(encoding="utf-8")
    for word in _WORD.findall(communes.lower()):
        counted.setdefault(word, 0)
    content = (word for word, _ in counted.most_common())
    return list(dict.fromkeys((*FUNCTION_WORDS, *content)))


def _english_words() -> list[str]:
    counted: Counter[str] = Counter()
    for package in read_packages(bundled("seed_datasets")):
        counted.update(_WORD.findall(package.metadata.get("description", {}).get("en", "").lower()))
    for _, english in SUBJECTS:
        counted.update(_WORD.findall(english.lower()))
    return [word for word, _ in counted.most_common()]


def load_into(services: Services, records: Iterable[Mapping[str, Any]]) -> None:
    """What an import and the uploads of these files would leave in the database; nothing of it in the index."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    chosen = iter(records)
    while batch := list(islice(chosen, 1000)):
        lines = [json.dumps(record).encode() for record in batch]
        for _ in services.catalogue_import.run(COMMAND_LINE, lines, ImportOptions(), _unexpected):
            pass
        resources, versions, tables = [], [], []
        with services.database.bookkeeping() as unit:
            slugs = [record["slug"] for record in batch]
            found = unit.session.execute(select(Dataset.slug, Dataset.id).where(Dataset.slug.in_(slugs)))
            ids = {row.slug: row.id for row in found}
            for record in batch:
                for position, file in enumerate(record["resources"]):
                    resource, version = new_id(), new_id()
                    resources.append(
                        {"id": resource, "dataset_id": ids[record["slug"]], "title": {"vi": file["title"]},
                         "description": {}, "position": position, "created_at": now,
                         "current_version_id": version}
                    )  # fmt: skip
                    versions.append(
                        {"id": version, "resource_id": resource, "number": 1, "state": "published",
                         "filename": file["file"][-200:], "sha256": version, "size": 1, "format": file["format"],
                         "created_at": now, "created_by": "benchmark", "problems": []}
                    )  # fmt: skip
                    tables.append(
                        {"id": new_id(), "version_id": version, "position": 0, "name": "t", "title": "t",
                         "row_count": 1000, "column_count": len(file["columns"]), "columns": file["columns"],
                         "table_schema": {}, "profile": {}, "report": {}, "problems": [],
                         "parquet_sha256": version, "parquet_size": 1}
                    )  # fmt: skip
            moved = [
                {"id": row["id"], "current_version_id": row.pop("current_version_id")} for row in resources
            ]
            unit.session.execute(insert(Resource), resources)
            unit.session.execute(insert(ResourceVersion), versions)
            unit.session.execute(update(Resource), moved)
            unit.session.execute(insert(PublishedTable), tables)


def _unexpected(problem: RecordProblem) -> None:
    raise SystemExit(f"a generated record is wrong: {problem}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, help="number of datasets, for example 100000")
    parser.add_argument("--seed", type=int, default=20261122)
    chosen = parser.parse_args()
    for record in CatalogueGenerator(chosen.seed).records(chosen.count):
        print(json.dumps(record, ensure_ascii=False))


if __name__ == "__main__":
    main()
