"""Bulk import on SQLite and PostgreSQL: what is written, what a second run changes, and a kill at any moment."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from opendata.accounts.models import AuditRow
from opendata.accounts.policy import COMMAND_LINE
from opendata.accounts.service import AccountService, AgencyEntry
from opendata.catalogue.events import changed_ids
from opendata.catalogue.importing import CatalogueImport, ImportOptions, ImportSummary
from opendata.catalogue.models import Dataset, DatasetRevision, DatasetState
from opendata.catalogue.profile import load_profile
from opendata.catalogue.service import CatalogueService
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.kernel.outbox import OutboxRow

ROOT = Path(__file__).parents[3]
IMPORTER = """
import sys
from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue import importing
from opendata.catalogue.profile import load_profile
from opendata.catalogue.service import CatalogueService
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.kernel.db import Database
importing.BATCH = 20
folder = bundled("catalog_schemas")
loader = importing.CatalogueImport(Database(sys.argv[1]), load_profile(folder, load_vocabularies(folder)))
with open(sys.argv[2], "rb") as lines:
    for sums in loader.run(COMMAND_LINE, importing.lines_of(lines), importing.ImportOptions(), print):
        print(sums.created, flush=True)
"""


@pytest.fixture
def importer(database):
    AccountService(database).add_agencies(COMMAND_LINE, [AgencyEntry("BKHCN", {"vi": "Bộ"}, "ministry")])
    folder = bundled("catalog_schemas")
    return CatalogueImport(database, load_profile(folder, load_vocabularies(folder)))


def records(count: int, **more: object) -> list[dict[str, object]]:
    return [
        {"identifier": f"A-{number}", "title": {"vi": f"Dữ liệu số {number}"}, "publisher": "BKHCN", **more}
        for number in range(count)
    ]


def lines(rows: list[dict[str, object]]) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False).encode() for row in rows]


def load(importer, rows, **options) -> tuple[ImportSummary, list]:
    problems: list = []
    *_, last = importer.run(COMMAND_LINE, lines(rows), ImportOptions(**options), problems.append)
    return last, problems


def figures(database) -> tuple[int, ...]:
    with database.reading() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Dataset, DatasetRevision, AuditRow)
        )


def test_datasets_their_history_one_audit_row_and_one_event_a_batch(database, importer):
    before = figures(database)[2]
    summary, problems = load(importer, records(30))
    assert (summary.created, summary.faulty, problems) == (30, 0, [])
    assert figures(database) == (30, 30, before + 1)
    with database.reading() as session:
        ids = set(session.scalars(select(Dataset.id)))
        events = [row.payload for row in session.scalars(select(OutboxRow))]
        row = session.scalar(select(AuditRow).where(AuditRow.action == "catalogue.import"))
    assert set(changed_ids(events)) == ids
    assert row
    assert set(row.details["created"]) == ids


def test_rows_are_those_that_the_service_writes(database, importer):
    now = dt.datetime(2026, 3, 31, 23, 59, 59, 120_000, tzinfo=dt.UTC)
    folder = bundled("catalog_schemas")
    profile = load_profile(folder, load_vocabularies(folder))
    service = CatalogueService(database, profile, lambda: now)
    metadata: dict[str, object] = {
        "title": {"vi": "Độ mặn “nước sông” \\ 𝒳", "en": "Salinity"},
        "keywords": ["a", "b"],
        "publisher": "BKHCN",
        "period_start": "2024-01-01",
    }
    drafted, public = (service.create_dataset(COMMAND_LINE, metadata, slug=slug) for slug in ("nhap", "ra"))
    service.publish_dataset(COMMAND_LINE, public.id)
    loader = CatalogueImport(database, profile, lambda: now)
    rows: list[dict[str, object]] = [
        {**metadata, "slug": "nhap-2", "state": "draft"},
        {**metadata, "slug": "ra-2"},
    ]
    *_, summary = loader.run(COMMAND_LINE, lines(rows), ImportOptions(), print)
    assert summary.created == 2
    with database.reading() as session:
        kept = {row.slug: row._asdict() for row in session.execute(text("SELECT * FROM datasets"))}
        history = {
            row.dataset_id: row._asdict() for row in session.execute(text("SELECT * FROM dataset_revisions"))
        }
    assert (kept["nhap"]["id"], kept["ra"]["id"]) == (drafted.id, public.id)
    for slug in ("nhap", "ra"):
        of_service, of_import = kept[slug], kept[f"{slug}-2"]
        assert history[of_import["id"]] | {"dataset_id": ""} == history[of_service["id"]] | {"dataset_id": ""}
        assert of_import | {"id": "", "slug": ""} == of_service | {"id": "", "slug": ""}


def test_the_same_file_again_changes_nothing_and_a_changed_line_one_dataset(database, importer):
    load(importer, records(12))
    before = figures(database)
    again, _ = load(importer, records(12))
    assert (again.unchanged, again.created, again.changed) == (12, 0, 0)
    assert figures(database) == before
    rows = records(12)
    rows[3]["keywords"] = ["mới"]
    changed, _ = load(importer, rows)
    assert (changed.unchanged, changed.changed) == (11, 1)
    with database.reading() as session:
        found = session.scalars(select(Dataset).where(Dataset.revision == 2)).all()
    assert [dataset.fields["identifier"] for dataset in found] == ["A-3"]


def test_a_dry_run_counts_and_writes_nothing(database, importer):
    load(importer, records(3))
    before = figures(database)
    summary, _ = load(importer, records(5), dry_run=True)
    assert (summary.created, summary.unchanged) == (2, 3)
    assert figures(database) == before


def test_equal_titles_get_different_addresses(database, importer):
    rows = records(3)
    for row in rows:
        row["title"] = "Dân số"
    load(importer, rows)
    with database.reading() as session:
        slugs = list(session.scalars(select(Dataset.slug)))
    assert len(set(slugs)) == 3
    assert all(slug.startswith("dan-so") for slug in slugs)


def test_drafts_go_public_and_nothing_is_taken_out_of_sight(database, importer):
    load(importer, records(2), state=DatasetState.DRAFT)
    with database.reading() as session:
        assert set(session.scalars(select(Dataset.state))) == {"draft"}
    load(importer, records(2), state=DatasetState.PUBLISHED)
    load(importer, records(2), state=DatasetState.DRAFT)
    with database.reading() as session:
        found = session.scalars(select(Dataset)).all()
    assert {(dataset.state, dataset.published_at is None) for dataset in found} == {("published", False)}


def test_an_import_killed_anywhere_is_finished_by_running_it_again(
    database_url, database, importer, tmp_path
):
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n".join(lines(records(400))))
    arguments = [sys.executable, "-c", IMPORTER, database_url, str(path)]
    killed = 0
    for wait in (0.0, 0.01, 0.03):
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert process.stdout
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        with database.reading() as session:
            datasets = set(session.scalars(select(Dataset.id)))
            events = [row.payload for row in session.scalars(select(OutboxRow))]
        assert set(changed_ids(events)) == datasets
    assert killed
    summary, _ = load(importer, records(400))
    assert summary.created + summary.unchanged == 400
    assert figures(database)[:2] == (400, 400)
