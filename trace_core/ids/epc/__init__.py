"""RFID tags: EPC memory ↔ identifiers.

    decode(bytes.fromhex("3074257BF7194E4000001A85")).uri → "urn:epc:id:sgtin:0614141.812345.6789"
    decode(bytes.fromhex("F73795211411234538566CB0AFC4")).uri → "https://id.gs1.org/01/79521141123453/21/32a%2Fb"

One rule: `decode(encode(tag)) == tag` for every tag that `decode` gives. A tag with a URN gives its words back, too;
one without may come back in a shorter spelling. Source: GS1 Tag Data Standard 2.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from trace_core.errors import IdentifierError
from trace_core.ids import digital_link
from trace_core.ids.epc.plus import PLUS_SCHEMES, PlusScheme
from trace_core.ids.epc.schemes import SCHEMES, URN_SCHEMES
from trace_core.ids.epc.tag import LONGEST_EPC, Epc, Pair, PlusEpc
from trace_core.ids.gs1 import PREFIX_LENGTHS, gtin

__all__ = [
    "LONGEST_EPC",
    "Epc",
    "Pair",
    "PlusEpc",
    "decode",
    "encode",
    "encode_link",
    "encode_sgtin96",
    "raw_uri",
]

_TAG: Final = "urn:epc:tag:"
_RAW: Final = re.compile(r"urn:epc:raw:([1-9][0-9]{0,2})\.x([0-9A-F]{1,124})")
_LONGEST_URI: Final = 256
_DECODERS: Final = tuple({s.header: s.decode for s in SCHEMES}.get(header) for header in range(256))
_ENCODERS: Final = {s.name: s.encode for s in URN_SCHEMES}
_PLUS: Final = {s.name: s for s in PLUS_SCHEMES}


def decode(epc: bytes) -> Epc:
    """The identifier in a tag's EPC memory from word 2 on (header first, without CRC and PC).

    Raises `IdentifierError` for no bytes, a header that we do not know, or bits that no identifier has; such
    a tag still has a name, its `raw_uri`.
    """
    if not epc:
        raise IdentifierError("the tag has an empty EPC memory")
    decoder = _DECODERS[epc[0]]
    if decoder is None:
        raise IdentifierError(f"header {epc[0]:#04x} stands for no EPC scheme that we know", where=raw_uri(epc))
    return decoder(epc)


def encode(tag: Epc | str) -> bytes:
    """EPC memory for a decoded tag, a tag URI (`urn:epc:tag:…`) or a raw URI, as whole 16 bit words.

    Raises `IdentifierError`.
    """
    if isinstance(tag, PlusEpc):
        return _plus(tag.scheme).encode(tag)
    uri = tag if isinstance(tag, str) else str(tag.tag_uri)
    if len(uri) > _LONGEST_URI:
        raise IdentifierError(f"the tag URI is longer than {_LONGEST_URI} characters")
    if uri.startswith(_TAG):
        name, _, fields = uri[len(_TAG) :].partition(":")
        encoder = _ENCODERS.get(name)
        if encoder is None:
            raise IdentifierError("we know no such EPC scheme", where=ascii(name)[1:-1])
        return encoder(fields)
    raw = _RAW.fullmatch(uri)
    if raw is None or int(raw[1]) % 8 or int(raw[1]) != 4 * len(raw[2]):
        raise IdentifierError(
            "this is no tag URI",
            where=ascii(uri[:60])[1:-1],
            remedy="write urn:epc:tag:<scheme>:… or urn:epc:raw:<bits>.x<hex>",
        )
    return bytes.fromhex(raw[2])


def encode_link(link: str, scheme: str, *, filter_value: int = 0, data: Iterable[Pair] = ()) -> bytes:
    """EPC memory of a scheme with `+` or `++` (`sgtin+`) for a Digital Link; `++` keeps the link's host.

    Attributes of the link's query (best-before date, weight …) and then `data` go behind the identifier; the first
    date among them is the date of `dsgtin+`. Raises `IdentifierError`, also for what no tag of the scheme holds.
    """
    host = (urlsplit(link).hostname or "") if len(link) <= digital_link.LONGEST_URI else ""
    known = _plus(scheme)
    return known.encode(known.tag(digital_link.parse(link), host, filter_value, data))


def encode_sgtin96(item: str, serial: int, *, prefix_length: int, filter_value: int = 1) -> bytes:
    """12 bytes for a GTIN (8 to 14 digits) whose company prefix has `prefix_length` digits, and a serial < 2^38."""
    if prefix_length not in PREFIX_LENGTHS:
        raise IdentifierError(f"a company prefix has 6 to 12 digits, not {prefix_length}", where=item)
    digits = gtin(item)
    company, reference = digits[1 : 1 + prefix_length], digits[0] + digits[1 + prefix_length : 13]
    return encode(f"{_TAG}sgtin-96:{filter_value}.{company}.{reference}.{serial}")


def raw_uri(epc: bytes) -> str:
    """`urn:epc:raw:96.x3074…`: the name of a tag that holds no identifier (TDS section 12). Takes any bytes."""
    return f"urn:epc:raw:{8 * len(epc)}.x{epc.hex().upper() or '0'}"


def _plus(name: str) -> PlusScheme:
    scheme = _PLUS.get(name)
    if scheme is None:
        raise IdentifierError("we know no such EPC scheme", where=ascii(name[:40])[1:-1])
    return scheme
