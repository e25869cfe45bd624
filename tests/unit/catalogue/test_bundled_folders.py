"""Where the shipped data is looked for: inside an installed package first, else in the checkout."""

from __future__ import annotations

import pytest

from opendata.kernel import bundled as module


def test_a_checkout_uses_its_top_level_folders():
    assert (module.bundled("catalog_schemas") / "dataset_profile.json").is_file()
    assert module.bundled("seed_datasets").is_dir()


def test_an_installed_package_uses_what_it_carries(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PACKAGE", tmp_path / "opendata")
    carried = tmp_path / "opendata" / "_bundled" / "seed_datasets"
    carried.mkdir(parents=True)
    (tmp_path / "seed_datasets").mkdir()
    assert module.bundled("seed_datasets") == carried


def test_an_incomplete_installation_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PACKAGE", tmp_path / "opendata")
    with pytest.raises(FileNotFoundError, match="Install opendata again"):
        module.bundled("catalog_schemas")
