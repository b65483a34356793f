"""Unified social credit code 统一社会信用代码, the key of every market subject.

One rule: `parse` returns only codes that may be a key; a code that a register really issued with a wrong check
character comes in through `parse_registered`, marked. Source: GB 32100-2015 (whole code), GB 11714 (subject id).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from trace_core.errors import IdentifierError

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters, no I, O, S, V, Z; a character's value is its index."""
SENTINEL: Final = "00000000000000000X"
"""Stands for "no code known" in files of the credit offices; never names a subject."""
LENGTH: Final = 18

_LONGEST_INPUT: Final = 64
"""Characters looked at before normalising: full-width forms and blanks around a code fit easily."""
_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
"""3^(i-1) mod 31, GB 32100-2015 table 4."""
_SUBJECT_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_VALUE: Final = {c: i for i, c in enumerate(ALPHABET)}

KINDS: Final = {
    "11": "机关",
    "12": "事业单位",
    "13": "群众团体",
    "19": "其他机构编制",
    "21": "外交",
    "29": "外交其他",
    "31": "律师事务所",
    "32": "公证处",
    "33": "基层法律服务所",
    "34": "司法鉴定机构",
    "35": "仲裁委员会",
    "39": "司法行政其他",
    "41": "文化",
    "49": "文化其他",
    "51": "社会团体",
    "52": "民办非企业单位",
    "53": "基金会",
    "54": "村民委员会",
    "55": "居民委员会",
    "59": "民政其他",
    "61": "旅游",
    "62": "旅游",
    "69": "旅游其他",
    "71": "宗教活动场所",
    "72": "宗教院校",
    "79": "宗教其他",
    "81": "基层工会",
    "89": "工会其他",
    "91": "企业",
    "92": "个体工商户",
    "93": "农民专业合作社",
    "A1": "军队事业单位",
    "A9": "军队其他",
    "N1": "组级集体经济组织",
    "N2": "村级集体经济组织",
    "N3": "乡镇级集体经济组织",
    "N9": "农业其他",
    "Y1": "其他",
}
"""Registering department and organisation class (first two characters) → kind of subject, GB 32100-2015 table 1."""


@dataclass(frozen=True, slots=True)
class Uscc:
    """One code taken apart; 18 upper-case characters."""

    code: str
    check_ok: bool
    """The last character is right. False only for codes from an official register."""
    subject_check_ok: bool
    """The ninth character of the subject id is right (GB 11714)."""
    warnings: tuple[str, ...] = ()
    """Stable words: `unknown-kind`, `subject-check`, `check`."""

    @property
    def kind(self) -> str | None:
        """What sort of subject (Chinese name), None for a pair that the table does not know."""
        return KINDS.get(self.code[:2])

    @property
    def region(self) -> str:
        """Six digits of the place of first registration (GB/T 2260); it never changes, so old regions stay valid."""
        return self.code[2:8]

    @property
    def subject_id(self) -> str:
        """Nine characters 主体标识码, the former organisation code."""
        return self.code[8:17]


def parse(text: str) -> Uscc:
    """The code in `text` (any width, case and blanks around it); `IdentifierError` unless it may be a key."""
    found = parse_registered(text)
    if not found.check_ok:
        raise IdentifierError(
            "the check character of the unified social credit code is wrong",
            where=found.code,
            remedy="compare it with the business licence",
        )
    return found


def parse_registered(text: str) -> Uscc:
    """Like `parse`, for an official register: a wrong check character is a warning, `check_ok` is False."""
    code = normalise(text)
    if code == SENTINEL:
        raise IdentifierError(
            "this stands for an unknown code and names no subject",
            where=code,
            remedy="give the registration number 工商注册号",
        )
    if len(code) != LENGTH:
        raise IdentifierError(f"a unified social credit code has {LENGTH} characters, not {len(code)}", where=code)
    if not all(c in _VALUE for c in code):
        raise IdentifierError(
            "a unified social credit code has digits and capitals except I, O, S, V, Z", where=ascii(code)[1:-1]
        )
    if not code[2:8].isdigit():
        raise IdentifierError("characters 3 to 8 are the digits of a region", where=code)
    check_ok = code[17] == check_character(code[:17])
    subject_ok = code[16] == subject_check_character(code[8:16])
    raised = (("unknown-kind", code[:2] not in KINDS), ("subject-check", not subject_ok), ("check", not check_ok))
    return Uscc(code, check_ok, subject_ok, tuple(word for word, is_so in raised if is_so))


def is_valid(text: str) -> bool:
    """Whether `parse` takes `text`."""
    try:
        parse(text)
    except IdentifierError:
        return False
    return True


def is_sentinel(text: str) -> bool:
    """Whether `text` says "no code" in a file of a credit office."""
    return len(text) <= _LONGEST_INPUT and normalise(text) == SENTINEL


def normalise(text: str) -> str:
    """NFKC (full-width to plain), without blanks around it, upper case; `IdentifierError` for over-long text."""
    if len(text) > _LONGEST_INPUT:
        raise IdentifierError(f"a unified social credit code has {LENGTH} characters, not {len(text)}")
    return unicodedata.normalize("NFKC", text).strip().upper()


def check_character(first_17: str) -> str:
    """The 18th character; GB 32100-2015 5.2. The outer mod turns remainder 0 into `0`."""
    total = sum(_VALUE[c] * w for c, w in zip(first_17, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def subject_check_character(first_8: str) -> str:
    """The 9th character of a subject id: 0–9 or X for 10; GB 11714, letters count A = 10 … Z = 35."""
    total = sum(int(c, 36) * w for c, w in zip(first_8, _SUBJECT_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]
