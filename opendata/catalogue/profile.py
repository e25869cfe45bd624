"""The metadata profile: which fields a dataset has, and the one check every way in goes through.

Read from `catalog_schemas/dataset_profile.json` by wiring. The form, the API, the CLI and the feeds list its
fields; `MetadataProfile.clean` turns what they were given into what is stored, or names each wrong field.
What comes out is plain JSON (text, numbers, lists, {"vi": …, "en": …}), in the order of the profile.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import math
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast, get_args
from urllib.parse import urlsplit

from opendata.catalogue.vocabularies import BrokenVocabularyError
from opendata.kernel.errors import N_, FieldError
from opendata.kernel.i18n import DEFAULT_LANGUAGE, LANGUAGES, VIETNAM_TIME
from opendata.kernel.text import clean_line, clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from opendata.catalogue.vocabularies import Vocabularies, Vocabulary

Kind: TypeAlias = Literal["text", "markdown", "date", "code", "email", "url", "keywords", "number"]
KINDS: Final = get_args(Kind)

_LANGUAGES: Final = frozenset(LANGUAGES)
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
_SEPARATORS = re.compile(r"[,;\n]")
# The form of an agency identifier, Decision 20/2020/QĐ-TTg: at most 35 of A–Z, 0–9 and dots.
_AGENCY_CODE = re.compile(r"[A-Z0-9]+(\.[A-Z0-9]+)*")
# What many records of a catalogue have in common; titles and identifiers are their own.
_REPEATED: Final = frozenset({"date", "email", "url"})
_MOST_KNOWN: Final = 4096
_LONGEST_KNOWN: Final = 200
# What is quoted back of a wrong value; a message is read, not scrolled.
_QUOTED: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileField:
    """`labels`, `help`, `example` by language; `max_length` in characters (of each keyword, of each language);
    `dcat` the property it becomes in a feed. An open vocabulary takes other well-formed codes as well: agencies
    can be added to a portal while it runs, and the service knows them.
    """

    name: str
    labels: Mapping[str, str]
    help: Mapping[str, str]
    kind: Kind
    group: str
    dcat: str
    max_length: int
    example: Mapping[str, str]
    multilingual: bool = False
    required: bool = False
    recommended: bool = False
    vocabulary: str | None = None
    open_vocabulary: bool = False
    max_items: int = 1


# (field, what was given) → what is stored, None where nothing was given; or _WrongValueError.
Check: TypeAlias = "Callable[[ProfileField, Any], Any]"


@dataclass(frozen=True, slots=True)
class FieldGroup:
    name: str
    labels: Mapping[str, str]


class _WrongValueError(Exception):
    """Carries the FieldError of one value out of the depth of its check."""

    def __init__(self, template: str, **params: object) -> None:
        super().__init__(template)
        self.template = template
        self.params = params


@dataclass(frozen=True)
class MetadataProfile:
    fields: tuple[ProfileField, ...]
    groups: tuple[FieldGroup, ...]
    vocabularies: Vocabularies = field(repr=False)

    @cached_property
    def by_name(self) -> Mapping[str, ProfileField]:
        return {item.name: item for item in self.fields}

    def in_group(self, group: str) -> tuple[ProfileField, ...]:
        """The fields of one part of the form, in order."""
        return tuple(item for item in self.fields if item.group == group)

    def clean(
        self, metadata: Mapping[str, object], *, require: bool = True
    ) -> tuple[dict[str, Any], list[FieldError]]:
        """(what to store, what is wrong). With errors the first part holds only the fields that were right.

        None, "" and empty lists mean "not given". A text given for a multilingual field is Vietnamese. Codes
        may be given as label, alias or authority address and come out as codes. With `require` off, missing
        fields are no error.
        """
        errors: list[FieldError] = []
        if not metadata.keys() <= self._names:
            errors = [self._unknown(name) for name in metadata if name not in self._names]
        cleaned: dict[str, Any] = {}
        for name, item, check, required in self._checks:
            value = metadata.get(name)
            try:
                if value is not None:  # most fields of most records are not given
                    value = None if _is_empty(value) else check(item, value)
            except _WrongValueError as wrong:
                errors.append(FieldError(name, wrong.template, wrong.params))
                continue
            if value is not None:
                cleaned[name] = value
            elif required and require:
                errors.append(FieldError(name, N_("Fill this in; a dataset cannot do without it.")))
        errors.extend(_period_error(cleaned))
        return cleaned, errors

    def missing_recommended(self, cleaned: Mapping[str, Any]) -> tuple[ProfileField, ...]:
        """What would make this record better: for the form's hints and the quality mark."""
        return tuple(item for item in self.fields if item.recommended and not cleaned.get(item.name))

    def _unknown(self, name: object) -> FieldError:
        template = N_("“%(name)s” is not a metadata field. Known ones: %(known)s.")
        shown = _quoted(str(name))
        return FieldError(shown, template, {"name": shown, "known": ", ".join(self.by_name)})

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.by_name)

    @cached_property
    def _checks(self) -> tuple[tuple[str, ProfileField, Check, bool], ...]:
        """Each field with its name, what checks and cleans its values, and whether it is required."""
        return tuple((item.name, item, self._check(item), item.required) for item in self.fields)

    def _check(self, item: ProfileField) -> Check:
        if item.kind == "keywords":
            return _keywords
        if item.multilingual:
            return _texts
        if item.kind == "code":
            return _remembering(partial(_code, self.vocabularies.named(item.vocabulary or "")))
        return _remembering(_SIMPLE[item.kind]) if item.kind in _REPEATED else _SIMPLE[item.kind]


