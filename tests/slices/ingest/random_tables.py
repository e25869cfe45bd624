"""Random schemas and hostile CSV for them: `random_case` makes one of a seeded die."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

SECOND = {"$schema": "https://datapackage.org/profiles/2.0/tableschema.json"}

TEXTS: dict[str, Sequence[str]] = {
    "integer": ["1", "2", "3", "-1", "007", "+5", " 1", "1_000", "0", "-0", "9223372036854775808", "5%", "1.0", "0x1F", "１２"],
    "number": ["1", "1.0", "1.5", "-2", "1e3", "1,5", "3.359,80", "1,000.5", "NaN", "inf", ".5", "5.", " 2 ", "1 000", "5 đ", "sNaN", "1_0"],
    "boolean": ["true", "false", "1", "0", "True", "có", "không", "yes", "x"],
    "date": ["2024-01-31", "31/01/2024", "2024-02-30", "2024-1-1", "01/02/2024", "x", "0000-01-01"],
    "datetime": ["2024-01-31T10:00:00", "2024-01-31T10:00:00Z", "2024-01-31 10:00:00", "2024-01-31T24:00:00", "2024-02-30T10:00:00", "2024-01-31T10:00:00+07:00", "0000-01-31T10:00:00", "2024-01-31T10:00:00.5"],
    "time": ["10:30:00", "10:30", "25:00:00", "10:30:00Z", "23:59:59", "24:00:00"],
    "year": ["2024", "1999", "0000", "-999", "+999", "99", "20245", " 202"],
    "yearmonth": ["2024-01", "2024-13", "2024-1", "1-2", "x"],
    "duration": ["P1D", "PT2H", "P1Y", "1D", "P1M"],
    "string": ["a", "b", "A", "abc", "a b", "x@y.vn", "http://x.vn/", "Hà Nội", "a\nb", "aab", 'say "hi"', "a,b", "ab\n"],
    "geopoint": ["105.8,21.0", "21, 105", "200,10", "x", "105.8, 21.0"],
    "array": ["[1, 2]", "[]", "[1]", "x", "{}"],
    "object": ['{"a": 1}', "{}", "[]", "x"],
    "geojson": ['{"type": "Point", "coordinates": [1, 2]}', "{}", "x"],
    "list": ["a,b", "1,2", "x", "1;2"],
    "any": ["a", "1", "1.0", " "],
}  # fmt: skip
EVERYTHING = ("", "", "-", "n/a", "0")
WIDE = {"integer": (1, 2, 5, "3"), "number": (1, 2.5, 2, "-1"), "year": (2000, 2024)}
PATTERNS = (
    "[a-z]+",
    "a.*",
    "[0-9]*",
    "a|b",
    r"\w+",
    r"\d{3}",
    "[^,]*",
    r"\S+",
    "(?!x).*",
    "(ab?)*",
    "a$",
    ".{1,3}",
)


@dataclass(frozen=True)
class Case:
    schema: dict[str, Any]
    text: str
    limit: int
    delimiter: str | None = None


def random_case(dice: random.Random) -> Case:
    width = dice.choice((1, 2, 2, 2, 3, 3, 4))
    fields = [_field(dice, "abcd"[position]) for position in range(width)]
    delimiter = dice.choice((",", ",", ",", ";"))
    schema: dict[str, Any] = {"fields": fields, **_extras(dice, fields)}
    if dice.random() < 0.05:
        schema |= SECOND
        for field in fields:
            _make_exclusive(field.get("constraints", {}))
    texts = [[*TEXTS[field["type"]], *EVERYTHING] for field in fields]
    few = [dice.sample(each, min(len(each), dice.choice((2, 3, 8, 30)))) for each in texts]
    rows = [_row(dice, few) for _ in range(dice.choice((0, 1, 2, 4, 8, 15, 40)))]
    header = _header(dice, [field["name"] for field in fields])
    end = dice.choice(("\n", "\n", "\n", "\r\n", "\r"))
    lines = [delimiter.join(_quoted(dice, cell, delimiter) for cell in row) for row in [header, *rows]]
    text = end.join(lines) + dice.choice((end, end, ""))
    if dice.random() < 0.04:
        text = _damaged(dice, text)
    limit = dice.choice((1000, 1000, 1000, 1, 2, 3, 7, 0))
    return Case(schema, text, limit, delimiter if dice.random() < 0.7 else None)


def _field(dice: random.Random, name: str) -> dict[str, Any]:
    kind = dice.choice(["string", "integer", "number", "date", *TEXTS])
    field: dict[str, Any] = {"name": name, "type": kind}
    if kind in {"integer", "number"} and dice.random() < 0.2:
        field["bareNumber"] = dice.random() < 0.3
    if kind == "number" and dice.random() < 0.5:
        field |= dice.choice(
            (
                {"decimalChar": ",", "groupChar": "."},
                {"decimalChar": ","},
                {"groupChar": ","},
                {"groupChar": " "},
                {"floatNumber": True},
            )
        )
    if kind == "boolean" and dice.random() < 0.4:
        field |= {"trueValues": ["có", "1"], "falseValues": dice.choice((["không", "0"], ["", "x"]))}
    formats = {
        "date": ("%d/%m/%Y", "any"),
        "datetime": ("%Y-%m-%d %H:%M:%S", "any"),
        "time": ("%H:%M", "any"),
        "string": ("email", "uri", "uuid", "binary"),
        "geopoint": ("array", "object"),
    }
    if kind in formats and dice.random() < 0.2:
        field["format"] = dice.choice(formats[kind])
    if kind == "list":
        field |= dice.choice(({}, {"itemType": "integer"}, {"delimiter": ";"}))
    if dice.random() < 0.1:
        field["missingValues"] = dice.choice((["-"], ["", "n/a", "0"], []))
    constraints = _constraints(dice, field)
    if constraints:
        field["constraints"] = constraints
    return field


def _constraints(dice: random.Random, field: dict[str, Any]) -> dict[str, Any]:
    kind = field["type"]
    chosen: dict[str, Any] = {}
    if dice.random() < 0.3:
        chosen["required"] = dice.random() < 0.8
    if dice.random() < 0.15:
        chosen["unique"] = dice.random() < 0.9
    if kind in WIDE and dice.random() < 0.3:
        chosen[dice.choice(("minimum", "maximum"))] = dice.choice(WIDE[kind])
    if kind == "date" and "format" not in field and dice.random() < 0.2:
        chosen["minimum"] = "2024-01-15"
    if kind == "datetime" and "format" not in field and dice.random() < 0.2:
        chosen["maximum"] = "2024-01-31T10:00:00"
    if kind in {"string", "array", "object", "list"} and dice.random() < 0.25:
        chosen[dice.choice(("minLength", "maxLength"))] = dice.choice((0, 1, 2, 3))
    if kind == "string" and dice.random() < 0.3:
        chosen["pattern"] = dice.choice(PATTERNS)
    if kind in {"string", "integer", "number", "any", "boolean", "year"} and dice.random() < 0.15:
        chosen["enum"] = dice.sample(list(TEXTS[kind][:5]), 3)
    return chosen


def _make_exclusive(constraints: dict[str, Any]) -> None:
    for bound in ("minimum", "maximum"):
        if bound in constraints:
            constraints["exclusive" + bound.capitalize()] = constraints.pop(bound)


def _extras(dice: random.Random, fields: list[dict[str, Any]]) -> dict[str, Any]:
    names = [field["name"] for field in fields]
    extras: dict[str, Any] = {}
    if dice.random() < 0.2:
        extras["missingValues"] = dice.choice((["", "n/a"], ["-"], ["", "-", "0"], []))
    if dice.random() < 0.35:
        key = dice.sample(names, min(len(names), dice.choice((1, 1, 2, 3))))
        extras["primaryKey"] = key[0] if len(key) == 1 and dice.random() < 0.5 else key
    if dice.random() < 0.2:
        count = min(len(names), dice.choice((1, 1, 2)))
        own, other = dice.sample(names, count), dice.sample(names, count)
        extras["foreignKeys"] = [{"fields": own, "reference": {"resource": "", "fields": other}}]
    if dice.random() < 0.08:
        extras["fieldsMatch"] = dice.choice(("equal", "subset", "superset", "partial"))
    return extras


def _row(dice: random.Random, texts: list[list[str]]) -> list[str]:
    row = [dice.choice(each) for each in texts]
    odd = dice.random()
    if odd < 0.04:
        return []
    if odd < 0.08:
        return [""] * len(row)
    if odd < 0.12:
        return row[: dice.randrange(len(row) + 1)]
    if odd < 0.16:
        return [*row, "x", ""][: len(row) + dice.choice((1, 2))]
    return row


def _header(dice: random.Random, names: list[str]) -> list[str]:
    if dice.random() < 0.8:
        return names
    wrong = (
        [*names, "e"],
        names[:-1] or names,
        names[::-1],
        ["", *names[1:]],
        [names[0]] * len(names),
        [" " + names[0], *(name.upper() for name in names[1:])],
    )
    return dice.choice(wrong)


def _quoted(dice: random.Random, cell: str, delimiter: str) -> str:
    must = any(char in cell for char in (delimiter, '"', "\n", "\r"))
    return '"' + cell.replace('"', '""') + '"' if must or dice.random() < 0.1 else cell


def _damaged(dice: random.Random, text: str) -> str:
    """A stray character anywhere: a quote that is never closed, a lone CR, a NUL, a mark."""
    place = dice.randrange(len(text) + 1)
    return text[:place] + dice.choice(('"', '"', "\r", "\0", "\n\n", "﻿", "'", " ")) + text[place:]
