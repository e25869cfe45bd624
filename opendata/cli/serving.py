"""What a web process loads: the app, told to end at once when it is stopped before it is ready.

Called by granian before the process listens: whoever is answered by it finds everything loaded and tried once.
"""

from __future__ import annotations

import ctypes
import gc
import signal
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from opendata.app import from_environment
from opendata.http.neighbours import WebProcesses
from opendata.http.turns import AtWork
from opendata.settings import load_settings

if TYPE_CHECKING:
    from flask import Flask


_TRIED: Final = (
    "/vi/",
    "/en/",
    "/vi/datasets",
    "/en/datasets",
    "/vi/datasets?sort=newest",
    "/api/v1/datasets",
)

# M_ARENA_MAX of mallopt(3).
_MOST_ARENAS: Final = -8

# An index of gigabytes on a slow disk takes longer to be read and checked: who asks meanwhile waits for it, and who
# looks after the process sees that it lives.
_MOST_SECONDS: Final = 10.0

# Among new objects after so many of them, among those that outlived it after 50 such looks, among all after 500 of these.
_LOOK_FOR_RINGS: Final = (10_000, 50, 500)


def load_app() -> Flask:
    """Called by granian in each web process, before it takes signals.

    A forked process starts with its parent's handlers, which only set a flag of the parent: a SIGTERM that
    comes while the app loads would be lost and the process would serve for ever.
    """
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    _share_memory_among_threads()
    app = from_environment()
    settings = load_settings()
    trying = threading.Thread(target=_try_pages, args=(app,), name="first-pages", daemon=True)
    trying.start()
    trying.join(_MOST_SECONDS)
    look_for_rings_rarely()
    shared = settings.data_dir / "cache"
    shared.mkdir(parents=True, exist_ok=True)
    app.wsgi_app = AtWork(app.wsgi_app, settings.web_threads, WebProcesses(shared / "web-processes"))  # type: ignore[method-assign]  # Flask's own way of wrapping
    return app


def look_for_rings_rarely() -> None:
    """What is loaded now stays: looking through it for rings stopped a request for 75 ms now and then, and looking
    through all answers that are kept for up to 300 ms. Rings are few and short-lived.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_LOOK_FOR_RINGS)


def _share_memory_among_threads() -> None:
    """By glibc each thread takes and keeps memory of its own: 40 MB more a process, and a third fewer answers a second,
    since what one thread just gave back lies in the processor's cache. Searches take turns, so nobody waits for it.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:  # other C libraries have one for all
        set_option(_MOST_ARENAS, 1)


def _try_pages(app: Flask) -> None:
    """The first search of a process compiles templates, opens the index and reads its files: 300 ms."""
    client = app.test_client()
    if client.get("/readyz").status_code == HTTPStatus.OK:
        for address in _TRIED:
            client.get(address)
