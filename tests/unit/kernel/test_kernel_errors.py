"""Errors: a code, a status and a sentence, in the language asked for."""

from __future__ import annotations

import inspect

import pytest

from opendata.kernel import errors
from opendata.kernel.errors import (
    ConflictError,
    FieldError,
    InvalidInputError,
    PortalError,
    TooLargeError,
    UnknownParameterError,
)

ALL = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, PortalError)]


def test_sentences_are_filled_and_translated() -> None:
    error = TooLargeError(limit="5 GB")
    assert str(error) == error.message() == "The file is larger than the 5 GB this portal takes."
    vietnamese = {error.template: "Tệp lớn hơn %(limit)s"}
    assert error.message(lambda text: vietnamese[text]) == "Tệp lớn hơn 5 GB"


def test_values_are_never_evaluated() -> None:
    error = UnknownParameterError(name="%(known)s %s %d", known="q")
    assert "“%(known)s %s %d”" in error.message()


def test_a_sentence_without_values_may_hold_a_percent_sign() -> None:
    class FullError(PortalError):
        template = "The disk is 100% full."

    assert FullError().message() == "The disk is 100% full."
    assert FieldError("size", "At most 50% of it").message() == "At most 50% of it"


def test_wrong_fields_are_listed() -> None:
    first = FieldError("email", "This is not an e-mail address.")
    second = FieldError("password", "A password has at least %(least)s characters.", {"least": 12})
    error = InvalidInputError(first, second)
    assert error.errors == (first, second)
    assert [item.message() for item in error.errors][1] == "A password has at least 12 characters."


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_an_answer(kind: type[PortalError]) -> None:
    assert kind.code == kind.code.lower()
    assert 400 <= kind.status < 600
    assert kind.template.endswith((".", "%(reason)s"))


def test_codes_are_distinct() -> None:
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)


def test_a_subclass_keeps_the_status_of_its_kind() -> None:
    class SlugTakenError(ConflictError):
        code = "slug-taken"

    assert SlugTakenError.status == 409
