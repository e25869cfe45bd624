"""Schemas of strangers, and names of columns."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from opendata.resources.ingest.problems import UnreadableError
from opendata.resources.ingest.schema import named_columns, reduced_schema

keys = st.sampled_from(
    [
        "fields",
        "name",
        "type",
        "constraints",
        "primaryKey",
        "foreignKeys",
        "reference",
        "missingValues",
        "enum",
        "x",
        "format",
        "pattern",
        "required",
        "minimum",
        "trueValues",
        "decimalChar",
        "bareNumber",
        "resource",
    ]
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["a", "b", "string", "number", "boolean", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
KEPT_KEYS = {"fields", "missingValues", "primaryKey", "foreignKeys"}


@given(
    st.one_of(
        anything,
        st.fixed_dictionaries(
            {"fields": st.lists(st.fixed_dictionaries({"name": anything, "type": anything}))}
        ),
    )
)
def test_any_descriptor_is_reduced_or_refused(descriptor) -> None:
    with suppress(UnreadableError):
        reduced = reduced_schema(descriptor)
        assert set(reduced) <= KEPT_KEYS
        assert reduced_schema(json.loads(json.dumps(reduced))) == reduced


@given(
    st.lists(
        st.sampled_from(["", "a", "A", "a_2", "a_3", "column_2", "column_3", "Đ", "đ"]),
        min_size=1,
        max_size=9,
    )
)
def test_names_are_unique_whatever_the_labels(labels) -> None:
    names, problems = named_columns(labels, "t")
    assert len(names) == len(labels)
    assert all(names)
    assert len({name.casefold() for name in names}) == len(names)
    firsts = {}
    for label, name in zip(labels, names, strict=True):
        if label and label.casefold() not in firsts and name == label:
            firsts[label.casefold()] = name
    assert set(firsts) == {label.casefold() for label in labels if label}, "the first of each name keeps it"
    renamed = sum(1 for label, name in zip(labels, names, strict=True) if label and label != name)
    assert sum(1 for problem in problems if problem.code == "duplicate-label") == renamed


def test_many_blank_labels_are_one_problem() -> None:
    names, problems = named_columns(["a", *[""] * 30], "t")
    assert names[:3] == ("a", "column_2", "column_3")
    (problem,) = problems
    assert problem.code == "blank-labels"
    assert problem.params["count"] == 30
    assert problem.params["positions"].startswith("2, 3, 4")


def test_a_very_long_label_is_cut() -> None:
    names, (problem,) = named_columns(["x" * 5000, "b"], "t")
    assert len(names[0]) == 500
    assert problem.code == "long-label"
