"""Files of datasets on a real database and store, and the real pipeline behind them."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from opendata.accounts.models import AuditRow
from opendata.accounts.policy import COMMAND_LINE, SYSTEM, VISITOR, Actor, Role
from opendata.catalogue.profile import load_profile
from opendata.catalogue.queries import CatalogueQueries
from opendata.catalogue.service import CatalogueService
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.kernel.db import Database
from opendata.kernel.jobs import Attempt
from opendata.kernel.outbox import OutboxRow
from opendata.kernel.storage import LocalStore
from opendata.resources.ingest.limits import Limits
from opendata.resources.jobs import IngestJob
from opendata.resources.queries import ResourceQueries
from opendata.resources.service import Received, ResourceService, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opendata.catalogue.profile import MetadataProfile
    from opendata.resources.queries import VersionView

LIMIT = 1 << 20
CSV = "mã,tên\n01,Ea Súp\n02,Krông Pắc\n".encode()
FIRST = Attempt(1, is_last=False)


def person(name: str, **roles: Role) -> Actor:
    return Actor(person_id=name, name=name, via="web", roles=roles)


ACTORS = {
    "visitor": VISITOR,
    "reader": person("reader"),
    "editor": person("editor", BKHCN=Role.EDITOR),
    "admin": person("admin", BKHCN=Role.ADMIN),
    "elsewhere": person("elsewhere", BYT=Role.ADMIN),
    "platform": COMMAND_LINE,
    "system": SYSTEM,
}


def upload(content: bytes = CSV, filename: str = "bảng.csv", **more: Any) -> Upload:
    return Upload(io.BytesIO(content), filename, **more)


@dataclass(frozen=True)
class Shelf:
    """Everything one test works with."""

    database: Database
    store: LocalStore
    catalogue: CatalogueService
    catalogue_queries: CatalogueQueries
    resources: ResourceService
    queries: ResourceQueries
    ingest: IngestJob
    workspace: Path

    def add_dataset(self, slug: str = "bang", *, publish_when_ready: bool = True) -> str:
        metadata = {"title": "Bảng", "publisher": "BKHCN"}
        made = self.catalogue.create_dataset(
            COMMAND_LINE, metadata, slug=slug, publish_when_ready=publish_when_ready
        )
        return made.id

    def ingest_version(self, received: Received) -> VersionView:
        """Run the job of a version here; what became of it."""
        self.ingest.run({"version_id": received.version_id}, FIRST)
        return self.latest(received)

    def latest(self, received: Received) -> VersionView:
        return self.queries.resource(COMMAND_LINE, received.resource_id).latest

    def publish(self, content: bytes = CSV, filename: str = "bảng.csv") -> Received:
        """A dataset of its own with this file, published."""
        received = self.resources.add_resource(COMMAND_LINE, self.add_dataset(), upload(content, filename))
        assert self.ingest_version(received).state == "published"
        return received

    def replace(self, received: Received, content: bytes, filename: str = "bảng.csv") -> Received:
        return self.resources.replace_file(COMMAND_LINE, received.resource_id, upload(content, filename))

    def trail(self) -> list[tuple[str, str, Any]]:
        with self.database.reading() as session:
            rows = session.scalars(
                select(AuditRow).where(AuditRow.subject_type == "resource").order_by(AuditRow.id)
            )
            return [(row.actor_name, row.action, row.details) for row in rows]

    def told(self) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(OutboxRow.topic).order_by(OutboxRow.id)))


@pytest.fixture(scope="session")
def metadata_profile() -> MetadataProfile:
    folder = bundled("catalog_schemas")
    return load_profile(folder, load_vocabularies(folder))


@pytest.fixture
def make_shelf(metadata_profile: MetadataProfile, tmp_path: Path) -> Iterator[Callable[[Database], Shelf]]:
    opened: list[Database] = []

    def make(database: Database) -> Shelf:
        opened.append(database)
        store = LocalStore(tmp_path / "files")
        store.prepare()
        return Shelf(
            database,
            store,
            CatalogueService(database, metadata_profile),
            CatalogueQueries(database),
            ResourceService(database, store, LIMIT),
            ResourceQueries(database),
            IngestJob(database, store, tmp_path / "work", Limits()),
            tmp_path / "work",
        )

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def shelf(make_shelf: Callable[[Database], Shelf], prepared_folder: Path, tmp_path: Path) -> Shelf:
    shutil.copy(prepared_folder / "portal.sqlite", tmp_path / "portal.sqlite")
    return make_shelf(Database(f"sqlite:///{tmp_path / 'portal.sqlite'}"))
