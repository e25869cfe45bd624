"""Patterns of a table schema: which are too dangerous to run, and which a linear-time engine may answer.

`certain_pattern` gives a pattern for RE2 (in Arrow) that accepts nothing Python's `re` would not. What it does
not accept is asked of `re`, as frictionless does it; so `is_explosive` finds the patterns that can keep `re`
busy for years on a short text, and `schema` refuses them. It decides by the pattern alone: if its automaton
can read the same text from a state back to that state in two ways, the ways multiply with every repetition.
"""

from __future__ import annotations

import itertools
import re
from re import _constants as op  # type: ignore[attr-defined]  # not in the type stubs
from re import _parser  # type: ignore[attr-defined]  # not in the type stubs
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_STATES: Final = 250
_MOST_COPIES: Final = 12
_MOST_STEPS: Final = 300_000
_LAST_CHARACTER: Final = 0x10FFFF
_CLASSES: Final = {
    op.CATEGORY_DIGIT: ((48, 57),),
    op.CATEGORY_SPACE: ((9, 13), (32, 32)),
    op.CATEGORY_WORD: ((48, 57), (65, 90), (95, 95), (97, 122)),
}
_OPPOSITES: Final = {
    op.CATEGORY_NOT_DIGIT: op.CATEGORY_DIGIT,
    op.CATEGORY_NOT_SPACE: op.CATEGORY_SPACE,
    op.CATEGORY_NOT_WORD: op.CATEGORY_WORD,
}
_HIGH: Final = (128, _LAST_CHARACTER)

Ranges = tuple[tuple[int, int], ...]
_Part = tuple[list[int], list[int], bool]


def parsed(pattern: str) -> Any:
    """The syntax tree of a constraint as frictionless runs it. Raises re.error."""
    return _parser.parse(f"^{pattern}$")


def certain_pattern(pattern: str) -> str | None:
    """The constraint for RE2, None where the two engines could differ in what they accept."""
    try:
        tree = parsed(pattern)
    except re.error:
        return None
    if tree.state.flags & ~re.UNICODE or "\n" in pattern or not _is_shared(tree):
        return None
    return rf"\A(?:^{pattern}$)"


def _is_shared(tree: Any) -> bool:
    """Whether the pattern is made of what both engines know, with nothing that RE2 takes more widely."""
    return all(_is_shared_node(kind, value) for kind, value in tree)


def _is_shared_node(kind: Any, value: Any) -> bool:  # noqa: PLR0911 - one answer for each kind of node
    if kind in {op.LITERAL, op.NOT_LITERAL}:
        return True
    if kind is op.ANY or (kind is op.AT and value in {op.AT_BEGINNING, op.AT_END}):
        return True
    if kind is op.IN:
        is_negated = any(each is op.NEGATE for each, _ in value)
        classes = [name for each, name in value if each is op.CATEGORY]
        return all(name in _CLASSES for name in classes) and not (is_negated and classes)
    if kind in {op.MAX_REPEAT, op.MIN_REPEAT}:
        least, most, inner = value
        return least <= 1000 and (most is op.MAXREPEAT or most <= 1000) and _is_shared(inner)  # noqa: PLR2004 - RE2 repeats no more
    if kind is op.SUBPATTERN:
        _, added, removed, inner = value
        return not added and not removed and _is_shared(inner)
    if kind is op.BRANCH:
        return all(_is_shared(branch) for branch in value[1])
    return False


def is_explosive(pattern: str) -> bool:
    """Whether a short text can keep `re` busy without end. Raises re.error for what is no pattern.

    A pattern with back-references, or one too large to be judged, counts as such: it cannot be shown to be
    harmless.
    """
    automaton = _Automaton()
    try:
        automaton.read(parsed(pattern))
    except _TooLargeError:
        return True
    return automaton.is_ambiguous()


class _TooLargeError(Exception):
    """Too many states to be judged."""


