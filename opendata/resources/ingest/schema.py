"""Table Schemas: the one that inference arrives at, and the one a publisher sends along.

A schema from outside is data of a stranger: `reduced_schema` keeps field names, types, formats, constraints,
missing values and keys, each checked for its shape, and drops everything else (paths, profiles, dialects,
references to other files), so that nothing in it can make a library fetch or run something.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.ingest.patterns import is_explosive
from opendata.resources.ingest.problems import Problem, UnreadableError, shown
from opendata.resources.ingest.result import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from opendata.resources.ingest.infer import Decision

LONGEST_LABEL: Final = 500
LONGEST_PATTERN: Final = 500
MOST_LISTED: Final = 10_000
LONGEST_TEXT: Final = 5000
FEW: Final = 3
MOST_SHOWN: Final = 20

_TYPES: Final = frozenset(
    [
        "string",
        "number",
        "integer",
        "boolean",
        "object",
        "array",
        "list",
        "datetime",
        "date",
        "time",
        "year",
        "yearmonth",
        "duration",
        "geopoint",
        "geojson",
        "any",
    ]
)
_FIELD_TEXTS: Final = ("title", "description", "format")
_LIST_KEYS: Final = ("delimiter", "itemType")
# The one profile that frictionless knows by heart; any other address it would fetch.
_SECOND_EDITION: Final = "https://datapackage.org/profiles/2.0/tableschema.json"
_MATCHES: Final = frozenset({"exact", "equal", "subset", "superset", "partial"})
_NUMBER_CHARS: Final = ("decimalChar", "groupChar")
_WORD_LISTS: Final = ("trueValues", "falseValues", "missingValues")
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def named_columns(labels: Sequence[str], table: str) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """A name for every label of a header, and what had to be changed for it.

    Names that differ only in upper and lower case count as the same: SQL takes them for one.
    """
    names: list[str] = []
    problems: list[Problem] = []
    taken = {label.casefold() for label in labels if label}
    used: set[str] = set()
    for position, label in enumerate(labels, start=1):
        stem = label[:LONGEST_LABEL] if label else f"column_{position}"
        name, number = stem, 2
        while name.casefold() in used or (name != label and name.casefold() in taken):
            name, number = f"{stem}_{number}", number + 1
        used.add(name.casefold())
        names.append(name)
        where: dict[str, Any] = {"position": position}
        if len(label) > LONGEST_LABEL:
            where["limit"] = LONGEST_LABEL
            problems.append(Problem("long-label", where, table=table, column=name))
        elif label and name != label:
            where["label"] = shown(label)
            problems.append(Problem("duplicate-label", where, table=table, column=name))
    return tuple(names), (*problems, *_blank_labels(labels, names, table))


def _blank_labels(labels: Sequence[str], names: Sequence[str], table: str) -> list[Problem]:
    """One problem a column, or one for all where there are many."""
    blank = [position for position, label in enumerate(labels, start=1) if not label]
    if len(blank) > FEW:
        listed = ", ".join(str(position) for position in blank[:MOST_SHOWN])
        more = {"count": len(blank), "positions": f"{listed}…" if len(blank) > MOST_SHOWN else listed}
        return [Problem("blank-labels", more, table=table)]
    return [
        Problem("blank-label", {"position": position}, table=table, column=names[position - 1])
        for position in blank
    ]


def inferred_schema(
    names: Sequence[str],
    decisions: Sequence[Decision],
    titles: Sequence[str] = (),
    units: Sequence[str] = (),
) -> dict[str, Any]:
    """The Table Schema of a table whose columns were decided here.

    `titles` and `units`: one a column, or none at all. A unit, as the file writes it, describes a column of
    numbers; text has none.
    """
    fields = []
    said = units or [""] * len(names)
    for name, decision, title, unit in zip(names, decisions, titles or names, said, strict=True):
        described: dict[str, Any] = {"name": name, "type": decision.type}
        if title and title != name:
            described["title"] = title
        if unit and decision.type in {"integer", "number"}:
            described["description"] = unit
        if decision.format != "default":
            described["format"] = decision.format
        fields.append(described | dict(decision.properties))
    return {"fields": fields}


def columns_of(schema: Mapping[str, Any], decisions: Sequence[Decision], table: str) -> tuple[Column, ...]:
    """The columns of a table as they are published, notes with their names."""
    return tuple(
        Column(
            name=described["name"],
            type=described["type"],
            format=described.get("format", "default"),
            title=described.get("title"),
            description=described.get("description"),
            notes=tuple(
                Problem(note.code, note.params, note.severity, table, note.row, described["name"])
                for note in decision.notes
            ),
            choices=decision.choices,
        )
        for described, decision in zip(schema["fields"], decisions, strict=True)
    )


def reduced_schema(
    descriptor: Mapping[str, Any], *, tables: Collection[str] = (), is_for_validation: bool = False
) -> dict[str, Any]:
    """What is kept of a schema from outside. Raises UnreadableError for one that is no Table Schema.

    Foreign keys to other tables are kept for those in `tables`. `is_for_validation`: the table is only checked,
    not stored, so that its columns need not be those of the schema (`fieldsMatch`).
    """
    fields = descriptor.get("fields") if isinstance(descriptor, dict) else None
    if not isinstance(fields, list) or not fields or len(fields) > MOST_LISTED:
        raise _invalid("schema-no-fields")
    kept: dict[str, Any] = {
        "fields": [_reduced_field(number, field) for number, field in enumerate(fields, 1)]
    }
    names = [field["name"] for field in kept["fields"]]
    if len({name.casefold() for name in names}) != len(names):
        raise _invalid("schema-duplicate-field")
    if descriptor.get("$schema") == _SECOND_EDITION:
        kept["$schema"] = _SECOND_EDITION
    if "missingValues" in descriptor:
        kept["missingValues"] = _words("missingValues", descriptor["missingValues"])
    key = descriptor.get("primaryKey")
    if key:
        kept["primaryKey"] = [key] if isinstance(key, str) else _words("primaryKey", key)
        if not set(kept["primaryKey"]) <= set(names):
            raise _invalid("schema-bad-key", key="primaryKey")
    own_keys = [
        _kept_key(foreign, names, tables)
        for foreign in _listed("foreignKeys", descriptor.get("foreignKeys") or [])
    ]
    references = [key for key in own_keys if key is not None]
    if references:
        kept["foreignKeys"] = references
    if is_for_validation and descriptor.get("fieldsMatch") in _MATCHES:
        kept["fieldsMatch"] = descriptor["fieldsMatch"]
    return kept


def _reduced_field(number: int, field: Any) -> dict[str, Any]:
    if not isinstance(field, dict) or not isinstance(field.get("name"), str) or not field["name"]:
        raise _invalid("schema-field-without-name", position=number)
    name = field["name"]
    kind = field.get("type", "string")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise _invalid("schema-unknown-type", field=shown(name), type=shown(str(kind)))
    kept: dict[str, Any] = {"name": name, "type": kind}
    for key in _FIELD_TEXTS:
        if isinstance(field.get(key), str) and field[key]:
            kept[key] = field[key][:LONGEST_TEXT]
    kept |= _options(kind, field)
    for key in _WORD_LISTS:
        if key in field and (key == "missingValues" or kind == "boolean"):
            kept[key] = _words(key, field[key])
    constraints = field.get("constraints")
    if isinstance(constraints, dict):
        kept["constraints"] = _reduced_constraints(name, constraints)
    return kept


def _options(kind: str, field: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key in _NUMBER_CHARS:
        if kind == "number" and isinstance(field.get(key), str) and len(field[key]) <= 1:
            kept[key] = field[key]
    if kind in {"number", "integer"} and isinstance(field.get("bareNumber"), bool):
        kept["bareNumber"] = field["bareNumber"]
    if kind == "number" and isinstance(field.get("floatNumber"), bool):
        kept["floatNumber"] = field["floatNumber"]
    if kind == "list":
        kept |= {key: field[key] for key in _LIST_KEYS if isinstance(field.get(key), str) and field[key]}
    return kept


def _reduced_constraints(name: str, constraints: Mapping[str, Any]) -> dict[str, Any]:
    checks: dict[str, Callable[[Any], bool]] = {
        "required": _is_bool,
        "unique": _is_bool,
        "minLength": _is_length,
        "maxLength": _is_length,
        "pattern": lambda value: isinstance(value, str) and len(value) <= LONGEST_PATTERN,
        "enum": lambda value: (
            isinstance(value, list) and 0 < len(value) <= MOST_LISTED and all(map(_is_scalar, value))
        ),
        **dict.fromkeys(_BOUNDS, _is_scalar),
    }
    kept = {}
    for key, check in checks.items():
        if key in constraints:
            if not check(constraints[key]):
                raise _invalid("schema-bad-constraint", field=shown(name), key=key)
            kept[key] = constraints[key]
    if "pattern" in kept:
        _check_pattern(name, kept["pattern"])
    return kept


def _check_pattern(name: str, pattern: str) -> None:
    try:
        if is_explosive(pattern):
            raise _invalid("schema-slow-pattern", field=shown(name), pattern=shown(pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise _invalid("schema-bad-constraint", field=shown(name), key="pattern") from error


def _kept_key(foreign: Any, names: Sequence[str], tables: Collection[str]) -> dict[str, Any] | None:
    """A foreign key within the table itself or to a known one; one to another file cannot be checked and is
    dropped.
    """
    reference = foreign.get("reference") if isinstance(foreign, dict) else None
    if not isinstance(reference, dict) or reference.get("resource", "") not in {"", *tables}:
        return None
    own, other = foreign.get("fields"), reference.get("fields")
    own, other = ([key] if isinstance(key, str) else key for key in (own, other))
    if not isinstance(own, list) or not isinstance(other, list) or len(own) != len(other) or not own:
        raise _invalid("schema-bad-key", key="foreignKeys")
    table = reference.get("resource", "")
    known_others = other if table else names
    if not all(isinstance(key, str) for key in (*own, *other)):
        raise _invalid("schema-bad-key", key="foreignKeys")
    if not set(own) <= set(names) or not set(other) <= set(known_others):
        raise _invalid("schema-bad-key", key="foreignKeys")
    return {"fields": own, "reference": {"resource": table, "fields": other}}


def _listed(key: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST_LISTED:
        raise _invalid("schema-bad-list", key=key)
    return value


def _words(key: str, value: Any) -> list[str]:
    words: list[str] = []
    for each in _listed(key, value):
        word = each.get("value") if isinstance(each, dict) else each
        if not isinstance(word, str):
            raise _invalid("schema-bad-list", key=key)
        words.append(word)
    return words


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_length(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _invalid(code: str, **params: Any) -> UnreadableError:
    return UnreadableError(Problem(code, params))
