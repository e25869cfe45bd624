"""Shares in per cent: numbers under a name with % or `tỷ lệ`, or text such as `12,5%`."""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.meaning import Meaning
from opendata.resources.meanings.value_tests import between, either, matches

_WRITTEN: Final = matches(r"[+\-−]? ?\d{1,4}(?:[.,]\d+)? ?%")

PERCENTAGE: Final = Meaning(
    key="percentage",
    title=N_("Percentage"),
    description=N_("A share in per cent."),
    search_words={"vi": ("tỷ lệ phần trăm", "tỷ lệ"), "en": ("percentage", "per cent", "rate")},
    types=frozenset({"integer", "number", "string"}),
    names=(
        "phần trăm",
        "tỷ lệ",
        "tỉ lệ",
        "tỷ trọng",
        "tỉ trọng",
        "percent",
        "percentage",
        "pct",
    ),
    not_names=("tỷ lệ bản đồ", "phần nghìn"),
    named=either(_WRITTEN, between(-100, 1000)),
    named_share=0.99,
    alone=_WRITTEN,
    alone_share=0.98,
    alone_distinct=3,
)
