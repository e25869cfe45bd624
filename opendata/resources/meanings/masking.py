"""Personal values as they may be shown to the person who decides: enough to recognise, not enough to use."""

from __future__ import annotations

import re
from typing import Final

from opendata.kernel.text import nfc

_SHOWN: Final = 3
_SHORT: Final = 4


def masked_number(text: str) -> str:
    """`001090123456` → `001******456`; one that is short keeps a digit at either end."""
    digits = re.sub(r"\D", "", text)
    kept = _SHOWN if len(digits) > 2 * _SHOWN else 1
    return digits[:kept] + "*" * (len(digits) - 2 * kept) + digits[-kept:]


def masked_phone(text: str) -> str:
    """`0912345689` → `09** *** *89`, with `x` for each star; +84 and lost zeros included."""
    digits = re.sub(r"\D", "", text)
    digits = "0" + re.sub(r"^(?:84|0)", "", digits) if len(digits) > 8 else digits  # noqa: PLR2004 - a hotline has 8
    return f"{digits[:2]}** *** *{digits[-2:]}".replace("*", "x")


def masked_email(text: str) -> str:
    """`nguyenan@gmail.com` → `ng***@g***.com`."""
    name, _, host = text.strip().removeprefix("mailto:").partition("@")
    host = re.split(r"[;, ]", host)[0]
    domain, _, ending = host.rpartition(".")
    return f"{name[: 2 if len(name) >= _SHORT else 1]}***@{domain[:1]}***.{ending}"


def masked_name(text: str) -> str:
    """`Nguyễn Văn An` → `N. V. A`, without a last point: it ends sentences."""
    return ". ".join(word[0].upper() for word in nfc(text).split())


def masked_plate(text: str) -> str:
    """`51F-123.45` → `51F-***45`."""
    signs = re.sub(r"[ .\-]", "", text)
    head = re.match(r"\d{2}[A-Za-z]{1,2}", signs)
    start = head.group() if head else signs[:2]
    return f"{start.upper()}-***{signs[-2:]}"
