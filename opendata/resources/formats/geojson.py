"""GeoJSON: a row for each feature, its properties as columns, its geometry as GeoJSON text (RFC 7946).

Points also give `longitude` and `latitude`, unless the properties have columns of such names or the file says
that its coordinates are not in degrees. Features are read one at a time, so a map may be of any size; a file of
one feature, or of one feature a line, is read too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opendata.kernel.text import fold
from opendata.resources.formats.json_shapes import RecordShape
from opendata.resources.formats.json_text import (
    NumberText,
    Window,
    cell_of,
    decoder,
    elements,
    json_text,
    members,
    open_text,
)
from opendata.resources.formats.row_batches import row_batches
from opendata.resources.formats.table import SourceTable, check_width
from opendata.resources.ingest.problems import Problem, UnreadableError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from opendata.resources.formats.json_shapes import Field
    from opendata.resources.formats.table import Report, TextBatch
    from opendata.resources.ingest.result import Identification

GEOMETRY: Final = "geometry"
POINT_COLUMNS: Final = ("longitude", "latitude")
_REPORT_EVERY: Final = 1024
_DEGREES: Final = ("CRS84", "4326")
_COORDINATES: Final = 2
_OTHER_NAMES: Final = frozenset({"longitude", "latitude", "long", "lat", "lon", "lng", "kinh do", "vi do"})


@dataclass(slots=True)
class _Map:
    """What the file holds besides its features, known when all of it is read."""

    crs: str = ""
    features: int = 0
    points: int = 0
    has_identifiers: bool = False
    shape: RecordShape = field(default_factory=RecordShape)


class Feature(NamedTuple):
    """`geometry` as it is written, empty where there is none; `point` longitude and latitude of a point."""

    properties: dict[str, Any]
    identifier: str
    geometry: str
    point: tuple[str, str] | None


def tables(path: Path, identification: Identification) -> Iterator[SourceTable | Problem]:
    """The one table of the file. Raises UnreadableError for one without features."""
    known = _Map()
    for number, feature in _features(path, identification, _no_report, known):
        known.features += 1
        try:
            known.shape.see(feature.properties)
        except RecursionError as error:
            raise UnreadableError(Problem("json-too-deep", {"record": number})) from error
        known.points += feature.point is not None
        known.has_identifiers |= feature.identifier != ""
    if not known.features:
        raise UnreadableError(Problem("geojson-without-features"))
    fields = [*known.shape.fields(), *_lists_as_text(known.shape)]
    taken = {fold(column.label) for column in fields}
    has_points = bool(known.points) and not taken & _OTHER_NAMES and not known.crs
    labels = [column.label for column in fields]
    kinds = [column.kinds for column in fields]
    if has_identifier := known.has_identifiers and "id" not in taken:
        labels.insert(0, "id")
        kinds.insert(0, set())
    if has_points:
        labels += POINT_COLUMNS
        kinds += [{"number"}, {"number"}]
    labels.append(GEOMETRY)
    kinds.append({"text"})
    check_width(len(labels))
    table = SourceTable(
        title="",
        labels=tuple(labels),
        header_row=1,
        header_width=len(labels),
        readings=(),
        kinds=kinds,
        row_shift=1,
    )
    columns = _Columns(fields, has_identifier=has_identifier, has_points=has_points)
    table.readings = (partial(_read, path, identification, columns, table),)
    table.problems.append(Problem("geometry-as-text", column=GEOMETRY))
    if known.crs:
        table.problems.append(Problem("geojson-other-system", {"system": shown(known.crs)}))
    yield table


@dataclass(frozen=True, slots=True)
class _Columns:
    fields: list[Field]
    has_identifier: bool
    has_points: bool

    def row(self, feature: Feature) -> list[str]:
        cells = [column.cell(feature.properties) for column in self.fields]
        if self.has_identifier:
            cells.insert(0, feature.identifier)
        if self.has_points:
            cells += feature.point or ("", "")
        cells.append(feature.geometry)
        return cells


def _read(
    path: Path, identification: Identification, columns: _Columns, table: SourceTable, report: Report
) -> Iterator[TextBatch]:
    def rows() -> Iterator[tuple[int, list[str]]]:
        for number, feature in _features(path, identification, report, _Map()):
            try:
                yield number + 1, columns.row(feature)
            except RecursionError as error:
                raise UnreadableError(Problem("json-too-deep", {"record": number})) from error

    return row_batches(rows(), len(table.labels), table.irregular)


def _features(
    path: Path, identification: Identification, report: Report, known: _Map
) -> Iterator[tuple[int, Feature]]:
    number = 0
    with open_text(path, identification) as opened:
        window = Window(opened.text)
        while window.peek():
            for feature in _document(window, known, number):
                number += 1
                if number % _REPORT_EVERY == 0:
                    report(opened.done, identification.size, "bytes")
                yield number, feature
    report(identification.size, identification.size, "bytes")


def _document(window: Window, known: _Map, before: int) -> Iterator[Feature]:
    """The features of a collection, or the one feature that the object itself is."""
    if window.peek() != "{":
        raise UnreadableError(Problem("geojson-without-features"))
    whole: dict[str, Any] = {}
    geometry = ""
    for name in members(window):
        if name == "features" and window.peek() == "[":
            for number in elements(window):
                yield _feature(window, before + number)
        elif name == GEOMETRY:
            whole[name], geometry = window.value_and_text()
        else:
            whole[name] = window.value()
    system = json_text(whole.get("crs") or "")
    if whole.get("crs") and not any(degrees in system for degrees in _DEGREES):
        known.crs = system
    if whole.get("type") == "Feature":
        yield _made(whole, geometry)


def _feature(window: Window, number: int) -> Feature:
    if window.peek() != "{":
        raise UnreadableError(Problem("json-record-not-object", {"record": number}))
    whole: dict[str, Any] = {}
    geometry = ""
    for name in members(window):
        if name == GEOMETRY:
            whole[name], geometry = window.value_and_text(number)
        else:
            whole[name] = window.value(number)
    return _made(whole, geometry)


def _made(whole: Mapping[str, Any], geometry: str) -> Feature:
    properties, identifier = whole.get("properties"), whole.get("id")
    is_shape = isinstance(whole.get(GEOMETRY), dict)
    return Feature(
        properties if isinstance(properties, dict) else {},
        cell_of(identifier) if isinstance(identifier, str) else "",
        geometry if is_shape else "",
        _point(whole[GEOMETRY], geometry) if is_shape else None,
    )


def _point(value: Mapping[str, Any], written: str) -> tuple[str, str] | None:
    """Longitude and latitude of a point, with the digits that they are written with."""
    if value.get("type") != "Point":
        return None
    place = decoder().decode(written).get("coordinates")
    if not isinstance(place, list) or len(place) < _COORDINATES:
        return None
    longitude, latitude = place[:_COORDINATES]
    is_place = isinstance(longitude, NumberText) and isinstance(latitude, NumberText)
    return (str(longitude), str(latitude)) if is_place else None


def _lists_as_text(shape: RecordShape) -> list[Field]:
    """Lists in properties stay text: a map is one table."""
    return [shape.as_cell(name) for name in shape.lists()]


def _no_report(done: int, total: int, unit: str) -> None:
    """The reading before the rows is not shown."""
