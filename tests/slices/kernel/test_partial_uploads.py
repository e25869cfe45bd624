"""Partial uploads on the disk: several senders, killed senders, and one that completes."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from opendata.kernel.ids import utc_now
from opendata.kernel.partial_uploads import PartialUploads

if TYPE_CHECKING:
    from collections.abc import Callable

DYING = """
import os, signal, sys
from pathlib import Path
from opendata.kernel.partial_uploads import PartialUploads
uploads = PartialUploads(Path(sys.argv[1]))
content = open(sys.argv[3], "rb")
class Killing:
    count = 0
    def read(self, size):
        self.count += 1
        if self.count > int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)
        return content.read(min(size, 70_001))
found = uploads.find(sys.argv[2], "me")
content.seek(found.offset)
uploads.append(found, Killing())
"""


def keeping(taken: list[bytes]) -> Callable[[Any, Any], dict[str, str]]:
    def take(data: Any, _since: Any) -> dict[str, str]:
        taken.append(data.read())
        return {}

    return take


def test_two_senders_at_once_never_mix(tmp_path: Any) -> None:
    """Eight threads send different bytes to the same place: one file comes out, and it is one of the eight."""
    uploads = PartialUploads(tmp_path)
    size = 3 << 20
    contents = [bytes([65 + n]) * size for n in range(8)]
    begun = uploads.create("me", size, {})
    refused: list[str] = []

    def send(content: bytes) -> None:
        try:
            uploads.append(begun, io.BytesIO(content))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at below
            refused.append(getattr(error, "code", repr(error)))

    threads = [threading.Thread(target=send, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["upload-offset"] * 7
    taken: list[bytes] = []
    assert uploads.finish(begun, keeping(taken)).offset == size
    assert taken[0] in contents


def test_a_killed_process_leaves_a_prefix(tmp_path: Any) -> None:
    """Again and again in the middle of a request: what is there is always a beginning of the file."""
    content = os.urandom(1_000_000)
    (tmp_path / "file").write_bytes(content)
    uploads = PartialUploads(tmp_path / "uploads")
    begun = uploads.create("me", len(content), {})
    offsets = [0]
    for pieces in (1, 3, 5):
        command = [sys.executable, "-c", DYING, str(tmp_path / "uploads"), begun.id]
        done = subprocess.run([*command, str(tmp_path / "file"), str(pieces)], check=False, timeout=60)
        assert done.returncode == -signal.SIGKILL
        found = uploads.find(begun.id, "me")
        offsets.append(found.offset)
        data = tmp_path / "uploads" / begun.id / "data"
        assert data.read_bytes() == content[: found.offset]
    assert offsets == [0, 70_001, 4 * 70_001, 9 * 70_001]
    found = uploads.find(begun.id, "me")
    uploads.append(found, io.BytesIO(content[found.offset :]))
    taken: list[bytes] = []
    uploads.finish(found, keeping(taken))
    assert taken == [content]


def test_one_process_completes_and_others_wait(tmp_path: Any) -> None:
    uploads = PartialUploads(tmp_path / "uploads")
    begun = uploads.create("me", 4, {})
    uploads.append(begun, io.BytesIO(b"abcd"))

    def take(_data: Any, _since: Any) -> dict[str, str]:
        assert uploads.find(begun.id, "me").offset == 3
        for attempt in (
            lambda: uploads.append(uploads.find(begun.id, "me"), io.BytesIO(b"d")),
            lambda: uploads.finish(begun, take),
            lambda: uploads.remove(begun),
        ):
            with pytest.raises(Exception, match="completing"):
                attempt()
        assert PartialUploads(tmp_path / "uploads", lambda: utc_now() + dt.timedelta(days=3)).sweep() == 0
        return {"done": "yes"}

    assert uploads.finish(begun, take).result == {"done": "yes"}
    about = json.loads((tmp_path / "uploads" / begun.id / "about.json").read_text())
    assert about["result"] == {"done": "yes"}
