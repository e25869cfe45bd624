"""Typed lines as trees, written out by hand."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opendata.search import parsing
from opendata.search.analysis import View
from opendata.search.parsing import ALIAS_WEIGHT, LONGEST_TEXT, MOST_PREFIXES, MOST_WORDS, Parser
from opendata.search.query import WEIGHTS, AnyOf, Phrase, Prefix, Query, Side, Word, required_words

PLAIN = Parser()
ALIASES = {"TP.HCM": ("Thành phố Hồ Chí Minh", "Sài Gòn"), "UBND": ("Ủy ban nhân dân",)}
WITH_ALIASES = Parser(ALIASES)


def words(*texts: str) -> tuple[Word, ...]:
    return tuple(map(Word, texts))


@pytest.mark.parametrize(
    ("typed", "sides", "excluded"),
    [
        ("Dân số", (Side((), words("dan", "so"), 2),), ()),
        ("dân số dân", (Side((), words("dan", "so"), 2),), ()),
        ('"dân số" hà', (Side((Phrase(("dan", "so")),), words("ha"), 1),), ()),
        ("“dân số”", (Side((Phrase(("dan", "so")),), (), 0),), ()),
        ('"dân"', (Side((Word("dan"),), (), 0),), ()),
        ('"dân số', (Side((), words("dan", "so"), 2),), ()),
        ("y tế -xã", (Side((), words("y", "te"), 2),), words("xa")),
        ('y -"xã hội" tế', (Side((), words("y", "te"), 2),), (Phrase(("xa", "hoi")),)),
        (
            "2016-2020 - 2024",
            (Side((), (AnyOf((Word("2016-2020"), Phrase(("2016", "2020")))), Word("2024")), 2),),
            (),
        ),
        ("-xã", (), words("xa")),
        ("a OR b c", (Side((), words("a"), 1), Side((), words("b", "c"), 2)), ()),
        ("a or b", (Side((), words("a", "or", "b"), 2),), ()),
        ("giá* -đấ*", (Side((), (Prefix("gia"),), 1),), (Prefix("da"),)),
        ("a*", (Side((), words("a"), 1),), ()),
        ("ly*", (Side((), (AnyOf((Prefix("ly"), Word("li"))),), 1),), ()),
        ("H55.2*", (Side((), (Prefix("h552"),), 1),), ()),
        ("", (), ()),
        ("*", (), ()),
        ("?!", (Side((), (), 1),), ()),
    ],
)
def test_the_tree_of_a_line(typed, sides, excluded):
    query = PLAIN.parse(typed)
    assert query.sides == sides
    assert query.excluded == excluded


def test_what_scores_is_every_view_of_what_was_typed():
    scored = {(each.view, each.term): each.weight for each in PLAIN.parse("Dân số").scored}
    assert scored == {
        (View.EXACT, "dân"): WEIGHTS[View.EXACT],
        (View.EXACT, "số"): WEIGHTS[View.EXACT],
        (View.FOLDED, "dan"): WEIGHTS[View.FOLDED],
        (View.FOLDED, "so"): WEIGHTS[View.FOLDED],
        (View.PAIRS, "dan_so"): WEIGHTS[View.PAIRS],
    }
    assert PLAIN.parse("-dân").scored == ()


def test_each_word_of_an_alias_is_met_by_its_other_names():
    saigon, hcm = Phrase(("sai", "gon")), Phrase(("thanh", "pho", "ho", "chi", "minh"))
    code = AnyOf((Word("tphcm"), Phrase(("tp", "hcm"))))
    assert WITH_ALIASES.parse("sai gon").sides[0].should == (
        AnyOf((Word("sai"), code, hcm)),
        AnyOf((Word("gon"), code, hcm)),
    )
    assert WITH_ALIASES.parse("TPHCM").sides[0].should == (AnyOf((Word("tphcm"), hcm, saigon)),)
    assert WITH_ALIASES.parse("TP.HCM").sides[0].should == (AnyOf((code, hcm, saigon)),)


def test_of_an_alias_only_pairs_score_and_a_little_less():
    scored = {(each.view, each.term): each.weight for each in WITH_ALIASES.parse("UBND").scored}
    assert (View.EXACT, "dân") not in scored
    assert (View.FOLDED, "dan") not in scored
    assert scored[View.PAIRS, "nhan_dan"] == ALIAS_WEIGHT * WEIGHTS[View.PAIRS]


def test_an_english_word_is_met_by_its_other_forms_unless_quoted():
    assert PLAIN.parse("populations").sides[0].should == (AnyOf((Word("populations"), Word("~popul"))),)
    assert PLAIN.parse('"populations"').sides[0].must == (Word("populations"),)
    assert PLAIN.parse("populations").stems == ("~popul",)
    assert (View.FOLDED, "~popul") in {(each.view, each.term) for each in PLAIN.parse("populations").scored}


def test_a_code_may_stand_apart_or_in_one():
    assert PLAIN.parse("covid19").sides[0].should == (AnyOf((Word("covid19"), Phrase(("covid", "19")))),)
    first, second = PLAIN.parse("H 55.242").sides[0].should
    for clause in (first, second):
        assert isinstance(clause, AnyOf)
        assert clause.clauses[-1] == Word("h55242")
    assert PLAIN.parse("số 2024").sides[0].should == (Word("so"), Word("2024"))


def test_an_alias_is_left_alone_within_quotation_marks_and_after_minus():
    assert WITH_ALIASES.parse('"sài gòn"').sides[0].must == (Phrase(("sai", "gon")),)
    assert WITH_ALIASES.parse("x -UBND").excluded == (Word("ubnd"),)


def test_the_longest_alias_wins():
    parser = Parser({"hà nội": ("thủ đô",), "hà nội mới": ("báo",)})
    assert parser.parse("hà nội mới").sides[0].should[0] == AnyOf((Word("ha"), Word("bao")))


def test_relaxing_asks_for_one_word():
    query = PLAIN.parse('"a b" c d e')
    relaxed = query.relaxed()
    assert relaxed is not None
    assert relaxed.sides[0].at_least == 1
    assert relaxed.sides[0].must == query.sides[0].must
    for nothing_less in ("", "dân", "?!", '"a b"'):
        assert PLAIN.parse(nothing_less).relaxed() is None


@pytest.mark.parametrize(("count", "needed"), [(0, 0), (1, 1), (2, 2), (3, 2), (8, 2), (9, 3), (30, 8)])
def test_how_many_words_are_needed(count, needed):
    assert required_words(count) == needed


def clauses(query: Query) -> list[object]:
    found: list[object] = []
    waiting: list[object] = [
        *query.excluded,
        *(c for side in query.sides for c in (*side.must, *side.should)),
    ]
    while waiting:
        clause = waiting.pop()
        found.append(clause)
        waiting += clause.clauses if isinstance(clause, AnyOf) else ()
    return found


@given(st.text(max_size=3 * LONGEST_TEXT))
@example("ab* " * 500)
@example("-ab* " * 500)
@example(".".join("abc") + " x-y" * 400)
@example('"' * 700 + "-" * 700)
@example("a OR " * 800)
def test_any_line_gives_a_bounded_tree(typed):
    query = WITH_ALIASES.parse(typed)
    found = clauses(query)
    assert sum(isinstance(clause, Prefix) for clause in found) <= MOST_PREFIXES
    assert len(query.sides) <= MOST_WORDS + 1
    assert len(found) <= 12 * MOST_WORDS
    assert all(
        len(clause.words) > 1 for clause in found if isinstance(clause, Phrase)
    )  # tantivy asks for two
    for side in query.sides:
        assert side.at_least <= max(1, len(side.should))


typed_lines = st.lists(
    st.sampled_from(
        [
            "dân",
            "số",
            "Sài",
            "Gòn",
            "TP.HCM",
            "UBND",
            "3.5",
            "2016-2020",
            "H",
            "55.242",
            "covid19",
            "cities",
            "OR",
            "HOẶC",
            "or",
            "-x",
            "-",
            "*",
            "a*",
            '"',
            '"a',
            ":",
            "a:b",
            "a_b",
            ".",
            "😀",
        ]
    )
    | st.text(max_size=4),
    max_size=MOST_WORDS + 5,
).flatmap(lambda words: st.sampled_from([" ", "  ", "\n", ""]).map(lambda space: space.join(words)))


@given(typed_lines)
@example("dân số OR")
@example("dân OR số")
@example("dân\u00a0HOẶC số")
@example("dân\n-số")
@example("a " * (LONGEST_TEXT // 2 - 2) + "OR b")
def test_a_line_of_words_alone_reads_the_same_with_and_without_the_grammar(typed):
    quickly = Parser(ALIASES)
    line = parsing.clean(typed)
    query, runs = quickly.parse(typed), quickly.plain_runs(line)
    slowly = Parser(ALIASES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parsing, "_SYNTAX", re.compile(""))
        assert slowly.parse(typed) == query
        assert slowly.plain_runs(line) == runs


@given(typed_lines)
def test_a_line_that_was_read_before_reads_the_same(typed):
    again, first = WITH_ALIASES, Parser(ALIASES)
    again.parse(typed)
    line = parsing.clean(typed)
    assert again.parse(typed) == first.parse(typed)
    assert again.plain_runs(line) == first.plain_runs(line)
