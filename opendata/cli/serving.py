"""What a web process loads: the app, told to end at once when it is stopped before it is ready."""

from __future__ import annotations

import gc
import signal
from typing import TYPE_CHECKING

from opendata.app import from_environment

if TYPE_CHECKING:
    from flask import Flask


def load_app() -> Flask:
    """Called by granian in each web process, before it takes signals.

    A forked process starts with its parent's handlers, which only set a flag of the parent: a SIGTERM that
    comes while the app loads would be lost and the process would serve for ever.
    """
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    app = from_environment()
    # What is loaded now stays: looking through it for rings stopped a request for 75 ms now and then.
    gc.collect()
    gc.freeze()
    return app
