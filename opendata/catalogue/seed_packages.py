"""Reads `seed_datasets/`: small Data Packages whose `opendata` key holds the catalogue's own metadata.

Called by the seed command, which publishes what it is handed through the same services as any upload.
Only reads; nothing is checked here that the metadata profile and the ingest check anyway. The layout is
stated in `catalog_schemas/json_schemas/seed_package.schema.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opendata.kernel.errors import N_, PortalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DESCRIPTOR = "datapackage.json"


class BrokenSeedPackageError(PortalError):
    """A folder of `seed_datasets/` that is not a readable package."""

    code = "broken-seed-package"
    status = 500
    template = N_("The seed package %(path)s cannot be read: %(reason)s.")


@dataclass(frozen=True, slots=True)
class SeedTable:
    """`name`: the sheet of a workbook, None where the file is one table. `table_schema`: Table Schema, whose
    fields carry `title` and `description` in Vietnamese and both languages under their `opendata` key.
    """

    name: str | None
    table_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SeedResource:
    """One file. Title and description by language; `tables` in the order of the package, one a sheet."""

    path: Path
    title: Mapping[str, str]
    description: Mapping[str, str]
    tables: tuple[SeedTable, ...]

    @property
    def table_schema(self) -> Mapping[str, Any] | None:
        """That of the first table."""
        return self.tables[0].table_schema if self.tables else None


@dataclass(frozen=True, slots=True)
class SeedPackage:
    """`metadata` in the shape the metadata profile takes; `slug` is the address the dataset should have."""

    slug: str
    metadata: Mapping[str, Any]
    resources: tuple[SeedResource, ...]


def read_packages(folder: Path) -> Iterator[SeedPackage]:
    """Every sub-folder with a descriptor, in order of name. Raises BrokenSeedPackageError at the first bad one."""
    for path in sorted(folder.glob(f"*/{DESCRIPTOR}")):
        try:
            yield _package(path)
        except KeyError as error:
            raise BrokenSeedPackageError(path=path, reason=f"{error} is missing") from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BrokenSeedPackageError(path=path, reason=str(error)) from error


def _package(path: Path) -> SeedPackage:
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    # A workbook is one entry a sheet in a Data Package and one file with several tables here.
    by_file: dict[str, list[dict[str, Any]]] = {}
    for entry in descriptor["resources"]:
        by_file.setdefault(entry["path"], []).append(entry)
    resources = tuple(_resource(path.parent / name, entries) for name, entries in by_file.items())
    return SeedPackage(descriptor["name"], descriptor["opendata"], resources)


def _resource(path: Path, entries: list[dict[str, Any]]) -> SeedResource:
    if not path.is_file():
        raise ValueError(f"the file {path.name} is not there")
    texts = entries[0]["opendata"]
    tables = tuple(
        SeedTable(entry.get("dialect", {}).get("excel", {}).get("sheet"), entry["schema"])
        for entry in entries
        if "schema" in entry
    )
    return SeedResource(path, texts["title"], texts["description"], tables)
