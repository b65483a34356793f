"""The schemes of TDS 2, `sgtin+` and its like, and those with a host of their own, `sgtin++`.

One rule: a scheme is a row of application identifiers; their values come as in `elements`.

    8 bits  1       3       4 + 16             …                1 + 6 + …        …
    header  toggle  filter  kind of date, date element strings  host             element strings, if toggle is 1
                            dsgtin only        of the key       ++ only

Source: GS1 Tag Data Standard 2.3, sections 14.2 (headers), 14.5 and 14.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trace_core.errors import IdentifierError
from trace_core.ids import digital_link
from trace_core.ids.digital_link import DigitalLink
from trace_core.ids.epc.bits import BitReader, BitWriter
from trace_core.ids.epc.elements import read_date, read_pair, read_value, write_date, write_pair, write_value
from trace_core.ids.epc.hostname import read_hostname, write_hostname
from trace_core.ids.epc.tag import LONGEST_EPC, Pair, PlusEpc

DATES: Final = ("11", "13", "15", "16", "17", "7006", "7007")
"""Kind of date → application identifier."""

_GS1_HOST: Final = "id.gs1.org"
_SERIAL_FROM: Final = {"253": 13, "255": 13, "8003": 14}
"""Keys that may end before their serial number, but not in a tag: there they name one object."""
_NO_EXTENSION: Final = ("254", "0")
"""Stands in a tag where a location has no extension; a link leaves it out (TDS 6.3.3)."""


@dataclass(frozen=True, slots=True)
class PlusScheme:
    """One row of the standard."""

    name: str
    header: int
    ais: tuple[str, ...]
    """The key and what belongs to it, in their order."""
    is_dated: bool
    """Whether a date stands in front of the key."""
    has_host: bool
    """Whether a host stands behind the key."""

    def decode(self, epc: bytes) -> PlusEpc:
        """See `Scheme.decode`. Element strings behind the identifier that nobody can read are kept as bits."""
        if len(epc.rstrip(b"\0")) > LONGEST_EPC:
            raise IdentifierError(f"an EPC has up to {LONGEST_EPC} bytes", where=self.name)
        reader = BitReader(epc)
        reader.take(8)
        has_data, filter_value = reader.take(1), reader.take(3)
        date = self._read_date(reader) if self.is_dated else None
        pairs = [(ai, read_value(ai, reader)) for ai in self.ais]
        host = read_hostname(reader) if self.has_host else _GS1_HOST
        if reader.is_overrun:
            raise IdentifierError("the memory ends within the identifier", where=self.name)
        if not has_data and not reader.is_spent:
            raise IdentifierError("bits follow the identifier, but the tag says that there are none", where=self.name)
        data = _read_data(reader) if has_data else ()
        return PlusEpc(self.name, filter_value, _uri(host, pairs), date, data, reader.rest() if has_data else "")

    def encode(self, tag: PlusEpc) -> bytes:
        """The reverse of `decode`, as whole 16 bit words. Raises `IdentifierError`."""
        link = digital_link.parse(tag.uri)
        pairs = self._pairs(link)
        if _uri(tag.hostname, pairs) != tag.uri or not (self.has_host or tag.hostname == _GS1_HOST):
            raise IdentifierError(f"a {self.name} tag cannot hold this link", where=tag.uri)
        if tag.filter is None or tag.filter not in range(8):
            raise IdentifierError("a filter value is 0 to 7", where=self.name)
        writer = BitWriter()
        writer.put(self.header, 8)
        writer.put(1 if tag.data or tag.rest else 0, 1)
        writer.put(tag.filter, 3)
        self._write_date(writer, tag.date)
        for ai, value in pairs:
            write_value(writer, ai, value)
        if self.has_host:
            write_hostname(writer, tag.hostname)
        _write_data(writer, tag.data, tag.rest)
        memory = writer.memory()
        if len(memory) > LONGEST_EPC:
            raise IdentifierError(f"the identifier takes more than {LONGEST_EPC} bytes", where=tag.uri)
        return memory

    def tag(self, link: DigitalLink, host: str, filter_value: int, data: Iterable[Pair]) -> PlusEpc:
        """What a tag of this scheme says for a link; attributes that are no date of the scheme become data."""
        dates = [pair for pair in link.attributes if self.is_dated and pair[0] in DATES][:1]
        others = [pair for pair in link.attributes if pair not in dates]
        uri = _uri(host if self.has_host else _GS1_HOST, self._pairs(link))
        return PlusEpc(self.name, filter_value, uri, dates[0] if dates else None, (*others, *data))

    def _pairs(self, link: DigitalLink) -> list[Pair]:
        pairs = [link.primary, *link.qualifiers]
        if self.ais[-1] == _NO_EXTENSION[0] and not link.qualifiers:
            pairs.append(_NO_EXTENSION)
        if tuple(ai for ai, _ in pairs) != self.ais:
            raise IdentifierError(f"a {self.name} tag holds ({') and ('.join(self.ais)})", where=link.path)
        return pairs

    def _read_date(self, reader: BitReader) -> Pair:
        kind = reader.take(4)
        if kind >= len(DATES):
            raise IdentifierError(f"{kind} is no kind of date", where=self.name)
        return DATES[kind], read_date(reader, DATES[kind])

    def _write_date(self, writer: BitWriter, date: Pair | None) -> None:
        if self.is_dated != (date is not None) or (date is not None and date[0] not in DATES):
            raise IdentifierError(f"a dsgtin tag, and no other, holds one date of {', '.join(DATES)}", where=self.name)
        if date is not None:
            writer.put(DATES.index(date[0]), 4)
            write_date(writer, *date)


def _uri(host: str, pairs: Sequence[Pair]) -> str:
    for ai, value in pairs:
        if len(value) == _SERIAL_FROM.get(ai):
            raise IdentifierError(f"the key ({ai}) has no serial number", where=value)
    shown = [pair for pair in pairs if pair != _NO_EXTENSION]
    return f"https://{host}" + "".join(
        [f"/{ai}/{value if value.isalnum() else digital_link.escape(value)}" for ai, value in shown]
    )


def _read_data(reader: BitReader) -> tuple[Pair, ...]:
    """Element strings up to the filling, or up to the first that cannot be read; the reader stays in front of it."""
    pairs: list[Pair] = []
    while not reader.is_spent:
        start = reader.left
        try:
            pairs.append(read_pair(reader))
        except IdentifierError:
            reader.left = start  # the standard grows: the caller keeps these bits as they are
            break
        if reader.is_overrun:
            raise IdentifierError("the memory ends within an element string", where=f"({pairs[-1][0]})")
    return tuple(pairs)


def _write_data(writer: BitWriter, data: Iterable[Pair], rest: str) -> None:
    for ai, value in data:
        write_pair(writer, ai, value)
    if rest:
        if not rest.endswith("1") or rest.strip("01") or len(rest) > 8 * LONGEST_EPC:
            raise IdentifierError("the rest is 0 and 1 up to the last 1")
        writer.put(int(rest, 2), len(rest))


_DATED: Final = "dsgtin"
_ROWS: Final = (
    # header of + and ++, application identifiers
    ("cpi", 0xF0, 0xE6, ("8010", "8011")),
    ("grai", 0xF1, 0xEB, ("8003",)),
    ("sgln", 0xF2, 0xE9, ("414", "254")),
    ("itip", 0xF3, 0xED, ("8006", "21")),
    ("gsrn", 0xF4, 0xE7, ("8018",)),
    ("gsrnp", 0xF5, 0xE8, ("8017",)),
    ("gdti", 0xF6, 0xEA, ("253",)),
    ("sgtin", 0xF7, 0xFD, ("01", "21")),
    ("sgcn", 0xF8, 0xEC, ("255",)),
    ("sscc", 0xF9, 0xEF, ("00",)),
    ("giai", 0xFA, 0xEE, ("8004",)),
    (_DATED, 0xFB, 0xFC, ("01", "21")),
)
PLUS_SCHEMES: Final = (
    *(PlusScheme(f"{name}+", plus, ais, name == _DATED, has_host=False) for name, plus, _, ais in _ROWS),
    *(PlusScheme(f"{name}++", double, ais, name == _DATED, has_host=True) for name, _, double, ais in _ROWS),
)
