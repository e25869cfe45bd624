"""The OpenAPI 3.1 document: flask-smorest's, with our problems, our metadata profile and both languages.

Built once when the app is made; `localized` gives it in a language with addresses that exist in this portal.
Sentences in it are message ids like everywhere else.
"""

from __future__ import annotations

import copy
import string
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from flask_smorest import Api

from opendata import __version__
from opendata.api.problems import PROBLEM_TYPE
from opendata.api.schemas.datasets import profile_inputs, profile_properties
from opendata.api.schemas.problems import ProblemSchema
from opendata.api.schemas.texts import BilingualTextSchema
from opendata.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from opendata.catalogue.profile import MetadataProfile
    from opendata.kernel.i18n import Translator

OPENAPI_VERSION: Final = "3.1.0"
TITLE: Final = N_("Open data portal: API")
DESCRIPTION: Final = N_(
    "Find, read and download every public dataset without an account. Publishing takes the token of a person "
    "of the agency. Errors are problem+json in the language of Accept-Language (vi or en)."
)
TOKEN_DESCRIPTION: Final = N_("An API token, made on the account page; it acts with the rights of its owner.")

_TRANSLATED: Final = frozenset({"description", "summary"})


class PortalApi(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest without its error answers: the app answers every error of every part in one place."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Left out, see the class."""

    def _register_pagination_header(self) -> None:
        """Left out: pages are told in the body and in Link."""

    def _register_responses(self) -> None:
        """Every refusal is a problem, whatever its status."""
        content = {PROBLEM_TYPE: {"schema": ProblemSchema}}
        for status in HTTPStatus:
            refusal = {"description": status.phrase, "content": content}
            self.spec.components.response(status.name, copy.deepcopy(refusal), lazy=True)
        other = {"description": N_("Any other refusal"), "content": content}
        self.spec.components.response("DEFAULT_ERROR", other, lazy=True)


def make_api(app: Flask) -> PortalApi:
    """The extension, ready for blueprints."""
    app.config.update(
        API_TITLE=TITLE, API_VERSION=__version__, OPENAPI_VERSION=OPENAPI_VERSION, OPENAPI_URL_PREFIX=None
    )
    api = PortalApi(app, spec_kwargs={"info": {"description": DESCRIPTION, "license": LICENSE}})
    token = {"type": "http", "scheme": "bearer", "description": TOKEN_DESCRIPTION}
    api.spec.components.security_scheme("token", token)
    api.spec.components.schema("BilingualText", schema=BilingualTextSchema)
    return api


LICENSE: Final = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def finish(api: PortalApi, profile: MetadataProfile) -> dict[str, Any]:
    """The document as it stands once every blueprint is registered, the profile's fields filled in."""
    document: dict[str, Any] = api.spec.to_dict()
    schemas = document["components"]["schemas"]
    for name, fields in (
        ("Dataset", profile_properties(profile)),
        ("NewDataset", profile_inputs(profile, nullable=False)),
        ("DatasetChanges", profile_inputs(profile, nullable=True)),
    ):
        schemas[name]["properties"] = {**fields, **schemas[name].get("properties", {})}
        schemas[name]["additionalProperties"] = False
    required = [field.name for field in profile.fields if field.required]
    schemas["Dataset"]["required"] = [*required, *schemas["Dataset"].get("required", [])]
    schemas["NewDataset"]["required"] = required
    return document


def localized(
    document: Mapping[str, Any], speak: Translator, base_url: str, names: Mapping[str, str]
) -> dict[str, Any]:
    """The document for readers: sentences translated, examples filled with `names`."""
    shown: dict[str, Any] = _translated(document, speak)
    shown["info"]["title"] = speak.gettext(TITLE)
    shown["servers"] = [{"url": base_url}]
    for operations in shown["paths"].values():
        for operation in operations.values():
            for sample in operation.get("x-codeSamples", ()) if isinstance(operation, dict) else ():
                sample["source"] = string.Formatter().vformat(sample["source"], (), names)
    return shown


def _translated(part: Any, speak: Translator) -> Any:
    if isinstance(part, list):
        return [_translated(item, speak) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: _translated_value(key, value, speak) for key, value in part.items()}


def _translated_value(key: str, value: Any, speak: Translator) -> Any:
    """Descriptions are message ids, or the profile's own texts in both languages."""
    if key in _TRANSLATED and isinstance(value, str):
        return speak.gettext(value) if value else ""
    if key in {"description", "title"} and isinstance(value, dict) and "vi" in value and "type" not in value:
        return speak.pick(value)
    return _translated(value, speak)
