"""Settings: read from OPENDATA_* variables, wrong ones refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendata.kernel.bundled import bundled
from opendata.settings import SettingsError, load_settings, require_secret


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("OPENDATA_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_stand_in_one_folder(tmp_path: Path) -> None:
    settings = load_settings()
    folder = tmp_path / "opendata-data"
    assert settings.data_dir == folder
    assert settings.database_url == f"sqlite:///{folder}/portal.sqlite"
    assert settings.store_url == f"file://{folder}/files"
    assert settings.search_url == f"columns://{folder}/search"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_variables_count_and_overrides_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENDATA_DATA_DIR", "/srv/opendata")
    monkeypatch.setenv("OPENDATA_PORT", "8080")
    monkeypatch.setenv("OPENDATA_DATABASE_URL", "postgresql+psycopg://portal@db/portal")
    monkeypatch.setenv("OPENDATA_SEARCH_URL", "whoosh://{data}/other")
    settings = load_settings()
    assert settings.data_dir == Path("/srv/opendata")
    assert settings.port == 8080
    assert settings.database_url == "postgresql+psycopg://portal@db/portal"
    assert settings.search_url == "whoosh:///srv/opendata/other"
    assert load_settings(port=9000, host=None).port == 9000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "-1"),
        ("WEB_WORKERS", "-1"),
        ("WEB_THREADS", "0"),
        ("UPLOAD_LIMIT_MB", "1.5"),
    ],
)
def test_wrong_values_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"OPENDATA_{name}", value)
    with pytest.raises(SettingsError, match=f"OPENDATA_{name}"):
        load_settings()


@pytest.mark.parametrize("key", ["", "x" * 31])
def test_a_short_secret_is_refused(key: str) -> None:
    with pytest.raises(SettingsError, match="OPENDATA_SECRET_KEY"):
        require_secret(load_settings(secret_key=key))
    require_secret(load_settings(secret_key="x" * 32))


def test_cookies_are_limited_to_https_where_the_portal_has_it() -> None:
    assert load_settings(base_url="https://data.gov.vn").is_secure
    assert not load_settings().is_secure


def test_what_ships_with_the_code_is_found_or_named() -> None:
    assert (bundled("catalog_schemas") / "dataset_profile.json").is_file()
    with pytest.raises(FileNotFoundError, match="nothing-of-the-kind"):
        bundled("nothing-of-the-kind")
