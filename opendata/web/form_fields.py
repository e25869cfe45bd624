"""What a form sent to a page carries: text fields only, at most 1 MB; forms with a file go to `uploads`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST: Final = 1 << 20


def is_upload() -> bool:
    return request.mimetype == "multipart/form-data"


def small_form() -> Mapping[str, str]:
    """Raises RequestEntityTooLarge, which becomes a page."""
    request.max_content_length = LARGEST
    request.max_form_memory_size = LARGEST
    return request.form
