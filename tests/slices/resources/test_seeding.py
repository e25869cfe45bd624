"""Seeding: through the same services as any upload, once, and from where it was cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.catalogue.seed_packages import SeedPackage, SeedResource
from opendata.kernel.errors import ForbiddenError
from opendata.resources.seeding import SeedLoader
from tests.slices.resources.conftest import ACTORS, FIRST, Shelf, person

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def packages(tmp_path: Path) -> list[SeedPackage]:
    """Two packages: one of two files, one of one."""
    made = []
    for slug, names in (("mot", ("a", "b")), ("hai", ("c",))):
        resources = []
        for name in names:
            path = tmp_path / f"{name}.csv"
            path.write_text(f"ma,ten\n01,{name}\n")
            resources.append(SeedResource(path, {"vi": f"Bảng {name}"}, {}, ()))
        title = {"vi": f"Gói {slug}", "en": f"Package {slug}"}
        made.append(SeedPackage(slug, {"title": title, "publisher": "BKHCN"}, tuple(resources)))
    return made


@pytest.fixture
def loader(shelf: Shelf) -> SeedLoader:
    return SeedLoader(shelf.catalogue, shelf.catalogue_queries, shelf.resources, shelf.queries)


def files(shelf: Shelf, slug: str) -> list[str]:
    dataset = shelf.catalogue_queries.dataset(COMMAND_LINE, slug)
    return [resource.latest.filename for resource in shelf.queries.resources_of(COMMAND_LINE, dataset.id)]


def test_packages_become_public_datasets(shelf, loader, packages) -> None:
    reported: list[str] = []
    waiting = loader.load(COMMAND_LINE, packages, reported.append)
    assert len(set(waiting)) == 3
    assert reported == ["mot", "hai"]
    for version_id in waiting:
        shelf.ingest.run({"version_id": version_id}, FIRST)
    assert set(shelf.queries.states(waiting).values()) == {"published"}
    assert (files(shelf, "mot"), files(shelf, "hai")) == (["a.csv", "b.csv"], ["c.csv"])
    view = shelf.catalogue_queries.dataset(VISITOR, "mot")
    assert view.text("title") == {"vi": "Gói mot", "en": "Package mot"}


def test_a_second_time_adds_nothing(shelf, loader, packages) -> None:
    for version_id in loader.load(COMMAND_LINE, packages):
        shelf.ingest.run({"version_id": version_id}, FIRST)
    before = (shelf.trail(), shelf.told())
    assert loader.load(COMMAND_LINE, packages) == []
    assert (shelf.trail(), shelf.told()) == before


def test_what_was_cut_short_goes_on_and_waits_for_what_was_handed_in(
    shelf, loader, packages, monkeypatch
) -> None:
    add = shelf.resources.add_resource

    def stop_at_b(actor, key, upload):
        if upload.filename == "b.csv":
            raise KeyboardInterrupt
        return add(actor, key, upload)

    with monkeypatch.context() as patch:
        patch.setattr(shelf.resources, "add_resource", stop_at_b)
        with pytest.raises(KeyboardInterrupt):
            loader.load(COMMAND_LINE, packages)
    waiting = loader.load(COMMAND_LINE, packages)
    assert len(set(waiting)) == 3
    assert (files(shelf, "mot"), files(shelf, "hai")) == (["a.csv", "b.csv"], ["c.csv"])
    for version_id in waiting:
        shelf.ingest.run({"version_id": version_id}, FIRST)
    assert loader.load(COMMAND_LINE, packages) == []


def test_a_withdrawn_seed_dataset_is_not_brought_back(shelf, loader, packages) -> None:
    for version_id in loader.load(COMMAND_LINE, packages):
        shelf.ingest.run({"version_id": version_id}, FIRST)
    shelf.catalogue.withdraw_dataset(COMMAND_LINE, "mot")
    loader.load(COMMAND_LINE, packages)
    assert shelf.catalogue_queries.dataset(COMMAND_LINE, "mot").state == "withdrawn"


def test_seeding_needs_the_same_rights_as_any_upload(loader, packages) -> None:
    for actor in (ACTORS["elsewhere"], person("nobody")):
        with pytest.raises(ForbiddenError):
            loader.load(actor, packages)
