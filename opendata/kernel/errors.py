"""What goes wrong, as classes: a stable code, an HTTP status, and a sentence a person can act on.

Every layer raises these; only the edges (cli, api, web) turn them into an answer. The sentence is an
English message id with named parameters, translated where it is shown, so an error can be logged,
stored and read in either language.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Translate = Callable[[str], str]


def N_(message: str) -> str:  # noqa: N802 - the gettext convention for "extract, translate later"
    return message


def _same(message: str) -> str:
    return message


class PortalError(Exception):
    """Base of every refusal. `params` fill the template; values are shown as they are, never evaluated."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    template: ClassVar[str] = N_("The request could not be carried out.")

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.message())

    def message(self, translate: Translate = _same) -> str:
        return translate(self.template) % self.params if self.params else translate(self.template)


class NotFoundError(PortalError):
    code = "not-found"
    status = 404
    template = N_("There is nothing at this address. It may have been withdrawn or never existed.")


class MethodNotAllowedError(PortalError):
    code = "method-not-allowed"
    status = 405
    template = N_("This address does not take that kind of request.")


class UnauthenticatedError(PortalError):
    code = "sign-in-needed"
    status = 401
    template = N_("Sign in, or send a valid API token, to do this.")


class ForbiddenError(PortalError):
    code = "forbidden"
    status = 403
    template = N_("Your account may not do this. Ask an administrator of the agency.")


class ConflictError(PortalError):
    code = "conflict"
    status = 409
    template = N_("This was changed by someone else meanwhile. Reload it and try again.")


class TooLargeError(PortalError):
    """`limit`: the most that is taken, as shown to people (for example "5 GB")."""

    code = "too-large"
    status = 413
    template = N_("The file is larger than the %(limit)s this portal takes.")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong input field: `template` is a message id with `params`; `field` its name in the form or body."""

    field: str
    template: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def message(self, translate: Translate = _same) -> str:
        return translate(self.template) % self.params if self.params else translate(self.template)


class InvalidInputError(PortalError):
    """Wrong values; `errors` names each field so that a form can link to it."""

    code = "invalid-input"
    status = 422
    template = N_("Some of what was sent is not right. Each point is listed.")

    def __init__(self, *errors: FieldError) -> None:
        self.errors = errors
        super().__init__()


class UnknownParameterError(PortalError):
    code = "unknown-parameter"
    status = 400
    template = N_("Unknown query parameter “%(name)s”. Known ones: %(known)s.")


class BadParameterError(PortalError):
    """A query parameter whose value cannot be used; `reason` is a translated-at-source plain clause."""

    code = "bad-parameter"
    status = 400
    template = N_("The value “%(value)s” of “%(name)s” cannot be used: %(reason)s")


class UnavailableError(PortalError):
    code = "unavailable"
    status = 503
    template = N_("This part of the portal is not ready yet. Try again in a moment.")


class UnforeseenError(PortalError):
    """A fault of ours; what happened is in the log, never in the answer."""

    code = "unforeseen"
    status = 500
    template = N_("Something went wrong on our side. It has been recorded; try again in a moment.")
