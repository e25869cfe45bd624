"""The form of a dataset's metadata, generated from the profile: one entry there is one field here.

Used by the publishing pages for new and existing datasets. Names of inputs are those of the profile, with the
language after a dot where a field has two (`title.vi`). What was typed always comes back, right or wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opendata.http.context import language, services, speak
from opendata.kernel.i18n import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opendata.catalogue.profile import ProfileField
    from opendata.kernel.errors import FieldError

TONGUES: Final = {"vi": "Tiếng Việt", "en": "English"}


@dataclass(frozen=True, slots=True)
class FormInput:
    """One box to fill in. `language` is empty for fields with one value; `key` is its name and id."""

    key: str
    language: str
    value: str


@dataclass(frozen=True, slots=True)
class FormField:
    """`options` are (code, label) pairs for a choice; `now` is what someone else saved meanwhile."""

    name: str
    label: str
    help: str
    example: str
    kind: str
    required: bool
    max_length: int
    inputs: tuple[FormInput, ...]
    options: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()
    now: str | None = None


@dataclass(frozen=True, slots=True)
class FormGroup:
    title: str
    fields: tuple[FormField, ...]

    @property
    def has_errors(self) -> bool:
        return any(item.errors for item in self.fields)


@dataclass(frozen=True, slots=True)
class MetadataForm:
    """`first` is always shown, `groups` wait behind a fold."""

    first: tuple[FormField, ...]
    groups: tuple[FormGroup, ...]
    errors: tuple[FieldError, ...] = field(default=())

    @property
    def by_name(self) -> dict[str, FormField]:
        return {
            item.name: item for item in (*self.first, *(f for group in self.groups for f in group.fields))
        }


def typed_metadata(form: Mapping[str, str]) -> dict[str, Any]:
    """The fields of the profile as typed; a field that the form did not send is left out."""
    typed: dict[str, Any] = {}
    for item in services().profile.fields:
        if item.multilingual:
            texts = {tongue: form[key] for tongue in LANGUAGES if (key := f"{item.name}.{tongue}") in form}
            if texts:
                typed[item.name] = texts
        elif item.name in form:
            typed[item.name] = form[item.name]
    return typed


def build_form(
    metadata: Mapping[str, Any],
    agencies: Sequence[tuple[str, str]],
    errors: Iterable[FieldError] = (),
    saved: Mapping[str, Any] | None = None,
) -> MetadataForm:
    """`metadata` as typed or as stored, `agencies` those the person may publish for.

    With `saved`, fields in which it differs from `metadata` show what is in the portal now.
    """
    profile = services().profile
    given = tuple(errors)
    made = {item.name: _field(item, metadata, agencies, given, saved) for item in profile.fields}
    first = [item for item in profile.fields if item.required]
    first += [item for item in profile.fields if item.recommended and not item.required]
    groups = []
    for group in profile.groups:
        fields = tuple(made[item.name] for item in profile.in_group(group.name) if item not in first)
        if fields:
            groups.append(FormGroup(speak().pick(dict(group.labels)), fields))
    return MetadataForm(tuple(made[item.name] for item in first), tuple(groups), given)


def _field(
    item: ProfileField,
    metadata: Mapping[str, Any],
    agencies: Sequence[tuple[str, str]],
    errors: Sequence[FieldError],
    saved: Mapping[str, Any] | None,
) -> FormField:
    tongue = speak()
    value = metadata.get(item.name)
    other = saved.get(item.name) if saved is not None else None
    is_changed = saved is not None and _plain(item, value) != _plain(item, other)
    return FormField(
        name=item.name,
        label=tongue.pick(dict(item.labels)),
        help=tongue.pick(dict(item.help)),
        example="" if item.kind in {"code", "date"} else tongue.pick(dict(item.example)),
        kind=item.kind,
        required=item.required,
        max_length=item.max_length,
        inputs=_inputs(item, value),
        options=_options(item, value, agencies) if item.kind == "code" else (),
        errors=tuple(error.message(tongue.gettext) for error in errors if error.field == item.name),
        now=_shown(item, other) if is_changed else None,
    )


def _inputs(item: ProfileField, value: Any) -> tuple[FormInput, ...]:
    if not item.multilingual:
        text = ", ".join(value) if isinstance(value, list) else value
        return (FormInput(item.name, "", "" if text is None else str(text)),)
    texts = value if isinstance(value, dict) else {}
    order = sorted(LANGUAGES, key=lambda tongue: tongue != "vi")
    return tuple(FormInput(f"{item.name}.{tongue}", tongue, texts.get(tongue, "")) for tongue in order)


def _options(
    item: ProfileField, value: Any, agencies: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """What may be chosen; a value that may no longer be is kept, so that saving does not change it silently."""
    if item.vocabulary == "agencies":
        options = tuple(agencies)
    else:
        vocabulary = services().vocabularies.named(item.vocabulary or "")
        options = tuple((term.code, term.label(language())) for term in vocabulary.current())
    if value and value not in {code for code, _ in options}:
        options += ((value, services().vocabularies.named(item.vocabulary or "").label(value, language())),)
    return options


def _plain(item: ProfileField, value: Any) -> Any:
    """A form in which what was typed and what is stored can be compared."""
    return tuple(box.value.replace("\r\n", "\n").strip() for box in _inputs(item, value))


def _shown(item: ProfileField, value: Any) -> str:
    if item.kind == "code" and value:
        return services().vocabularies.named(item.vocabulary or "").label(value, language())
    return " / ".join(text for text in _plain(item, value) if text)