def _remembering(check: Check) -> Check:
    """The same for values that stand under many datasets; what is wrong is looked at each time."""
    known: dict[str, Any] = {}

    def remembered(item: ProfileField, value: object) -> Any:
        if not isinstance(value, str):
            return check(item, value)
        found = known.get(value, known)  # itself: it holds no such thing
        if found is known:
            found = check(item, value)
            if len(value) <= _LONGEST_KNOWN:
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                known[value] = found
        return found

    return remembered


def _is_empty(value: object) -> bool:
    if isinstance(value, str):
        return not value or value.isspace()
    return not value and value in ([], {})


def is_email(text: str) -> bool:
    """Whether it has the form of one e-mail address."""
    return _EMAIL.fullmatch(text) is not None


def load_profile(folder: Path, vocabularies: Vocabularies) -> MetadataProfile:
    """From `folder/dataset_profile.json`. Raises BrokenVocabularyError naming the point."""
    path = folder / "dataset_profile.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        fields = tuple(ProfileField(**entry) for entry in data["fields"])
        groups = tuple(FieldGroup(entry["name"], entry["labels"]) for entry in data["groups"])
        for item in fields:
            _check_field(item, groups, vocabularies)
    except KeyError as error:
        raise BrokenVocabularyError(path=path, reason=f"{error} is missing") from error
    except (OSError, ValueError, TypeError) as error:
        raise BrokenVocabularyError(path=path, reason=str(error)) from error
    return MetadataProfile(fields, groups, vocabularies)


def _check_field(item: ProfileField, groups: tuple[FieldGroup, ...], vocabularies: Vocabularies) -> None:
    if item.kind not in KINDS:
        raise ValueError(f"{item.name}: no kind {item.kind!r}")
    if item.group not in {group.name for group in groups}:
        raise ValueError(f"{item.name}: no group {item.group!r}")
    if item.kind == "code":
        vocabularies.named(item.vocabulary or "")


# -- values, one Check a kind ------------------------------------------------------------------------------


def _text(item: ProfileField, value: object) -> str | None:
    if not isinstance(value, str):
        raise _WrongValueError(N_("This must be text."))
    cleaned = clean_text(value) if item.kind == "markdown" else clean_line(value)
    if len(cleaned) > item.max_length:
        template = N_("At most %(limit)s characters; this has %(length)s.")
        raise _WrongValueError(template, limit=item.max_length, length=len(cleaned))
    return cleaned or None


def _texts(item: ProfileField, value: object) -> dict[str, str] | None:
    given = {DEFAULT_LANGUAGE: value} if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise _WrongValueError(N_("This must be text, or one text a language: {“vi”: …, “en”: …}."))
    if not given.keys() <= _LANGUAGES:
        _check_languages(given)
    texts: dict[str, str] = {}
    for language in LANGUAGES:
        if (written := given.get(language)) is not None and (text := _text(item, written)):
            texts[language] = text
    return texts or None


def _check_languages(given: Mapping[object, object]) -> None:
    for language in given:
        if language not in LANGUAGES:
            template = N_("This portal has no language “%(language)s”. Use: %(known)s.")
            raise _WrongValueError(template, language=_quoted(str(language)), known=", ".join(LANGUAGES))


