"""E-mail and web addresses. Their form is unmistakable, so values alone are enough."""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.meaning import TEXT, Meaning
from opendata.resources.meanings.value_tests import matches

EMAIL_FORM: Final = r"[A-Za-z0-9][A-Za-z0-9._%+\-]*@[A-Za-z0-9](?:[A-Za-z0-9\-]*\.)+[A-Za-z]{2,}"
_EMAIL: Final = matches(rf"(?:mailto:)?{EMAIL_FORM}(?:[;, ]+{EMAIL_FORM})*")
_URL: Final = matches(r"(?i)(?:https?|ftp)://[^\s/]+\.[^\s]+")
_BARE_URL: Final = matches(r"(?i)(?:(?:https?|ftp)://|www\.)?[a-z0-9\-]+(?:\.[a-z0-9\-]+)+(?:[/?#][^\s]*)?")

EMAIL: Final = Meaning(
    key="email",
    title=N_("E-mail address"),
    description=N_("E-mail address of a person or an office."),
    search_words={"vi": ("thư điện tử", "địa chỉ email"), "en": ("e-mail address", "email")},
    types=TEXT,
    names=("email", "e mail", "thư điện tử", "hộp thư", "mail"),
    named=_EMAIL,
    named_share=0.6,
    alone=_EMAIL,
    alone_share=0.8,
    alone_distinct=1,
    is_personal=True,
)
URL: Final = Meaning(
    key="url",
    title=N_("Web address"),
    description=N_("Address of a page or a file on the web."),
    search_words={"vi": ("địa chỉ web", "liên kết", "đường dẫn"), "en": ("web address", "URL", "link")},
    types=TEXT,
    names=("url", "website", "trang web", "web", "link", "liên kết", "đường dẫn", "homepage"),
    named=_BARE_URL,
    named_share=0.8,
    alone=_URL,
    alone_share=0.95,
    alone_distinct=1,
)
