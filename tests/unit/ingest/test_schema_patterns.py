"""Patterns of a schema: the dangerous are told from the harmless, and what the fast engine accepts, Python accepts."""

from __future__ import annotations

import re
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.patterns import certain_pattern, is_explosive
from opendata.resources.ingest.problems import UnreadableError
from opendata.resources.ingest.schema import reduced_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPLOSIVE = (
    "(a+)+",
    "(a*)*",
    "(a|a)*",
    "(a|ab|b)*c",
    "(a?a?)*b",
    "([a-z]+)*[0-9]",
    r"(\w+\s?)*",
    r"(\d+|\w)+x",
    "(.*)*",
    "(.*,)*x",
    "((a{1,30}){1,30}){1,30}",
    "(?i:(a|Ab|B)*)c",
    "((x*)?y)*z",
    "(a(|))*b",
    "(?=(a+)+b).*",
    r"(a*)\1*b",
    "([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))",
)
HARMLESS = (
    "",
    "[a-z]+",
    "a*b*c*",
    r"(\d+\.)*\d+",
    r"[\w.+-]+@([\w-]+\.)+[a-z]{2,10}",
    r"\d{2}-\d{6}",
    "([0-9]{2}){6}",
    "(ab?)*",
    "(?!0000)[0-9]{4}",
    r"(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/\d{4}",
    "(xã|phường|thị trấn) .+",
    r"\+?84\d{9,10}|0\d{9,10}",
    "[A-ZĐ]{1,5}(-[0-9]{1,5}){0,4}",
    "https?://[^ ]+",
    "(a|b)*",
    "(?:[a-z]+,)*[a-z]+",
)


@pytest.mark.parametrize("pattern", EXPLOSIVE)
def test_a_pattern_that_multiplies_its_ways_is_refused(pattern) -> None:
    schema = {"fields": [{"name": "a", "type": "string", "constraints": {"pattern": pattern}}]}
    with pytest.raises(UnreadableError) as refused:
        reduced_schema(schema)
    assert refused.value.problem.code == "schema-slow-pattern"
    assert refused.value.problem.params["field"] == "a"


@pytest.mark.parametrize("pattern", HARMLESS)
def test_a_usual_pattern_is_taken(pattern) -> None:
    assert not is_explosive(pattern)


def test_what_is_no_pattern_is_a_rule_that_cannot_be_used() -> None:
    schema = {"fields": [{"name": "a", "type": "string", "constraints": {"pattern": "(a"}}]}
    with pytest.raises(UnreadableError) as refused:
        reduced_schema(schema)
    assert refused.value.problem.code == "schema-bad-constraint"


@pytest.mark.parametrize(
    "pattern",
    [
        "(" * 60 + "[a-z]" + "*)" * 60,
        "([a-z]*[0-9]?)" * 30,
        "(x|y|z)*" * 60,
        "a{1000}" * 70,
        "(" * 240 + ")" * 240,
        "[a-z]*" * 80,
    ],
)
def test_the_largest_pattern_is_judged_and_not_run(pattern) -> None:
    with no_hanging():
        is_explosive(pattern)


@contextmanager
def no_hanging() -> Iterator[None]:
    """Ends what runs for 20 seconds of processor time: `re` looks for signals while it searches."""

    def give_up(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, 20)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


pieces = st.sampled_from(
    ["a", "b", "[ab]", "[^a]", r"\d", r"\w", ".", "1", "ă", " ", "^", "$", r"\s", r"\S", "[^\\d]", "|"]
)
patterns = st.lists(
    st.one_of(
        pieces,
        st.builds(
            lambda one, many: f"({one}){many}", pieces, st.sampled_from(["*", "+", "?", "{2}", "*?", "{1,2}"])
        ),
    ),
    max_size=5,
).map("".join)
texts = st.text(st.sampled_from(list("ab1ă \n٣_")), max_size=6)


@settings(max_examples=150, deadline=None)
@given(patterns, st.lists(texts, min_size=1, max_size=6))
def test_what_the_fast_engine_accepts_is_accepted_by_python(pattern, words) -> None:
    try:
        ours = certain_pattern(pattern)
        theirs = re.compile(f"^{pattern}$")
    except re.error:
        return
    if ours is None:
        return
    found = pc.match_substring_regex(pa.array(words, pa.string()), ours).to_pylist()
    for word, accepted in zip(words, found, strict=True):
        assert not accepted or theirs.match(word), (pattern, word)
        if word.isascii() and not word.endswith("\n"):
            assert accepted == bool(theirs.match(word)), (pattern, word)


@settings(max_examples=100, deadline=None)
@given(patterns)
def test_a_pattern_taken_for_harmless_ends(pattern) -> None:
    try:
        if is_explosive(pattern):
            return
        compiled = re.compile(f"^{pattern}$")
    except re.error:
        return
    with no_hanging():
        for text in ("a" * 60, "ab" * 30, "1" * 60, "a1 " * 20):
            compiled.match(text + "!\n!")


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|a)*", "(a?a?)*b"])
def test_the_guard_of_these_tests_does_end_a_search(pattern) -> None:
    def give_up(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.2)
    try:
        with pytest.raises(TimeoutError):
            re.match(f"^{pattern}$", "a" * 60 + "!")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
