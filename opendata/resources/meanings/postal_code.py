"""National postal codes: five digits since 2018, six before. Only under a name: any count may have five digits."""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.meanings.meaning import WHOLE, Meaning
from opendata.resources.meanings.value_tests import matches

POSTAL_CODE: Final = Meaning(
    key="postal-code",
    title=N_("Postal code"),
    description=N_("National postal code: five digits since 2018, six before."),
    search_words={"vi": ("mã bưu chính", "mã bưu điện"), "en": ("postal code", "zip code")},
    types=WHOLE,
    names=(
        "mã bưu chính",
        "mã bưu điện",
        "mã bưu cục",
        "mã đầu bưu chính",
        "bưu chính",
        "postal code",
        "postcode",
        "post code",
        "zip",
        "zip code",
        "zipcode",
    ),
    not_names=("zip file",),
    named=matches(r"\d{4,6}"),
    rank=1,
)
