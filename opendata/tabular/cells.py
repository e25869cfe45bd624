"""The last step of every format: Arrow columns as Python values, JSON values, JSON text or CSV text.

The JSON rules, the same for pages of rows and for exports:
    whole numbers beyond ±(2^53 - 1) and decimals of more than 15 digits become text, because a reader that
    keeps numbers as doubles (every browser) would round them; NaN and the infinities become null;
    dates and times are ISO 8601, moments with an offset are in UTC and end in Z.
The CSV rules: RFC 4180 with CRLF; no value is nothing at all, an empty text is `""`, so the two stay apart;
    text is quoted only where it must be; NaN, INF, -INF as Table Schema writes them. Text that begins with
    = + - or @ is left as it is: a portal publishes data unaltered, and what guards a spreadsheet against such
    cells (a leading apostrophe) would corrupt phone numbers and amounts for every other reader.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

SAFE_INTEGER: Final = 2**53 - 1
SAFE_DIGITS: Final = 15
_MICROSECONDS: Final = "us"
_JSON_SPECIAL: Final = b'"\\' + bytes(range(0x20))
_CSV_SPECIAL: Final = ('"', ",", "\r", "\n")


def page_cells(column: pa.ChunkedArray) -> list[object]:
    """Python values; text where a value has no Python form (a year past 9999)."""
    values = [value for chunk in column.chunks for value in _python_values(_normal(chunk))]
    return values if _is_simple(column.type) else [_as_json_text(value) for value in values]


def json_cells(column: pa.ChunkedArray) -> list[object]:
    """Values that `json.dumps` writes without loss."""
    convert = _json_converter(column.type)
    values = page_cells(column)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def json_texts(array: pa.Array) -> pa.Array:
    """Each value as JSON text, `null` where there is none."""
    array = _normal(array)
    kind = array.type
    if pa.types.is_boolean(kind):
        texts = array.cast(pa.string())
    elif pa.types.is_integer(kind):
        texts = _quoted_where(array.cast(pa.string()), _beyond_safe(array))
    elif pa.types.is_floating(kind):
        texts = pc.if_else(pc.is_finite(array), array.cast(pa.string()), "null")
    elif pa.types.is_decimal(kind):
        texts = array.cast(pa.string())
        digits = pc.replace_substring_regex(texts, r"^-?[0.]*|[eE].*$|\.", "")
        texts = _quoted_where(texts, pc.greater(pc.utf8_length(digits), SAFE_DIGITS))
    elif _is_dated(kind):
        texts = pc.binary_join_element_wise('"', _iso_texts(array), '"', "")
    elif pa.types.is_string(kind):
        texts = _json_strings(array)
    else:
        values = (_as_json_text(value) for value in _python_values(array))
        texts = pa.array([None if value is None else json.dumps(value) for value in values], pa.string())
    return pc.fill_null(texts, "null")


def csv_texts(array: pa.Array) -> pa.Array:
    """Each value as it stands between two commas; nothing where there is no value."""
    array = _normal(array)
    kind = array.type
    if pa.types.is_floating(kind):
        texts = _csv_numbers(array)
    elif _is_dated(kind):
        texts = _iso_texts(array)
    elif pa.types.is_string(kind):
        texts = _csv_strings(array)
    elif _is_simple(kind):
        texts = array.cast(pa.string())
    else:
        values = [_as_json_text(value) for value in _python_values(array)]
        texts = _csv_strings(pa.array(values, pa.string()))
    return pc.fill_null(texts, "")


def json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def csv_field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if not text or any(c in text for c in '",\r\n') else text


def _normal(array: pa.Array) -> pa.Array:
    """One Arrow type for each way of writing values."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _normal(array.cast(kind.value_type))
    if pa.types.is_timestamp(kind) and kind.unit != _MICROSECONDS:
        return array.cast(pa.timestamp(_MICROSECONDS, kind.tz), safe=False)
    if pa.types.is_time(kind) and kind != pa.time64(_MICROSECONDS):
        return array.cast(pa.time64(_MICROSECONDS), safe=False)
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        # By way of text, so that a stored 0.1 stays 0.1 and not the double nearest to its 32 bits.
        return array.cast(pa.string()).cast(pa.float64())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string())
    return array


def _python_values(array: pa.Array) -> list[Any]:
    try:
        values: list[Any] = array.to_pylist()
    except (ValueError, OverflowError, pa.ArrowInvalid):
        return list(_iso_texts(array).to_pylist()) if _is_dated(array.type) else _each(array)
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        return [None if value is None else value.astimezone(dt.UTC) for value in values]
    return values


def _each(array: pa.Array) -> list[Any]:
    return [str(value) if value.is_valid else None for value in array]


