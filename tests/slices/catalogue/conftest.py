"""The catalogue on a real database, with every kind of actor and a clock that the test moves."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING

import pytest

from opendata.accounts.policy import COMMAND_LINE, SYSTEM, VISITOR, Actor, Role
from opendata.catalogue.profile import load_profile
from opendata.catalogue.queries import CatalogueQueries
from opendata.catalogue.service import CatalogueService
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.kernel.db import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.catalogue.profile import MetadataProfile

AGENCY, OTHER = "BKHCN", "BYT"


def person(name: str, **roles: Role) -> Actor:
    return Actor(person_id=name, name=name, via="web", roles=roles)


ACTORS = {
    "visitor": VISITOR,
    "reader": person("reader"),
    "editor": person("editor", BKHCN=Role.EDITOR),
    "admin": person("admin", BKHCN=Role.ADMIN),
    "elsewhere": person("elsewhere", BYT=Role.ADMIN),
    "both": person("both", BKHCN=Role.EDITOR, BYT=Role.EDITOR),
    "platform": COMMAND_LINE,
    "system": SYSTEM,
}


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime(2025, 7, 1, 8, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, **duration: float) -> dt.datetime:
        self.now += dt.timedelta(**duration)
        return self.now


@pytest.fixture(scope="session")
def metadata_profile() -> MetadataProfile:
    folder = bundled("catalog_schemas")
    return load_profile(folder, load_vocabularies(folder))


@pytest.fixture
def database(prepared_folder: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(prepared_folder / "portal.sqlite", tmp_path / "portal.sqlite")
    opened = Database(f"sqlite:///{tmp_path / 'portal.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalogue(database: Database, metadata_profile: MetadataProfile, clock: Clock) -> CatalogueService:
    return CatalogueService(database, metadata_profile, clock)


@pytest.fixture
def queries(database: Database) -> CatalogueQueries:
    return CatalogueQueries(database)
