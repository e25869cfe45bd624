"""The whole result for one file that has a bit of everything, as JSON in provinces.json beside this test.

After a wanted change: run with OPENDATA_UPDATE_GOLDEN=1 and read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from opendata.resources.ingest.pipeline import ingest_file

GOLDEN = Path(__file__).with_name("provinces.json")
SOURCE = Path(__file__).with_name("provinces.csv")


def without_noise(value: Any) -> Any:
    """Times, places on this disk and the size that a compressor chose do not count."""
    noise = {"seconds", "parquet_path", "parquet_size"}
    if isinstance(value, dict):
        return {key: without_noise(inner) for key, inner in value.items() if key not in noise}
    return [without_noise(inner) for inner in value] if isinstance(value, list) else value


def test_the_result_is_the_golden_one(tmp_path) -> None:
    result = without_noise(ingest_file(SOURCE, SOURCE.name, tmp_path).to_json())
    if os.environ.get("OPENDATA_UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    assert result == json.loads(GOLDEN.read_text())
