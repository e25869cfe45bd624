"""Which cells of a column are certainly valid under a field of a table schema, whole Arrow columns at a time.

Called by `table_check`. A rule accepts a cell only where frictionless is certain to accept it (plain numbers and
days by `plain_cells`, texts by length, list and pattern); every other text goes once through the cell reader of
the frictionless field itself, dates among them. Nothing here decides what an error is.
"""

from __future__ import annotations

import datetime as dt
import math
import operator
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.blocks import NotCoveredError
from opendata.resources.ingest.patterns import certain_pattern
from opendata.resources.ingest.plain_cells import (
    is_day_form,
    plain_days,
    plain_doubles,
    plain_integers,
    plain_moments,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from opendata.resources.ingest.frictionless_checks import CellReader

    Mask = NDArray[np.bool_]
    # True: every cell that is not null is certainly valid; else an Arrow mask, null where the cell is.
    Rule = Callable[[pa.Array], "pa.Array | bool"]

_REMEMBERED: Final = 200_000
_INT64: Final = 2**63
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_MOMENT: Final = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{_TIME}(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?$"
_FIRST_DAY: Final = dt.date(1970, 1, 1)
_COMPARED: Final = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}
_BOUNDS: Final = tuple(_COMPARED)
_LONGEST_DOUBLE: Final = 300


class CellProof:
    """Says of the cells of a column which are in doubt and which count as blank.

    `field` is the frictionless field that reads the column. `is_proven`: every value was found to fit its type
    before, so that only a missing value or a rule can be wrong.
    """

    def __init__(self, field: Any, *, is_proven: bool = False) -> None:
        self._reader: CellReader = field.create_cell_reader()
        words = missing_words(field)
        self._words = pa.array([word for word in words if word], pa.string())
        self._longest_word = max((len(word.encode()) for word in words), default=0)
        self._known: dict[str, tuple[bool, bool]] = {}
        self._valid = pa.array([], pa.string())
        self._new_valid: list[str] = []
        self._null = self._verdict("")
        has_rules = bool(set(field.constraints) - {"required", "unique"})
        self._rule: Rule | None = _certain if is_proven and not has_rules else rule_of(field)

    def prove(self, cells: pa.Array) -> tuple[Mask | None, Mask | None]:
        """Masks of the cells in doubt and of the blank cells; None where there is no such cell."""
        null_valid, null_blank = self._null
        doubtful: Mask | None = None
        blank: Mask | None = None
        if cells.null_count:
            is_null = pc.is_null(cells).to_numpy(zero_copy_only=False)
            doubtful = None if null_valid else is_null
            blank = is_null if null_blank else None
        unsure = self._unsure(cells)
        if not len(unsure):
            return doubtful, blank
        encoded = (cells if len(unsure) == len(cells) else cells.take(pa.array(unsure))).dictionary_encode()
        verdicts = np.array([self._remembered(text) for text in encoded.dictionary.to_pylist()], np.bool_)
        invalid, is_blank = ~verdicts[:, 0], verdicts[:, 1]
        indices = encoded.indices.to_numpy()
        if invalid.any():
            doubtful = _marked(doubtful, len(cells), unsure[invalid[indices]])
        if is_blank.any():
            blank = _marked(blank, len(cells), unsure[is_blank[indices]])
        return doubtful, blank

    def _unsure(self, cells: pa.Array) -> NDArray[np.intp]:
        """Positions of the cells that are neither null nor certainly valid."""
        missing = None
        if self._longest_word and self._longest_word >= (pc.min(pc.binary_length(cells)).as_py() or 0):
            missing = pc.is_in(cells, self._words)
            if pc.any(missing).as_py():
                cells = pc.if_else(missing, pa.scalar(None, pa.string()), cells)
            else:
                missing = None
        certain = self._rule(cells) if self._rule else False
        if certain is True:
            unsure = missing
        else:
            certain = self._seen_valid(cells) if certain is False else pc.fill_null(certain, fill_value=False)
            unsure = pc.and_not(pc.is_valid(cells), certain)
            if missing is not None:
                unsure = pc.or_(unsure, missing)
        if unsure is None:
            return np.empty(0, np.intp)
        return np.flatnonzero(unsure.to_numpy(zero_copy_only=False))

    def _seen_valid(self, cells: pa.Array) -> pa.Array:
        """Where a cell was read before and found to be valid."""
        if len(self._new_valid) > len(self._valid) // 8:
            self._valid = pa.concat_arrays([self._valid, pa.array(self._new_valid, pa.string())])
            self._new_valid = []
        return pc.is_in(cells, self._valid)

    def _remembered(self, text: str) -> tuple[bool, bool]:
        verdict = self._known.get(text)
        if verdict is None:
            verdict = self._verdict(text)
            if len(self._known) < _REMEMBERED:
                self._known[text] = verdict
                if verdict == (True, False):
                    self._new_valid.append(text)
        return verdict

    def _verdict(self, text: str) -> tuple[bool, bool]:
        target, notes = reading(self._reader, text)
        return not notes, target is None and not (notes and "type" in notes)


def reading(reader: CellReader, text: str) -> tuple[Any, dict[str, str] | None]:
    """What frictionless reads. Raises NotCoveredError where it stumbles: a moment with a zone beside a bound
    without one. Whether that row is reached at all is then for frictionless to find.
    """
    try:
        return reader(text)
    except Exception as error:
        raise NotCoveredError(str(error)) from error


def missing_words(field: Any) -> list[str]:
    """What stands for no value in a column, as frictionless decides it."""
    if not field.has_defined("missing_values") and field.schema:
        return list(field.schema.missing_values)
    return list(field.missing_values)


def _marked(mask: Mask | None, length: int, positions: NDArray[np.intp]) -> Mask:
    marked = np.zeros(length, np.bool_) if mask is None else mask.copy()
    marked[positions] = True
    return marked


def _certain(_cells: pa.Array) -> bool:
    return True


def rule_of(field: Any) -> Rule | None:
    """The rule of a field; None where every distinct text has to be read by frictionless."""
    constraints = {
        key: value for key, value in field.constraints.items() if key not in {"required", "unique"}
    }
    makers: dict[str, Callable[[Any, dict[str, Any]], Rule | None]] = {
        "any": _text_rule,
        "string": _text_rule,
        "integer": _integer_rule,
        "number": _number_rule,
        "boolean": _boolean_rule,
        "date": _date_rule,
        "datetime": _moment_rule,
        "time": _time_rule,
        "year": _year_rule,
    }
    maker = makers.get(field.type)
    return maker(field, constraints) if maker else None


def _text_rule(field: Any, constraints: dict[str, Any]) -> Rule | None:
    if field.type == "string" and field.format in {"email", "uri", "uuid", "binary", "wkt"}:
        return None
    shortest, longest = constraints.get("minLength", 0), constraints.get("maxLength")
    words = constraints.get("enum")
    listed = (
        None if words is None else pa.array([word for word in words if isinstance(word, str)], pa.string())
    )
    pattern = constraints.get("pattern")
    exact = None if pattern is None else certain_pattern(pattern)
    if pattern is not None and exact is None:
        return None

    def rule(cells: pa.Array) -> pa.Array | bool:
        masks = []
        if shortest > 1 or longest is not None:
            lengths = pc.utf8_length(cells)
            masks.append(pc.greater_equal(lengths, shortest))
            if longest is not None:
                masks.append(pc.less_equal(lengths, longest))
        if listed is not None:
            masks.append(pc.is_in(cells, listed))
        if exact is not None:
            masks.append(pc.match_substring_regex(cells, exact))
        return _all_of(masks)

    return rule


def _all_of(masks: list[pa.Array]) -> pa.Array | bool:
    if not masks:
        return True
    mask = masks[0]
    for other in masks[1:]:
        mask = pc.and_(mask, other)
    return mask


def _integer_rule(field: Any, constraints: dict[str, Any]) -> Rule | None:
    reader = field.create_value_reader()
    bounds = {name: reader(constraints[name]) for name in _BOUNDS if name in constraints}
    if not field.bare_number or "enum" in constraints:
        return None
    if any(not isinstance(bound, int) or abs(bound) >= _INT64 for bound in bounds.values()):
        return None

    def rule(cells: pa.Array) -> pa.Array | bool:
        return _within(cells, plain_integers(cells), bounds)

    return rule


def _within(
    cells: pa.Array, values: pa.Array, bounds: dict[str, Any], *, is_exact: bool = True
) -> pa.Array | bool:
    """Where cells have values that keep their bounds. A double that equals a bound proves nothing of the text it
    came from.
    """
    if not bounds:
        return values.null_count == cells.null_count or pc.is_valid(values)
    at_least = pc.greater_equal if is_exact else pc.greater
    at_most = pc.less_equal if is_exact else pc.less
    compared = {
        "minimum": at_least,
        "maximum": at_most,
        "exclusiveMinimum": pc.greater,
        "exclusiveMaximum": pc.less,
    }
    masks = [compared[name](values, bound) for name, bound in bounds.items()]
    return _all_of(masks)


def _number_rule(field: Any, constraints: dict[str, Any]) -> Rule | None:
    decimal, group = field.decimal_char, field.group_char
    is_usual = len(decimal) == 1 and len(group) <= 1 and decimal != group
    if not field.bare_number or "enum" in constraints or not is_usual:
        return None
    if any(char.isalnum() or char in "-+_" for char in decimal + group) or decimal.isspace():
        return None
    reader = field.create_value_reader()
    bounds = {name: float(reader(constraints[name])) for name in _BOUNDS if name in constraints}
    if not all(math.isfinite(bound) for bound in bounds.values()):
        return None
    point = re.escape(decimal)
    plain = rf"^-?(?:[0-9]{{1,{_LONGEST_DOUBLE}}}(?:{point}[0-9]*)?|{point}[0-9]+)"
    pattern = plain + "$" if bounds else plain + "(?:[eE][-+]?[0-9]{1,3})?$"

    def rule(cells: pa.Array) -> pa.Array | bool:
        bare = pc.replace_substring(cells, group, "") if group else cells
        values = plain_doubles(bare, decimal, is_most=not bounds)
        if values is not None:
            return _within(cells, values, bounds, is_exact=False)
        matched = pc.match_substring_regex(bare, pattern)
        if not bounds:
            return matched
        texts = pc.if_else(matched, bare, pa.scalar(None, pa.string()))
        if decimal != ".":
            texts = pc.replace_substring(texts, decimal, ".")
        return _within(cells, texts.cast(pa.float64()), bounds, is_exact=False)

    return rule


def _boolean_rule(field: Any, constraints: dict[str, Any]) -> Rule | None:
    if constraints:
        return None
    words = pa.array([*field.true_values, *field.false_values], pa.string())

    def rule(cells: pa.Array) -> pa.Array:
        return pc.if_else(pc.is_valid(cells), pc.is_in(cells, words), pa.scalar(None, pa.bool_()))

    return rule


def _date_rule(field: Any, constraints: dict[str, Any]) -> Rule | None:
    form = "%Y-%m-%d" if field.format == "default" else field.format
    if not is_day_form(form) or "enum" in constraints:
        return None
    reader = field.create_value_reader()
    bounds = {name: reader(constraints[name]) for name in _BOUNDS if name in constraints}
    if not all(isinstance(bound, dt.date) for bound in bounds.values()):
        return None
    limits = {name: (bound - _FIRST_DAY).days for name, bound in bounds.items()}

    def rule(cells: pa.Array) -> pa.Array | bool:
        found = plain_days(cells, form)
        is_valid = found.is_day
        for name, limit in limits.items():
            is_valid = is_valid & _COMPARED[name](found.days, limit)
        return bool(is_valid.all()) or pa.array(is_valid)

    return rule


def _moment_rule(field: Any, constraints: dict[str, Any]) -> Rule | None:
    if field.format != "default" or "enum" in constraints:
        return None
    reader = field.create_value_reader()
    bounds = {}
    for name in _BOUNDS:
        if name in constraints:
            bound = reader(constraints[name])
            if not isinstance(bound, dt.datetime) or bound.tzinfo or bound.microsecond:
                return None
            bounds[name] = pa.scalar(bound, pa.timestamp("s"))
    days: dict[str, bool] = {}

    def rule(cells: pa.Array) -> pa.Array | bool:
        values = plain_moments(cells)
        if values is not None:
            return _within(cells, values, bounds)
        if bounds:
            return False
        matched = pc.match_substring_regex(cells, _MOMENT)
        encoded = pc.utf8_slice_codeunits(cells, 0, 10).dictionary_encode()
        exists = [
            days.get(day) or days.setdefault(day, _is_day(day)) for day in encoded.dictionary.to_pylist()
        ]
        return pc.and_(matched, pa.array(exists, pa.bool_()).take(encoded.indices))

    return rule


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _time_rule(field: Any, constraints: dict[str, Any]) -> Rule | None:
    if field.format != "default" or constraints:
        return None
    return lambda cells: pc.match_substring_regex(cells, f"^{_TIME}$")


def _year_rule(_field: Any, constraints: dict[str, Any]) -> Rule | None:
    if constraints:
        return None
    return lambda cells: pc.match_substring_regex(cells, "^[0-9]{4}$")
