"""Telex and VNI read back, said by hand; and that plain Vietnamese is never touched."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.kernel.text import fold
from opendata.search.analysis import is_syllable
from opendata.search.telex import untyped


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("duwx", "dữ"), ("lieeuj", "liệu"), ("dduowngf", "đường"), ("dduwowngf", "đường"), ("nguwowif", "người"),
        ("ddieenj", "điện"), ("quoocs", "quốc"), ("khuyur", "khuỷu"), ("xoays", "xoáy"), ("giaf", "già"),
        ("hoaf", "hòa"), ("cuar", "của"), ("quys", "quý"), ("phuwowngf", "phường"), ("lawks", "lắk"),
        ("lieuej", "liệu"), ("thees", "thế"), ("khoong", "không"), ("trwongf", "trường"), ("nwocs", "nước"),
        ("du74", "dữ"), ("lie65u", "liệu"), ("d9uong72", "đường"), ("d9u7o7ng2", "đường"), ("ly1", "lý"),
        ("qua3n", "quản"), ("ngu7o7i2", "người"),
    ],
)  # fmt: skip
def test_what_was_meant(typed, meant):
    assert untyped(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "du",
        "lieu",
        "nghieng",
        "ban",
        "2024",
        "h55",
        "pm2",
        "covid19",
        "tphcm",
        "population",
        "",
        "dữ",
        "x" * 99,
    ],
)
def test_what_is_left_alone(typed):
    assert untyped(typed) is None


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz123456789", max_size=14))
def test_a_repair_is_always_a_syllable_in_composed_form(typed):
    meant = untyped(typed)
    if meant is not None:
        assert is_syllable(fold(meant))
        assert unicodedata.normalize("NFC", meant) == meant
        assert untyped(fold(meant)) is None or "oo" in fold(meant)
