"""What was written for an address last time, to be sent again while what it shows is the same.

A page of results is made of the same answer for everybody who may see the same; writing it costs more than
finding it. Who asks says what the text was made of: an object that is another one as soon as anything differs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from flask import request

from opendata.http.context import language
from opendata.kernel.recent import MostRecent

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_BYTES: Final = 24 << 20
# Pages say how long ago something was, in days.
_SECONDS: Final = 3600

_KEPT: Final = MostRecent[tuple[object, ...], bytes](_MOST_BYTES, len)


def written(made_of: object | None, write: Callable[[], str]) -> bytes:
    """UTF-8. `write` is called where `made_of` is None or was not written for this address and language before."""
    if made_of is None:
        return write().encode()
    key = (
        made_of,
        request.root_path,
        request.path,
        request.query_string,
        language(),
        time.time() // _SECONDS,
    )
    known = _KEPT.get(key)
    if known is None:
        known = write().encode()
        _KEPT.put(key, known)
    return known
