"""Work folders that outlive a failed attempt, and nobody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from opendata.kernel.scratch import drop_abandoned, lasting_folder

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, time
from pathlib import Path
from opendata.kernel.scratch import lasting_folder
with lasting_folder(Path(sys.argv[1]), "v1") as folder:
    (folder / "stage").write_text("done")
    print("holding", flush=True)
    time.sleep(600)
"""


def _fail_in(parent: Path) -> None:
    def attempt() -> None:
        with lasting_folder(parent, "v1") as folder:
            (folder / "stage").write_text("done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attempt()


def test_it_is_gone_after_success_and_stays_after_a_failure(tmp_path: Path) -> None:
    _fail_in(tmp_path)
    with lasting_folder(tmp_path, "v1") as folder:
        assert (folder / "stage").read_text() == "done"
    assert list(tmp_path.iterdir()) == []


def test_while_another_process_holds_it_a_new_one_is_given_and_after_a_kill_the_old_one(
    tmp_path: Path,
) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holding\n"
        with lasting_folder(tmp_path, "v1") as other:
            assert other.name != "v1"
            assert list(other.iterdir()) == []
        assert drop_abandoned(tmp_path) == 0
        os.kill(holder.pid, signal.SIGKILL)
    assert drop_abandoned(tmp_path, spare={"v1"}.__contains__) == 0
    with lasting_folder(tmp_path, "v1") as folder:
        assert (folder / "stage").read_text() == "done"


def test_what_nobody_will_take_up_is_dropped(tmp_path: Path) -> None:
    _fail_in(tmp_path)
    assert drop_abandoned(tmp_path, spare={"v2"}.__contains__) == 1
    assert list(tmp_path.iterdir()) == []
