"""The web host in a tag of a `++` scheme, `id.example.com`.

One rule: hosts come out in small letters; of all ways to write one the shortest is taken.

    1 bit  6 bits  as many as the length says
    0      n       n characters of URN Code 40, 16 bits for every three
    1      n       n units of 7 bits: a character, or a sequence that hosts often have; units 0 to 3 and the next
                   one stand for a sequence together

Source: GS1 Tag Data Standard 2.3, custom host names of the `++` schemes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trace_core.errors import IdentifierError
from trace_core.ids.epc.bits import BitReader, BitWriter
from trace_core.ids.epc.characters import CODE_40, code_40_bits, read_code_40, write_code_40

LONGEST: Final = 253
"""Characters of a host name (RFC 1035)."""

_LENGTH_BITS: Final = 6
_UNIT_BITS: Final = 7
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")

_SHORT: Final = {
    0x1E: "qr.", 0x1F: "www.", 0x20: "id.", 0x5B: ".com", 0x5C: ".org", 0x5D: ".net", 0x5E: ".int", 0x60: ".edu",
    0x7B: ".gov", 0x7C: ".mil", 0x7D: ".biz", 0x7E: ".eco", 0x7F: ".med",
}  # fmt: skip
"""Units whose ASCII character no host has."""
_LONG: Final = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo bq br bs bt bw by bz ca cc"
    " cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et eu fi fj fk fm fo fr ga"
    " gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke"
    " kg kh ki km kn kp kr kw ky kz la lb lc li",
    "lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np"
    " nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn sr ss"
    " st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug us uy uz va vc ve vg vi vn vu wf ws ye yt"
    " za zm zw",
    "com.au net.au org.au co.at com.bd co.bd com.br net.br co.nz com.ng com.pk co.in com.in co.il co.jp co.za co.kr"
    " com.es com.lk co.th co.tt com.tt com.tr biz.tr com.ua co.uk co.zm com.zm com.cn org.cn net.cn gov.cn",
    "tech",
)
"""First unit of two → the ends of hosts, by second unit."""

_TEXT_OF: Final[dict[tuple[int, ...], str]] = {
    **{(ord(character),): character.lower() for character in CODE_40[1:]},
    **{(ord(character),): character for character in CODE_40[1:].lower()},
    **{(unit,): text for unit, text in _SHORT.items()},
    **{(first, second): f".{end}" for first, ends in enumerate(_LONG) for second, end in enumerate(ends.split())},
}
_UNITS_OF: Final = {text: units for units, text in sorted(_TEXT_OF.items())}
"""Small letters win: they come after the capitals."""
_LONGEST_SEQUENCE: Final = max(map(len, _UNITS_OF))


def read_hostname(reader: BitReader) -> str:
    """The host in small letters. Raises `IdentifierError`."""
    is_sequenced = reader.take(1)
    length = reader.take(_LENGTH_BITS)
    if is_sequenced:
        host = "".join(_texts(reader, length))
    else:
        host = read_code_40(reader.take(code_40_bits(length)), length).lower()
    _require(host)
    return host


def write_hostname(writer: BitWriter, host: str) -> None:
    """The reverse of `read_hostname`. Raises `IdentifierError`."""
    _require(host)
    units = _fewest_units(host)
    plain_bits = code_40_bits(len(host)) if len(host) >> _LENGTH_BITS == 0 else None
    if plain_bits is not None and plain_bits < _UNIT_BITS * len(units):
        writer.put(0, 1)
        writer.put(len(host), _LENGTH_BITS)
        writer.put(write_code_40(host.upper()), plain_bits)
        return
    if len(units) >> _LENGTH_BITS:
        raise IdentifierError("the host is too long for a tag", where=host)
    writer.put(1, 1)
    writer.put(len(units), _LENGTH_BITS)
    for unit in units:
        writer.put(unit, _UNIT_BITS)


def _texts(reader: BitReader, length: int) -> Iterator[str]:
    units = iter([reader.take(_UNIT_BITS) for _ in range(length)])
    for unit in units:
        key = (unit, next(units, -1)) if unit < len(_LONG) else (unit,)
        text = _TEXT_OF.get(key)
        if text is None:
            raise IdentifierError(f"unit {unit:#04x} stands for nothing in a host")
        yield text


def _require(host: str) -> None:
    if len(host) > LONGEST or _HOST.fullmatch(host) is None:
        raise IdentifierError("this is no host name", where=ascii(host[:90])[1:-1])


def _fewest_units(host: str) -> tuple[int, ...]:
    """The shortest way to write `host` in units, from the shortest ways to write its beginnings."""
    best: list[tuple[int, ...]] = [()]
    for end in range(1, len(host) + 1):
        starts = range(max(0, end - _LONGEST_SEQUENCE), end)
        ways = [best[start] + _UNITS_OF[host[start:end]] for start in starts if host[start:end] in _UNITS_OF]
        best.append(min(ways, key=len))
    return best[-1]
