"""Licence plates of road vehicles: `51F-123.45`, `29-B1 123.45`, `30A-1234`, with or without signs between."""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.meaning import TEXT, Meaning
from opendata.resources.meanings.value_tests import matches

LICENCE_PLATE_FORM: Final = r"[1-9]\d ?-? ?[A-HK-NPS-VXYZ]{1,2}\d?[ \-]{0,3}(?:\d{3}\.?\d{2}|\d{4})"

LICENCE_PLATE: Final = Meaning(
    key="licence-plate",
    title=N_("Licence plate"),
    description=N_("Licence plate of a road vehicle, as in 51F-123.45."),
    search_words={
        "vi": ("biển số xe", "biển kiểm soát"),
        "en": ("licence plate", "vehicle registration number"),
    },
    types=TEXT,
    names=(
        "biển số",
        "biển số xe",
        "biển kiểm soát",
        "bks",
        "biển đăng ký",
        "bienso",
        "licence plate",
        "license plate",
        "plate number",
        "number plate",
    ),
    named=matches(f"(?i){LICENCE_PLATE_FORM}"),
    named_share=0.8,
    alone=matches(LICENCE_PLATE_FORM),
    alone_share=0.98,
    rank=1,
    is_personal=True,
)