class _Automaton:
    """States are the places of single characters in the pattern; edges say which may follow which."""

    def __init__(self) -> None:
        self._ranges: list[Ranges] = []
        self._follow: list[list[int]] = []
        self._is_known_ambiguous = False
        self._ignores_case = False
        self._depth = 0
        self._steps = 0

    def read(self, tree: Any) -> _Part:
        """Append the nodes. Returns first states, last states, and whether they can match nothing."""
        first: list[int] = []
        last: list[int] = []
        is_empty = True
        for kind, value in tree:
            inner_first, inner_last, inner_empty = self._node(kind, value)
            self._join(last, inner_first)
            if is_empty:
                first += inner_first
            last = last + inner_last if inner_empty else inner_last
            is_empty = is_empty and inner_empty
        return first, last, is_empty

    def _node(self, kind: Any, value: Any) -> _Part:
        if kind in {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN}:
            state = self._state(_ranges_of(kind, value))
            return [state], [state], False
        if kind is op.SUBPATTERN:
            _, added, _, inner = value
            self._ignores_case = self._ignores_case or bool(added & re.IGNORECASE)
            return self.read(inner)
        if kind is op.ATOMIC_GROUP:
            return self.read(value)
        if kind is op.BRANCH:
            return self._branch(value[1])
        if kind in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}:
            return self._repeat(*value)
        if kind in {op.ASSERT, op.ASSERT_NOT}:
            ahead = _Automaton()
            ahead.read(value[1])
            self._is_known_ambiguous = self._is_known_ambiguous or ahead.is_ambiguous()
        if kind in {op.AT, op.ASSERT, op.ASSERT_NOT}:
            return [], [], True
        raise _TooLargeError

    def _branch(self, branches: Sequence[Any]) -> _Part:
        parts = [self.read(branch) for branch in branches]
        empty = [part for part in parts if part[2]]
        if len(empty) > 1 and self._depth:
            self._is_known_ambiguous = True  # nothing is read in two ways, again and again
        first = [state for part in parts for state in part[0]]
        last = [state for part in parts for state in part[1]]
        return first, last, bool(empty)

    def _repeat(self, least: int, most: Any, inner: Any) -> _Part:
        """A few copies one after the other; more of them, or any number, as a loop."""
        is_loop = most is op.MAXREPEAT or most > _MOST_COPIES
        copies = max(1, min(least, _MOST_COPIES)) if is_loop else most
        first: list[int] = []
        last: list[int] = []
        is_empty = True
        for number in range(copies):
            self._depth += is_loop or copies > 1
            each_first, each_last, each_empty = self.read(inner)
            self._depth -= is_loop or copies > 1
            if each_empty and least == 0 and self._depth:
                self._is_known_ambiguous = True
            self._join(last, each_first)
            if is_empty:
                first += each_first
            can_end = each_empty or number >= least
            last = last + each_last if can_end else each_last
            is_empty = is_empty and can_end
            if is_loop and number == copies - 1:
                self._join(each_last, each_first)
        return first, last, is_empty

    def _state(self, ranges: Ranges) -> int:
        if len(self._ranges) >= _MOST_STATES:
            raise _TooLargeError
        self._ranges.append(_in_both_cases(ranges) if self._ignores_case else ranges)
        self._follow.append([])
        return len(self._ranges) - 1

    def _join(self, sources: list[int], targets: list[int]) -> None:
        """Twice the same edge stays twice: two ways to go on are what is looked for."""
        for source in sources:
            self._follow[source] += targets

    def is_ambiguous(self) -> bool:
        """Whether some state comes back to itself in two ways over the same text."""
        if self._is_known_ambiguous:
            return True
        after = [self._after(state) for state in range(len(self._follow))]
        for state in range(len(self._follow)):
            loop = {other for other in after[state] if state in after[other]}
            edges = {other: [each for each in self._follow[other] if each in loop] for other in loop}
            if any(len(targets) != len(set(targets)) for targets in edges.values()):
                return True
            if edges[state] and self._meets_again(state, edges):
                return True
        return False

    def _after(self, state: int) -> set[int]:
        """States reachable from here, itself included."""
        seen, waiting = {state}, [state]
        while waiting:
            for target in self._follow[waiting.pop()]:
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen

    def _meets_again(self, state: int, edges: Mapping[int, Sequence[int]]) -> bool:
        """Whether (state, state) leads over a pair of different states back to (state, state)."""
        start = (state, state, False)
        seen, waiting = {start}, [start]
        while waiting:
            left, right, is_apart = waiting.pop()
            for one, other in itertools.product(edges[left], edges[right]):
                self._steps += 1
                if self._steps > _MOST_STEPS:
                    return True
                if not _overlap(self._ranges[one], self._ranges[other]):
                    continue
                pair = (one, other, is_apart or one != other)
                if pair == (state, state, True):
                    return True
                if pair not in seen:
                    seen.add(pair)
                    waiting.append(pair)
        return False


def _ranges_of(kind: Any, value: Any) -> Ranges:
    """Code points that a node reads, rather too many than too few."""
    if kind is op.LITERAL:
        return ((value, value),)
    if kind is op.NOT_LITERAL:
        return _without(((value, value),))
    if kind is op.ANY:
        return _without(((10, 10),))
    ranges: list[tuple[int, int]] = []
    has_class = is_negated = False
    for each, detail in value:
        if each is op.NEGATE:
            is_negated = True
        elif each is op.LITERAL:
            ranges.append((detail, detail))
        elif each is op.RANGE:
            ranges.append(detail)
        elif detail in _OPPOSITES:
            ranges += _without(_CLASSES[_OPPOSITES[detail]])
        else:
            has_class = True
            ranges += _CLASSES[detail]
    if is_negated:
        return _without(tuple(sorted(ranges)))
    return (*ranges, _HIGH) if has_class else tuple(ranges)


def _in_both_cases(ranges: Ranges) -> Ranges:
    added = [(max(low, 65) + 32, min(high, 90) + 32) for low, high in ranges if low <= 90 and high >= 65]  # noqa: PLR2004 - A to Z
    added += [(max(low, 97) - 32, min(high, 122) - 32) for low, high in ranges if low <= 122 and high >= 97]  # noqa: PLR2004 - a to z
    return (*ranges, *added, _HIGH) if added else ranges


def _without(ranges: Ranges) -> Ranges:
    left: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if low > start:
            left.append((start, low - 1))
        start = max(start, high + 1)
    return (*left, (start, _LAST_CHARACTER))


def _overlap(one: Ranges, other: Ranges) -> bool:
    return any(
        low <= other_high and other_low <= high for low, high in one for other_low, other_high in other
    )
