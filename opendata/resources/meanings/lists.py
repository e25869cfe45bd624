"""The official lists that values are held to: provinces, communes, agencies, ethnic groups, postal codes.

Read from `catalog_schemas/vocabularies` when a meaning first needs one, and kept. Names are folded, without
the word for their kind. Lists have days of validity: `current` is in force since 1 July 2025, `former` was
until the day before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.resources.meanings.value_tests import folded

if TYPE_CHECKING:
    from collections.abc import Iterable

PROVINCE_KINDS = "tinh|thanh pho|thu do|tp|t"
COMMUNE_KINDS = "xa|phuong|thi tran|dac khu|tt|p|x"


@dataclass(frozen=True, slots=True)
class Units:
    codes: frozenset[str]
    names: frozenset[str]


@cache
def current_provinces() -> Units:
    places = [place for place in _places() if place.kind != "country"]
    return Units(
        frozenset(place.code for place in places),
        _folded(
            name for place in places for name in (place.labels["vi"], place.labels["en"], *place.aliases)
        ),
    )


@cache
def former_provinces() -> Units:
    """The 63 of the day before the merger."""
    units = [unit for place in _places() for unit in place.predecessors if str(unit.valid_to) == "2025-06-30"]
    return Units(
        frozenset(unit.code for unit in units),
        _folded(name for unit in units for name in (unit.labels["vi"], unit.labels["en"], *unit.aliases)),
    )


@cache
def current_communes() -> Units:
    return _units(_read("communes")["current"])


@cache
def former_communes() -> Units:
    return _units(_read("communes")["former"])


@cache
def ethnic_groups() -> frozenset[str]:
    """The 54 recognised groups with their other names."""
    terms = _read("ethnic_groups")["terms"]
    return _folded(name for term in terms for name in (term["name"], *term["aliases"]))


@cache
def agency_codes() -> frozenset[str]:
    """The codes this portal gives to agencies."""
    return frozenset(agency.code for agency in load_vocabularies(bundled("catalog_schemas")).agencies)


@cache
def agency_names() -> frozenset[str]:
    """Names of agencies, present and former, in both languages, with their usual short forms."""
    agencies = load_vocabularies(bundled("catalog_schemas")).agencies
    return _folded(name for one in agencies for name in (*one.labels.values(), *one.aliases))


def _places() -> Any:
    return load_vocabularies(bundled("catalog_schemas")).places


def _units(data: dict[str, Any]) -> Units:
    return Units(
        frozenset(data["codes"].split()), _folded(name for names in data["names"].values() for name in names)
    )


def _folded(names: Iterable[str]) -> frozenset[str]:
    # Together, as columns are: one by one, eleven thousand names take a third of a second.
    return frozenset(folded(pa.array(list(names), pa.string())).to_pylist())


def _read(name: str) -> dict[str, Any]:
    path = bundled("catalog_schemas") / "vocabularies" / f"{name}.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
