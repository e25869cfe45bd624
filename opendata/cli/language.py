"""The language of the terminal: Vietnamese where LC_ALL, LC_MESSAGES or LANG say so, English otherwise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opendata.kernel.i18n import translator

if TYPE_CHECKING:
    from opendata.kernel.i18n import Translator


def speak() -> Translator:
    wished = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return translator("vi" if wished.lower().startswith("vi") else "en")