def _json_converter(kind: pa.DataType) -> Callable[[Any], object] | None:
    if pa.types.is_dictionary(kind):
        return _json_converter(kind.value_type)
    if pa.types.is_integer(kind):
        return None if kind.bit_width < 64 else _json_integer  # noqa: PLR2004 - int64 and uint64
    if pa.types.is_floating(kind):
        return _json_float
    if pa.types.is_decimal(kind):
        return _json_decimal
    return _json_moment if _is_dated(kind) else None


def _json_integer(value: int) -> int | str:
    return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)


def _json_float(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _json_decimal(value: Decimal) -> float | str:
    digits = "".join(map(str, value.as_tuple().digits)).lstrip("0")
    return float(value) if len(digits) <= SAFE_DIGITS else str(value)


def _json_moment(value: dt.date | dt.datetime | dt.time | str) -> str:
    if isinstance(value, str):
        return value
    return value.isoformat().replace("+00:00", "Z")


def _as_json_text(value: object) -> str | None:
    """Values without a form of their own: bytes in base64, lists and objects as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return json.dumps(value, ensure_ascii=False, default=_inner_text)


def _inner_text(value: object) -> object:
    if isinstance(value, dt.date | dt.datetime | dt.time):
        return _json_moment(value)
    return str(value) if not isinstance(value, bytes) else _as_json_text(value)


def _is_dated(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_time(kind))


def _is_simple(kind: pa.DataType) -> bool:
    """Types with a way of writing of their own, here and in every reader."""
    if pa.types.is_dictionary(kind):
        return _is_simple(kind.value_type)
    tests = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, _is_dated)
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(test(kind) for test in (*tests, *texts))


def _iso_texts(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_date(kind):
        return array.cast(pa.date32()).cast(pa.string())
    if pa.types.is_timestamp(kind):
        # Casting writes "2024-01-02 03:04:05.000000"; pc.strftime would give the T but takes 40 times as long.
        naive = array.cast(pa.timestamp(_MICROSECONDS))
        texts = pc.replace_substring(naive.cast(pa.string()), " ", "T", max_replacements=1)
        texts = pc.replace_substring(texts, ".000000", "")
        return pc.binary_join_element_wise(texts, "Z", "") if kind.tz is not None else texts
    return pc.replace_substring(array.cast(pa.string()), ".000000", "")


def _csv_numbers(array: pa.Array) -> pa.Array:
    texts = array.cast(pa.string())
    if pc.all(pc.is_finite(array)).as_py() is not False:
        return texts
    for number, word in ((math.inf, "INF"), (-math.inf, "-INF")):
        texts = pc.if_else(pc.equal(array, number), word, texts)
    return pc.if_else(pc.is_nan(array), "NaN", texts)


def _beyond_safe(array: pa.Array) -> pa.Array:
    if array.type.bit_width < 64:  # noqa: PLR2004 - narrower integers are always safe
        return pa.scalar(value=False)
    beyond = pc.greater(array, pa.scalar(SAFE_INTEGER, array.type))
    if pa.types.is_signed_integer(array.type):
        beyond = pc.or_(beyond, pc.less(array, pa.scalar(-SAFE_INTEGER, array.type)))
    return beyond


def _quoted_where(texts: pa.Array, mask: pa.Array) -> pa.Array:
    return pc.if_else(mask, pc.binary_join_element_wise('"', texts, '"', ""), texts)


def _json_strings(array: pa.Array) -> pa.Array:
    """Only texts that hold a quotation mark, a backslash or a control character go through Python."""
    plain = pc.binary_join_element_wise('"', array, '"', "")
    data = bytes(array.buffers()[2] or b"")
    # One pass over the bytes tells for all, seven times faster than a pattern asked of each text.
    if len(data.translate(None, _JSON_SPECIAL)) == len(data):
        return plain
    special = pc.match_substring_regex(array, r'["\\\x00-\x1f]')
    escaped = [json_text(text) for text in array.filter(special).to_pylist()]
    return pc.replace_with_mask(
        plain, pc.fill_null(special, fill_value=False), pa.array(escaped, pa.string())
    )


def _csv_strings(array: pa.Array) -> pa.Array:
    data = bytes(array.buffers()[2] or b"")
    present = [mark for mark in _CSV_SPECIAL if mark.encode() in data]
    special = pc.equal(pc.binary_length(array), 0)
    for mark in present:
        special = pc.or_(special, pc.match_substring(array, mark))
    if not pc.any(special).as_py():
        return array
    inner = pc.replace_substring(array, '"', '""') if '"' in present else array
    return pc.if_else(special, pc.binary_join_element_wise('"', inner, '"', ""), array)
