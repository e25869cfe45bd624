"""What the stages of an interrupted run left in the work folder, taken up by the next attempt.

Each finished stage is written beside its files as JSON, whole or not at all. A record counts only for the same
file read in the same way by the same program since the machine was started: after a power cut the files
themselves may be incomplete, so everything is done again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Raised with every change of what a stage leaves or of how it decides.
STAGES_VERSION: Final = 2
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class StageResult(Protocol):
    """A value with an exact JSON form, like those of `result`."""

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, data: Any) -> Self: ...


Result = TypeVar("Result", bound=StageResult)


class FinishedStages:
    """The stages finished in `folder` for the input that `about` describes (JSON values)."""

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self._folder = folder
        boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
        described = json.dumps([STAGES_VERSION, boot, about], sort_keys=True, default=str)
        self._key = hashlib.sha256(described.encode()).hexdigest()

    def once(self, name: str, kind: type[Result], run: Callable[[], Result], *files: str) -> Result:
        """The result of an earlier attempt, or that of `run`.

        `files` name the attributes of the result that are paths; the record counts while those files exist.
        """
        record = self._folder / f"stage-{name}.json"
        kept = self._kept(record)
        if kept is not None:
            result = kind.from_json(kept)
            if all(Path(getattr(result, file)).exists() for file in files):
                return result
        result = run()
        self._keep(record, result)
        return result

    def _kept(self, record: Path) -> Any:
        try:
            data = json.loads(record.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return data["result"] if data["key"] == self._key else None

    def _keep(self, record: Path, result: StageResult) -> None:
        partial = record.with_suffix(".part")
        partial.write_text(json.dumps({"key": self._key, "result": result.to_json()}, ensure_ascii=False))
        partial.replace(record)
