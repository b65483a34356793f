"""Element strings in a tag: what bits the value of an application identifier takes.

One rule: a value that comes out is one that GS1 allows, so it can stand in a Digital Link and be written again.
Formats: F digits of 4 bits, I so many digits as one number, V a number behind its length, A characters behind
their length, T digits and then perhaps characters, D date, M date with hour and minute, B one bit, C country,
S sign; a figure is digits for F and I, bits of the length for V, A and T.
Source: GS1 Tag Data Standard 2.3, section 14.5 and table F there. Left out: the dates of variable precision
(7007, 7011, 8008) and the sequence of 7258; they are kept as bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from trace_core.errors import IdentifierError
from trace_core.ids.application_identifiers import FORMATS, require
from trace_core.ids.epc.bits import BitReader, BitWriter
from trace_core.ids.epc.characters import digit_bits, read_number, read_text, write_text
from trace_core.ids.epc.tag import Pair

FORMAT_ROWS: Final = {
    "F18": "00 8006 8017 8018 8026",
    "F14": "01 02",
    "F14 A5": "8003",
    "F13": "410 411 412 413 414 415 416 417",
    "F13 A5": "253",
    "F13 V4": "255",
    "F2": "7241",
    "I1": "7252",
    "I2": "20",
    "I3": "422 424 426",
    "I3 V4": "391. 393.",
    "I3 A4": "421",
    "I3 A5": "703.",
    "I4": "394. 8111",
    "I6": "31.. 32.. 33.. 34.. 35.. 36.. 3950 3951 3952 3953 8005",
    "I6 S": "433.",
    "I8": "7250",
    "I12": "7251",
    "I13": "7001",
    "I14": "8001",
    "I17": "402",
    "I20": "4309",
    "V3": "242 7004",
    "V4": "30 37 390. 392. 423 425 8011 8019",
    "A2": "427 7008 7010",
    "A3": "7040 7041",
    "A4": "7005 7009 7255",
    "A5": "10 21 22 235 240 241 243 250 251 254 400 401 403 420 4308 4318 4319 7002 7020 7021 7022 710 711 712 713 714"
    " 715 716 723. 7240 7242 8002 8007 8012 8013 8020 90",
    "A6": "4300 4301 4310 4311 4320 7253 7254 7259 8009",
    "A7": "4302 4303 4304 4305 4306 4312 4313 4314 4315 4316 7256 7257 8030 8110 8112 8200 91 92 93 94 95 96 97 98 99",
    "T5": "7023 8004 8010",
    "D": "11 12 13 15 16 17 4326 7006",
    "M": "4324 4325 7003",
    "B": "4321 4322 4323",
    "C": "4307 4317",
}
"""Format → the identifiers that have it; a dot is any digit."""

_DIGIT_BITS: Final = 4
_DELIMITER: Final = 0xE
"""Characters follow the digits."""
_TERMINATOR: Final = 0xF
_LONGEST_DIGITS: Final = 30
_DATE: Final = (7, 4, 5)
"""Bits of year, month, day."""
_MOMENT: Final = (*_DATE, 5, 6)
_COUNTRY_BITS: Final = 6


class _Part(NamedTuple):
    """One component: how to read and write it, and how many characters it takes (None: all that are left)."""

    read: Callable[[BitReader], str]
    write: Callable[[BitWriter, str], None]
    width: int | None = None


def read_pair(reader: BitReader) -> Pair:
    """Identifier and value. Raises `IdentifierError` for identifiers and values that we or GS1 do not know."""
    start = f"{reader.take(8):02X}"
    length = AI_LENGTHS.get(start)
    if length is None:
        raise IdentifierError("no application identifier starts so", where=start)
    ai = start + (f"{reader.take(_DIGIT_BITS * (length - 2)):0{length - 2}X}" if length > 2 else "")
    return ai, read_value(ai, reader)


def write_pair(writer: BitWriter, ai: str, value: str) -> None:
    """The reverse of `read_pair`."""
    _parts(ai)
    writer.put(int(ai, 16), _DIGIT_BITS * len(ai))
    write_value(writer, ai, value)


def read_value(ai: str, reader: BitReader) -> str:
    """The value of `ai`. Raises `IdentifierError`."""
    value = "".join([part.read(reader) for part in _parts(ai)])
    require(ai, value)
    return value


def write_value(writer: BitWriter, ai: str, value: str) -> None:
    """The reverse of `read_value`."""
    parts = _parts(ai)
    require(ai, value)
    for part in parts:
        width = len(value) if part.width is None else part.width
        part.write(writer, value[:width])
        value = value[width:]


def _parts(ai: str) -> Sequence[_Part]:
    parts = _PARTS.get(ai)
    if parts is None:
        raise IdentifierError("no tag holds this application identifier", where=ascii(ai[:8])[1:-1])
    return parts


def _fixed(digits: int) -> _Part:
    bits = _DIGIT_BITS * digits

    def read(reader: BitReader) -> str:
        text = f"{reader.take(bits):0{digits}x}"
        if not text.isdigit():
            raise IdentifierError("four bits stand for a digit")
        return text

    return _Part(read, lambda writer, text: writer.put(int(text, 16), bits), digits)


def _integer(digits: int) -> _Part:
    bits = digit_bits(digits)
    return _Part(
        lambda reader: read_number(reader.take(bits), digits), lambda writer, text: writer.put(int(text), bits), digits
    )


def _counted(length_bits: int) -> _Part:
    def read(reader: BitReader) -> str:
        digits = reader.take(length_bits)
        return read_number(reader.take(digit_bits(digits)), digits)

    def write(writer: BitWriter, text: str) -> None:
        writer.put(len(text), length_bits)
        writer.put(int(text or "0"), digit_bits(len(text)))

    return _Part(read, write)


def _text(length_bits: int) -> _Part:
    return _Part(
        lambda reader: read_text(reader, length_bits), lambda writer, text: write_text(writer, text, length_bits)
    )


def _delimited(length_bits: int) -> _Part:
    """Digits of 4 bits up to a terminator, or up to a delimiter and the rest as characters (TDS 14.5.5)."""

    def read(reader: BitReader) -> str:
        digits: list[str] = []
        while (code := reader.take(_DIGIT_BITS)) < 10 and len(digits) < _LONGEST_DIGITS:
            digits.append(str(code))
        if code == _TERMINATOR:
            return "".join(digits)
        if code != _DELIMITER:
            raise IdentifierError("the digits end with neither delimiter nor terminator")
        tail = read_text(reader, length_bits)
        if not tail:
            raise IdentifierError("nothing stands behind the delimiter")
        return "".join(digits) + tail

    def write(writer: BitWriter, text: str) -> None:
        tail = text.lstrip("0123456789")
        for digit in text[: len(text) - len(tail)]:
            writer.put(int(digit), _DIGIT_BITS)
        writer.put(_DELIMITER if tail else _TERMINATOR, _DIGIT_BITS)
        if tail:
            write_text(writer, tail, length_bits)

    return _Part(read, write)


def _pairs_of_digits(widths: Sequence[int]) -> _Part:
    """Two digits for every width, as in YYMMDD."""

    def read(reader: BitReader) -> str:
        return "".join([read_number(reader.take(width), 2) for width in widths])

    def write(writer: BitWriter, text: str) -> None:
        for index, width in enumerate(widths):
            writer.put(int(text[2 * index : 2 * index + 2]), width)

    return _Part(read, write)


def _country() -> _Part:
    # letters only, in 6 bits each as in base 64, where A is 0
    def read(reader: BitReader) -> str:
        codes = reader.take(_COUNTRY_BITS), reader.take(_COUNTRY_BITS)
        if max(codes) > 25:
            raise IdentifierError("a country code has two letters")
        return "".join([chr(ord("A") + code) for code in codes])

    def write(writer: BitWriter, text: str) -> None:
        for letter in text:
            if not "A" <= letter <= "Z":
                raise IdentifierError("a country code has two letters", where=ascii(text)[1:-1])
            writer.put(ord(letter) - ord("A"), _COUNTRY_BITS)

    return _Part(read, write)


def _sign() -> _Part:
    return _Part(lambda reader: "-" if reader.take(1) else "", lambda writer, text: writer.put(len(text), 1))


def _bit() -> _Part:
    return _Part(lambda reader: str(reader.take(1)), lambda writer, text: writer.put(int(text), 1))


_SIZED: Final[Mapping[str, Callable[[int], _Part]]] = {
    "F": _fixed,
    "I": _integer,
    "V": _counted,
    "A": _text,
    "T": _delimited,
}
_PLAIN: Final[Mapping[str, _Part]] = {
    "D": _pairs_of_digits(_DATE),
    "M": _pairs_of_digits(_MOMENT),
    "B": _bit(),
    "C": _country(),
    "S": _sign(),
}


def _made(spec: str) -> tuple[_Part, ...]:
    return tuple(_SIZED[name[0]](int(name[1:])) if len(name) > 1 else _PLAIN[name] for name in spec.split())


def matching(pattern: str) -> list[str]:
    """The application identifiers that a word of `FORMAT_ROWS` stands for."""
    fixed = pattern.rstrip(".")
    return [ai for ai in FORMATS if len(ai) == len(pattern) and ai.startswith(fixed)]


_PARTS: Final[Mapping[str, tuple[_Part, ...]]] = {
    ai: made
    for made, patterns in ((_made(spec), patterns) for spec, patterns in FORMAT_ROWS.items())
    for pattern in patterns.split()
    for ai in matching(pattern)
}
"""Application identifier → its components."""
AI_LENGTHS: Final = {ai[:2]: len(ai) for ai in _PARTS}
"""First two digits → digits of the identifier (table K)."""


def read_date(reader: BitReader, ai: str) -> str:
    """YYMMDD in 16 bits, checked as a value of `ai` (TDS 14.5.8)."""
    text = _PLAIN["D"].read(reader)
    require(ai, text)
    return text


def write_date(writer: BitWriter, ai: str, text: str) -> None:
    """The reverse of `read_date`."""
    require(ai, text)
    if len(text) != 6:
        raise IdentifierError("the date has six digits", where=text)
    _PLAIN["D"].write(writer, text)
