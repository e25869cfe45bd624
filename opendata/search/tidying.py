"""Tidies an index beside whoever writes it: a thread of the worker, and of a node that follows."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final, Self

from opendata.kernel.errors import UnavailableError
from opendata.kernel.rests import doubled

if TYPE_CHECKING:
    from opendata.search.service import SearchService

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0
_LONGEST_REST: Final = 300.0


class Tidying:
    """A context: looks now and then whether there is something to do, does it, and gives it up at the end."""

    def __init__(self, search: SearchService, seconds: float = LOOK_SECONDS) -> None:
        self._search = search
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tidying", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.wait(doubled(self._seconds, failures, _LONGEST_REST)):
            try:
                while self._search.tidy(self._stopping):
                    log.info("parts of the search index were joined")
                failures = 0
            except UnavailableError as error:  # another process is at it, or the helping one ended
                log.info("the search index is tidied later: %s", error)
                failures += 1
            except Exception:
                log.exception("the search index cannot be tidied")
                failures += 1
