"""Where the data that ships with the code is: `catalog_schemas` and `seed_datasets`.

Called by wiring and the CLI. A wheel carries the folders inside the package (`_bundled/`, see the
force-include of pyproject.toml); in a source checkout they are the top-level folders themselves, so that
an edit is seen without building anything.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def bundled(name: str) -> Path:
    """The folder of that name. Raises FileNotFoundError saying where it was looked for."""
    places = (_PACKAGE / "_bundled" / name, _PACKAGE.parent / name)
    for folder in places:
        if folder.is_dir():
            return folder
    looked = " nor ".join(str(folder) for folder in places)
    raise FileNotFoundError(
        f"The installation is incomplete: neither {looked} is there. Install opendata again."
    )
