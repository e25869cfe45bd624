"""Every meaning there is. A new one is a file of this folder and a line here; see docs/how-to-add."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from opendata.resources.meanings.agency import AGENCY_CODE, AGENCY_NAME
from opendata.resources.meanings.citizen_id import CITIZEN_ID
from opendata.resources.meanings.commune_code import COMMUNE_CODE, COMMUNE_CODE_2025, COMMUNE_CODE_FORMER
from opendata.resources.meanings.commune_name import COMMUNE_NAME, COMMUNE_NAME_2025, COMMUNE_NAME_FORMER
from opendata.resources.meanings.coordinates import COORDINATE_PAIR, LATITUDE, LONGITUDE
from opendata.resources.meanings.licence_plate import LICENCE_PLATE
from opendata.resources.meanings.money import (
    AMOUNT_BILLION_VND,
    AMOUNT_MILLION_VND,
    AMOUNT_THOUSAND_VND,
    AMOUNT_VND,
)
from opendata.resources.meanings.percentage import PERCENTAGE
from opendata.resources.meanings.period import QUARTER, YEAR
from opendata.resources.meanings.person import BIRTH_DATE, ETHNIC_GROUP, GENDER, PERSONAL_NAME
from opendata.resources.meanings.phone import PHONE
from opendata.resources.meanings.postal_code import POSTAL_CODE
from opendata.resources.meanings.province_code import PROVINCE_CODE, PROVINCE_CODE_34, PROVINCE_CODE_63
from opendata.resources.meanings.province_name import PROVINCE_NAME, PROVINCE_NAME_34, PROVINCE_NAME_63
from opendata.resources.meanings.tax_code import TAX_CODE
from opendata.resources.meanings.web_address import EMAIL, URL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.resources.meanings.meaning import Meaning

_ALL: Final = (
    PROVINCE_CODE,
    PROVINCE_CODE_34,
    PROVINCE_CODE_63,
    PROVINCE_NAME,
    PROVINCE_NAME_34,
    PROVINCE_NAME_63,
    COMMUNE_CODE,
    COMMUNE_CODE_2025,
    COMMUNE_CODE_FORMER,
    COMMUNE_NAME,
    COMMUNE_NAME_2025,
    COMMUNE_NAME_FORMER,
    AGENCY_CODE,
    AGENCY_NAME,
    CITIZEN_ID,
    PHONE,
    EMAIL,
    PERSONAL_NAME,
    BIRTH_DATE,
    TAX_CODE,
    LICENCE_PLATE,
    POSTAL_CODE,
    LATITUDE,
    LONGITUDE,
    COORDINATE_PAIR,
    URL,
    YEAR,
    QUARTER,
    PERCENTAGE,
    AMOUNT_VND,
    AMOUNT_THOUSAND_VND,
    AMOUNT_MILLION_VND,
    AMOUNT_BILLION_VND,
    GENDER,
    ETHNIC_GROUP,
)
MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType({meaning.key: meaning for meaning in _ALL})


def load_lists() -> None:
    """Read every list that values are held to: a process forked afterwards does not read them again."""
    value = pa.array(["01"])
    for meaning in MEANINGS.values():
        for test in (meaning.named, meaning.alone, meaning.contrast):
            if test is not None:
                test(value)
