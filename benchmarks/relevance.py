"""How well search ranks: nDCG@10 and MRR@10 by kind of question, and MRR@10 on XQuAD-vi.

    python benchmarks/relevance.py [--engine columns tantivy whoosh] [--xquad FILE] [--misses]

Questions, judged answers and the made-up catalogue are in tests/relevance, the other datasets in
seed_datasets. Documents are made by the same code as in the portal, without a database. XQuAD-vi (CC BY-SA)
is read where it is at hand. `--misses` lists the questions whose best answer is not in the first place.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import os
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from fnmatch import fnmatch
from math import log2
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opendata.catalogue.documents import INDEX_SCHEMA, Contribution, DocumentBuilder
from opendata.catalogue.models import Dataset
from opendata.catalogue.query_fields import search_parser
from opendata.catalogue.seed_packages import read_packages
from opendata.catalogue.vocabularies import Vocabularies, load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.kernel.text import fold
from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, SearchRequest, TextField
from opendata.search.service import SearchService

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FOLDER: Final = Path(__file__).parents[1] / "tests" / "relevance"
XQUAD: Final = Path(__file__).parents[2] / "shared" / "data" / "vn" / "questions" / "xquad.vi.json"
DEEPEST: Final = 10
BEST: Final = 3
_FEW_VALUES = 40
_EVERYONE = frozenset({PUBLIC})


class Question(NamedTuple):
    """`grades` holds every dataset that is worth something, by id."""

    kind: str
    text: str
    grades: Mapping[str, int]


class Judged(NamedTuple):
    question: Question
    ndcg: float
    reciprocal_rank: float
    first: tuple[str, ...]


def vocabularies() -> Vocabularies:
    return load_vocabularies(bundled("catalog_schemas"))


def documents(known: Vocabularies) -> list[SearchDocument]:
    """The seed datasets and those of catalogue.json, as the portal would index them."""
    builder = DocumentBuilder(known)
    return [builder.document(dataset, [told]) for dataset, told in (*_seeds(), *_made_up(known))]


def questions(ids: Sequence[str]) -> list[Question]:
    """Those of queries.json; every accented one also bare and decomposed."""
    found = []
    for need in json.loads((FOLDER / "queries.json").read_text()):
        grades = {
            name: grade for pattern, grade in need["wants"].items() for name in ids if fnmatch(name, pattern)
        }
        # What is named alone counts for itself, not for its subject.
        grades |= {name: grade for name, grade in need["wants"].items() if "*" not in name}
        unknown = set(grades) - set(ids)
        if unknown or not grades:
            raise ValueError(f"queries.json wants {sorted(unknown) or need['wants']}, which is no dataset")
        for kind, texts in need["asked"].items():
            found += [Question(kind, text, grades) for text in texts]
            if kind == "accented":
                found += [Question("accented, typed bare", fold(text), grades) for text in texts]
                found += [
                    Question("accented, decomposed", unicodedata.normalize("NFD", text), grades)
                    for text in texts
                ]
    return found


def judge(service: SearchService, asked: Iterable[Question]) -> list[Judged]:
    judged = []
    for question in asked:
        request = SearchRequest(access=_EVERYONE, text=question.text, limit=DEEPEST)
        ids = tuple(hit.id for hit in service.search(request).hits)
        judged.append(
            Judged(question, ndcg(ids, question.grades), reciprocal_rank(ids, question.grades), ids)
        )
    return judged


def catalogue_service(engine: str, folder: str) -> tuple[SearchService, list[Question]]:
    """The catalogue in an index, and the questions about it."""
    known = vocabularies()
    made = documents(known)
    service = SearchService(f"{engine}://{folder}/catalogue", INDEX_SCHEMA, search_parser(known))
    service.rebuild(made, position=1)
    return service, questions([document.id for document in made])


def xquad(engine: str, folder: str, file: Path) -> tuple[float, float]:
    """MRR@10 of the questions as written and typed bare; each should find its paragraph."""
    paragraphs = [each for article in json.loads(file.read_text())["data"] for each in article["paragraphs"]]
    service = SearchService(f"{engine}://{folder}/xquad", IndexSchema(texts=(TextField("text"),)))
    service.rebuild(
        (
            SearchDocument(id=str(number), access=(PUBLIC,), texts={"text": paragraph["context"]})
            for number, paragraph in enumerate(paragraphs)
        ),
        position=1,
    )
    asked = [
        Question("", each["question"], {str(number): BEST})
        for number, paragraph in enumerate(paragraphs)
        for each in paragraph["qas"]
    ]
    bare = [question._replace(text=fold(question.text)) for question in asked]
    accented, folded = (mean(one.reciprocal_rank for one in judge(service, each)) for each in (asked, bare))
    service.close()
    return accented, folded


def ndcg(ids: Sequence[str], grades: Mapping[str, int]) -> float:
    def gained(found: Iterable[int]) -> float:
        return sum((2**grade - 1) / log2(place + 2) for place, grade in enumerate(found))

    best = sorted(grades.values(), reverse=True)[:DEEPEST]
    return gained(grades.get(name, 0) for name in ids) / gained(best)


def reciprocal_rank(ids: Sequence[str], grades: Mapping[str, int]) -> float:
    return next((1 / place for place, name in enumerate(ids, 1) if grades.get(name, 0) == BEST), 0.0)


def _seeds() -> Iterator[tuple[Dataset, Contribution]]:
    for package in read_packages(bundled("seed_datasets")):
        metadata = dict(package.metadata)
        words = metadata.get("keywords", {})
        metadata["keywords"] = [word for language in words.values() for word in language]
        told = Contribution(rows=1, columns=1)
        for resource in package.resources:
            told.files.append(resource.path.name)
            told.formats.append(resource.path.suffix[1:])
            for table in resource.tables:
                told.column_texts += [
                    " ".join(filter(None, (column["name"], column.get("title"), column.get("description"))))
                    for column in table.table_schema["fields"]
                ]
            if resource.path.suffix == ".csv":
                told.values += _values(resource.path)
        yield _dataset(package.slug, metadata, str(metadata.get("modified", "2024"))[:4]), told


def _values(path: Path) -> list[str]:
    """As the portal keeps them: the usual values of columns that hold few, in words."""
    text = path.read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines(), delimiter=";" if ";" in text.splitlines()[0] else ","))
    found: list[str] = []
    for column in zip(*(row for row in rows[1:] if len(row) == len(rows[0])), strict=True):
        counted = Counter(column)
        if len(counted) <= _FEW_VALUES:
            found += [value for value, _ in counted.most_common(10) if any(map(str.isalpha, value))]
    return found[:60]


def _made_up(known: Vocabularies) -> Iterator[tuple[Dataset, Contribution]]:
    told = json.loads((FOLDER / "catalogue.json").read_text())
    publishers = {
        agency.place: agency.code
        for agency in known.agencies
        if agency.code.startswith("UBND.") and not agency.successor
    }
    for subject in told["subjects"]:
        for code in told["places"]:
            place = known.places.get(code)
            if place is None:
                raise ValueError(f"catalogue.json has the place {code}, which is not known")
            names = {"{place}": place.labels["vi"], "{place_en}": place.labels["en"]}
            yield _described(f"{subject['id']}/{code}", subject, publishers[code], code, names)
    for single in told["singles"]:
        yield _described(single["id"], single, single["publisher"], "VN", {})


def _described(
    name: str, entry: Mapping[str, Any], publisher: str, place: str, names: Mapping[str, str]
) -> tuple[Dataset, Contribution]:
    titles = list(entry["title"])
    for sign, meant in names.items():
        titles = [title.replace(sign, meant) for title in titles]
    metadata = {
        "title": dict(zip(("vi", "en"), titles, strict=True)),
        "description": {"vi": entry["description"]},
        "license": "nd-47-2020",
        "place": place,
        "publisher": publisher,
        **{key: entry[key] for key in ("keywords", "theme", "legal_basis") if key in entry},
    }
    told = Contribution(
        formats=["csv"],
        files=[f"{entry['id']}.csv"],
        column_texts=list(entry["columns"]),
        values=list(entry.get("values", ())),
        rows=100,
        columns=len(entry["columns"]),
    )
    return _dataset(name, metadata, str(entry["modified"])), told


def _dataset(name: str, metadata: Mapping[str, Any], year: str) -> Dataset:
    return Dataset(
        id=name,
        slug=name,
        state="published",
        agency_code=metadata["publisher"],
        modified_at=dt.datetime(int(year), 1, 1, tzinfo=dt.UTC),
        download_count=0,
        fields=dict(metadata),
    )


def show(judged: Sequence[Judged], seconds: float, *, misses: bool) -> None:
    by_kind: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        by_kind[one.question.kind].append(one)
    print(f"  {'kind':24}{'questions':>10}{'nDCG@10':>10}{'MRR@10':>10}")
    for kind, group in (*sorted(by_kind.items()), ("all", judged)):
        figures = mean(one.ndcg for one in group), mean(one.reciprocal_rank for one in group)
        print(f"  {kind:24}{len(group):>10}{figures[0]:>10.3f}{figures[1]:>10.3f}")
    print(f"  {seconds / len(judged) * 1e3:.1f} CPU-ms a question")
    for one in judged if misses else ():
        if one.reciprocal_rank < 1:
            print(f"    {one.question.kind}: {one.question.text!r} → {', '.join(one.first[:3]) or 'nothing'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", nargs="*", default=["columns", "tantivy", "whoosh"])
    parser.add_argument("--xquad", type=Path, default=XQUAD)
    parser.add_argument("--misses", action="store_true")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    for engine in chosen.engine:
        with tempfile.TemporaryDirectory() as folder:
            service, asked = catalogue_service(engine, folder)
            print(f"{engine}, {service.count()} datasets")
            started = time.process_time()
            judged = judge(service, asked)
            show(judged, time.process_time() - started, misses=chosen.misses)
            service.close()
            if chosen.xquad.exists():
                accented, bare = xquad(engine, folder, chosen.xquad)
                print(f"  XQuAD-vi, MRR@10: {accented:.3f} accented, {bare:.3f} typed bare")
            else:
                print(f"  XQuAD-vi: no {chosen.xquad}")


if __name__ == "__main__":
    main()
