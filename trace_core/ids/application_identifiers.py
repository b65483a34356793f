"""GS1 application identifiers: what a value may look like, which are keys, which qualifiers a key takes.

One rule: what the table does not know is refused. Formats: N digits, X set 82, Y set 39, Z set 64, `..` up to,
`[…]` may be missing, names behind `,` are checks. Source: GS1 General Specifications 3.2, GS1 Digital Link URI
Syntax 1.4. Not checked, beyond length and characters: codes of countries, currencies, coupons, IBAN.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from trace_core.errors import IdentifierError
from trace_core.ids import gs1

QUALIFIERS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "00": (),
    "01": (("22", "10", "21"), ("235",)),
    "253": (),
    "255": (),
    "401": (),
    "402": (),
    "414": (("254",), ("7040",)),
    "415": (("8020",),),
    "417": (("7040",),),
    "8003": (),
    "8004": (("7040",),),
    "8006": (("22", "10", "21"),),
    "8010": (("8011",),),
    "8013": (),
    "8017": (("8019",),),
    "8018": (("8019",),),
}
"""Primary key → the sequences of qualifiers that may follow it; any of one sequence, in its order."""
REQUIRED_QUALIFIERS: Final[Mapping[str, str]] = {"415": "8020"}
"""Primary key → qualifier without which it names nothing."""
NAMES: Final[Mapping[str, str]] = {
    "gtin": "01", "itip": "8006", "gmn": "8013", "cpid": "8010", "gln": "414", "payTo": "415", "partyGln": "417",
    "party": "417", "gsrnp": "8017", "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401",
    "gsin": "402", "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21", "tpx": "235",
    "cpsn": "8011", "glnx": "254", "refNo": "8020", "srin": "8019",
}  # fmt: skip
"""Words of Digital Link 1.0 and 1.1 that are printed on labels; newer links have numbers only."""

_FORMATS: Final = {
    "N18,key": "00 8017 8018",
    "N14,key": "01 02 03",
    "N13,key": "410-417",
    "N17,key": "402",
    "N13,key [X..17]": "253",
    "N13,key [N..12]": "255",
    "N1,zero N13,key [X..16]": "8003",
    "N14,key N4,piece": "8006 8026",
    "X..30,prefix": "401 7023 8004",
    "Y..30,prefix": "8010",
    "X..25,model": "8013",
    "X..25,model,text": "8014",
    "X..2": "7010",
    "X..3": "427 7008",
    "X..4": "7041",
    "X..10": "7009 7255",
    "X..12": "7005",
    "X..20": "10 21 22 243 254 420 4318 7020-7022 710-717 7240 8002 8012",
    "X..25": "7242 8020",
    "X..28": "235",
    "X..30": "240 241 250 251 400 403 4308 4319 7002 90",
    "X..34": "8007",
    "X..35": "4300 4301 4310 4311 4320",
    "X..40": "7253 7254 7259",
    "X..50": "8009",
    "X..70": "4302-4306 4312-4316 7257 8110 8112 8200",
    "X..90": "7256 91-99",
    "Z..90": "8030",
    "X2": "4307 4317",
    "X3": "7258",
    "X2 X..28": "7230-7239",
    "N1": "7252",
    "N1,flag": "4321-4323",
    "N2": "20 7241",
    "N3": "422 424 426",
    "N4": "3940-3943 8111",
    "N6": "3100-3105 3110-3115 3120-3125 3130-3135 3140-3145 3150-3155 3160-3165 3200-3205 3210-3215 3220-3225"
    " 3230-3235 3240-3245 3250-3255 3260-3265 3270-3275 3280-3285 3290-3295 3300-3305 3310-3315 3320-3325 3330-3335"
    " 3340-3345 3350-3355 3360-3365 3370-3375 3400-3405 3410-3415 3420-3425 3430-3435 3440-3445 3450-3455 3460-3465"
    " 3470-3475 3480-3485 3490-3495 3500-3505 3510-3515 3520-3525 3530-3535 3540-3545 3550-3555 3560-3565 3570-3575"
    " 3600-3605 3610-3615 3620-3625 3630-3635 3640-3645 3650-3655 3660-3665 3670-3675 3680-3685 3690-3695 3950-3955"
    " 8005",
    "N13": "7001",
    "N15": "8040 8041",
    "N32": "8042",
    "N18 [N..2]": "8043",
    "N..4": "7004",
    "N..6": "242",
    "N..8": "30 37",
    "N..10": "8019",
    "N..12,natural": "8011",
    "N..15": "3900-3909 3920-3929",
    "N3 N..15": "3910-3919 3930-3939",
    "N3 X..9": "421",
    "N3 X..27": "7030-7039",
    "N3 [N3] [N3] [N3] [N3]": "423 425",
    "N6,month": "11 12 13 15 16 17",
    "N6,day": "4326 7006",
    "N6,day [N6],day": "7007",
    "N6,day [N4],time": "7011",
    "N6,day N4,time": "7003",
    "N6,month N4,time": "4324 4325",
    "N6,day N2,hour [N2],minute [N2],minute": "8008",
    "N6 [X1],minus": "4330-4333",
    "N8,date": "7250",
    "N8,date N4,time": "7251",
    "N10 N10": "4309",
    "N4,some N5,some N3,some N1 N1": "8001",
    "N1 X1 X1 X1": "7040",
}
"""Format → the identifiers that have it."""

_CLASSES: Final = {"N": "0123456789", "X": gs1.CHARSET_82, "Y": gs1.CHARSET_39, "Z": gs1.CHARSET_64}
_COMPONENT: Final = re.compile(r"(\[?)([NXYZ])(\.\.)?(\d+)\]?((?:,\w+)*)")


@dataclass(frozen=True, slots=True)
class Format:
    """How a value is put together: `pattern` has one group a component, `checks` the checks of each."""

    spec: str
    pattern: re.Pattern[str]
    checks: tuple[tuple[str, ...], ...]


def require(ai: str, value: str) -> None:
    """Raises `IdentifierError` unless `ai` exists and `value` is one of its values (as text, not escaped)."""
    format_ = FORMATS.get(ai)
    if format_ is None:
        raise IdentifierError("GS1 knows no such application identifier", where=ascii(ai[:8])[1:-1])
    found = format_.pattern.fullmatch(value)
    if found is None:
        raise IdentifierError(f"the value of ({ai}) has the form {format_.spec}", where=ascii(value[:90])[1:-1])
    for component, checks in zip(found.groups(), format_.checks, strict=True):
        for name in checks if component else ():
            if not _CHECKS[name](component):
                raise IdentifierError(f"the value of ({ai}) fails the check '{name}'", where=value)


def _is_key(text: str) -> bool:
    return gs1.check_digit(text[:-1]) == text[-1]


def _is_model(text: str) -> bool:
    return len(text) >= 3 and _has_prefix(text) and gs1.check_pair(text[:-2]) == text[-2:]


def _has_prefix(text: str) -> bool:
    # the shortest company prefix that GS1 gives out has four digits
    return len(text) > 4 and text[:4].isdigit()


def _is_piece(text: str) -> bool:
    return 1 <= int(text[:2]) <= int(text[2:])


def _is_month(text: str) -> bool:
    """YYMMDD where day 00 means the whole month."""
    return (text[4:] == "00" and 1 <= int(text[2:4]) <= 12) or _is_day(text)


def _is_day(text: str) -> bool:
    return _is_date("20" + text)


def _is_date(text: str) -> bool:
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    return year > 0 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "key": _is_key,
    "model": _is_model,
    "prefix": _has_prefix,
    "piece": _is_piece,
    "month": _is_month,
    "day": _is_day,
    "date": _is_date,
    "time": lambda text: int(text[:2]) < 24 and int(text[2:]) < 60,
    "hour": lambda text: int(text) < 24,
    "minute": lambda text: int(text) < 60,
    "zero": lambda text: text == "0",
    "some": lambda text: int(text) > 0,
    "natural": lambda text: text == "0" or text[0] != "0",
    "flag": lambda text: text in {"0", "1"},
    "minus": lambda text: text == "-",
    "text": lambda text: not text.isdigit(),
}


def _format(spec: str) -> Format:
    pattern, checks = "", []
    for optional, kind, up_to, length, names in _COMPONENT.findall(spec):
        count = f"{{1,{length}}}" if up_to else f"{{{length}}}"
        pattern += f"([{re.escape(_CLASSES[kind])}]{count})" + ("?" if optional else "")
        checks.append(tuple(names.split(",")[1:]))
    return Format(re.sub(r",\w+", "", spec), re.compile(pattern), tuple(checks))


def _expanded(codes: str) -> list[str]:
    found = []
    for code in codes.split():
        first, _, last = code.partition("-")
        found += [str(number).zfill(len(first)) for number in range(int(first), int(last or first) + 1)]
    return found


FORMATS: Final[Mapping[str, Format]] = {
    ai: made for made, codes in ((_format(spec), codes) for spec, codes in _FORMATS.items()) for ai in _expanded(codes)
}
"""Application identifier → format."""
