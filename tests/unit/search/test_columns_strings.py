"""Terms and strings as arrays, against sorted lists; and files of arrays that were cut or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.search.engines.columns.arrays_file import open_arrays, verify_file, write_arrays
from opendata.search.engines.columns.strings import Strings, Terms, strings_arrays, terms_arrays
from opendata.search.folder import DamagedIndexError

if TYPE_CHECKING:
    from pathlib import Path

    from opendata.search.engines.columns.arrays_file import Array

some_terms = st.lists(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=4),
    unique=True,
    max_size=300,
).map(sorted)


@given(some_terms, st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=2))
def test_terms_are_found_by_name_and_beginning(terms: list[str], other: str) -> None:
    known = Terms(terms_arrays("t", terms), "t")
    assert len(known) == len(terms)
    assert [known.find(term) for term in terms] == list(range(len(terms)))
    assert known.find(other) == (terms.index(other) if other in terms else -1)
    found = known.beginning(other)
    assert [terms[number] for number in found] == [term for term in terms if term.startswith(other)]
    assert list(known.within(found)) == [term for term in terms if term.startswith(other)]
    assert [known.at(number) for number in range(len(terms))] == terms


@given(st.lists(st.binary(max_size=9)))
def test_strings_come_back_by_number(values: list[bytes]) -> None:
    strings = Strings(strings_arrays("s", values), "s")
    assert [strings.at(number) for number in range(len(strings))] == values == strings.all()


def test_arrays_come_back_and_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    arrays: dict[str, Array] = {
        "small": np.arange(7, dtype=np.uint16),
        "empty": np.zeros(0, np.float64),
        "wide": np.arange(3.0),
    }
    write_arrays(path, arrays.items())
    verify_file(path)
    back = open_arrays(path)
    assert {name: (one.dtype, one.tolist()) for name, one in back.items()} == {
        name: (one.dtype, one.tolist()) for name, one in arrays.items()
    }
    content = path.read_bytes()
    for place in range(len(content)):
        changed = tmp_path / f"{place}.seg"
        changed.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(DamagedIndexError):
            verify_file(changed)
    for length in range(len(content)):
        path.with_suffix(".cut").write_bytes(content[:length])
        with pytest.raises(DamagedIndexError):
            verify_file(path.with_suffix(".cut"))
        with pytest.raises(DamagedIndexError):
            open_arrays(path.with_suffix(".cut"))
