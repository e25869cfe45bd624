"""Whether a word can be a syllable of Vietnamese: what tells a right reading of old text from a wrong one.

Called by `vietnamese_encodings` for every word of a text in each of its possible readings. The spelling is so
regular (an initial, one of some 160 rhymes, one tone) that letters of the wrong table hardly ever make one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_TONES: Final = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_STOPPED: Final = ("c", "ch", "p", "t")  # endings that take only two of the tones
_STOPPED_TONES: Final = frozenset("\u0301\u0323")
_INITIALS: Final = "ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnprstvx]"
_RHYMES: Final = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây"
    " e ec em en eng eo ep et ê êch êm ên ênh êp êt êu"
    " i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu"
    " o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on"
    " ong ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt"
    " u ua uc ui um un ung up ut uâc uân uâng uât uây uê uêch uên uênh uêt uôc uôi uôm uôn uông uôt uơ uơn"
    " uy uya uych uyên uyêt uyn uynh uyp uyt uyu"
    " ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu"
    " y ych yêm yên yêng yêt yêu ynh yt"
)
_SYLLABLE: Final = re.compile(f"(?:{_INITIALS})?({'|'.join(sorted(_RHYMES.split(), key=len, reverse=True))})")


@lru_cache(maxsize=1 << 16)
def is_syllable(word: str) -> bool:
    """Whether a word of letters, in any case, is spelt as a Vietnamese syllable is."""
    parts = unicodedata.normalize("NFD", word.lower())
    tones = _TONES.findall(parts)
    if len(tones) > 1:
        return False
    bare = unicodedata.normalize("NFC", _TONES.sub("", parts))
    spelt = _SYLLABLE.fullmatch(bare)
    if spelt is None:
        return False
    return not spelt[1].endswith(_STOPPED) or bool(_STOPPED_TONES.issuperset(tones) and tones)