def _keywords(item: ProfileField, value: object) -> list[str] | None:
    """A list, a text with commas, or either by language; out comes one list without repetitions."""
    kept: dict[str, str] = {}
    for word in _words(value):
        if word is None:
            continue
        key, text = _keyword(word) if isinstance(word, str) else ("", "")
        if not key or len(text) > item.max_length:
            _text(item, word)  # says what is wrong, if not just empty
        elif key not in kept:
            kept[key] = text
    if len(kept) > item.max_items:
        template = N_("At most %(limit)s keywords; there are %(count)s.")
        raise _WrongValueError(template, limit=item.max_items, count=len(kept))
    return list(kept.values()) or None


def _words(value: object) -> list[object]:
    parts = [value]
    if isinstance(value, dict):
        _check_languages(value)
        parts = [value.get(language) for language in LANGUAGES]
    words: list[object] = []
    for part in parts:
        if isinstance(part, str):
            words += _SEPARATORS.split(part)
        elif isinstance(part, list | tuple):
            words += part
        elif part is not None:
            raise _WrongValueError(N_("Keywords are a list of words or short phrases."))
    return words


@lru_cache(maxsize=16_384)
def _keyword(word: str) -> tuple[str, str]:
    """(what tells it from others, as it is stored)."""
    text = clean_line(word)
    return text.casefold(), text


def _code(vocabulary: Vocabulary[Any], item: ProfileField, value: object) -> str | None:
    if not isinstance(value, str):
        raise _WrongValueError(N_("This must be a code from the list, as text."))
    if value in vocabulary:
        return value
    wanted = clean_line(value)
    if not wanted:
        return None
    found = vocabulary.find(wanted)
    if found is not None:
        return str(found.code)
    if item.open_vocabulary and len(wanted) <= item.max_length and _AGENCY_CODE.fullmatch(wanted):
        return wanted
    codes = {code.casefold(): code for code in (term.code for term in vocabulary)}
    near = difflib.get_close_matches(wanted[:_QUOTED].casefold(), codes, n=1)
    if near:
        template = N_("“%(value)s” is not in the list. Did you mean “%(near)s”?")
        raise _WrongValueError(template, value=_quoted(wanted), near=codes[near[0]])
    raise _WrongValueError(
        N_("“%(value)s” is not in the list. Choose a code from it."), value=_quoted(wanted)
    )


def _date(_item: ProfileField, value: object) -> str:
    """ISO 8601 day; of a moment, the day it was in Viet Nam."""
    try:
        if isinstance(value, dt.datetime):
            moment = value
        elif isinstance(value, dt.date):
            return value.isoformat()
        else:
            text = clean_line(cast("str", value))
            if len(text) == len("2026-03-31"):
                return dt.date.fromisoformat(text).isoformat()
            moment = dt.datetime.fromisoformat(text)
        day = (moment.astimezone(VIETNAM_TIME) if moment.tzinfo else moment).date()
    except (TypeError, ValueError, AttributeError, OverflowError):
        template = N_("“%(value)s” is not a date. Write year-month-day, for example 2026-03-31.")
        raise _WrongValueError(template, value=_quoted(str(value))) from None
    return day.isoformat()


def _email(item: ProfileField, value: object) -> str | None:
    text = _text(item, value)
    if text is not None and not is_email(text):
        raise _WrongValueError(N_("“%(value)s” is not an e-mail address."), value=_quoted(text))
    return text


def _url(item: ProfileField, value: object) -> str | None:
    text = _text(item, value)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text
    except ValueError:
        good = False
    if not good:
        template = N_("“%(value)s” is not a web address. It begins with https:// or http://.")
        raise _WrongValueError(template, value=_quoted(text))
    return text


def _number(_item: ProfileField, value: object) -> float | int:
    wrong = _WrongValueError(N_("“%(value)s” is not a number."), value=_quoted(str(value)))
    if isinstance(value, bool):
        raise wrong
    try:
        number = value if isinstance(value, int) else float(cast("str | float", value))
        finite = math.isfinite(number)
    except (TypeError, ValueError, OverflowError):
        raise wrong from None
    if not finite:
        raise wrong
    return number


_SIMPLE: Final[Mapping[str, Check]] = {
    "text": _text,
    "markdown": _text,
    "date": _date,
    "email": _email,
    "url": _url,
    "number": _number,
}


def _period_error(cleaned: Mapping[str, Any]) -> list[FieldError]:
    start, end = cleaned.get("period_start"), cleaned.get("period_end")
    if start and end and end < start:
        template = N_("The data ends on %(end)s, before it begins on %(start)s.")
        return [FieldError("period_end", template, {"start": start, "end": end})]
    return []


def _quoted(text: str) -> str:
    line = clean_line(text)
    return line if len(line) <= _QUOTED else f"{line[: _QUOTED - 1]}…"
