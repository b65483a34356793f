"""The classic layout: header, filter, partition, company prefix, reference, rest.

One rule: a scheme is a row of numbers; everything else is worked out once, when the row is read.

    8 bits   3       3          20–40           rest of `pair_bits`   0–140
    header   filter  partition  company prefix  reference             tail

Source: GS1 Tag Data Standard 2.3, sections 14.3 (partition tables) and 14.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from trace_core.errors import IdentifierError
from trace_core.ids.epc.fields import Integer, Tail, number, padded, read_text, write_text
from trace_core.ids.epc.tag import Epc

COMPANY_PREFIXES: Final = ((12, 40), (11, 37), (10, 34), (9, 30), (8, 27), (7, 24), (6, 20))
"""Partition value 0–6 → digits and bits of the company prefix; the same in every table of the standard."""

_LEAD_BITS: Final = 14
_WORD_BITS: Final = 16


class Reference(Enum):
    """How the reference stands in a URI."""

    PADDED = "digits up to the length of the key"
    INTEGER = "number without leading zeros"
    TEXT = "characters of 7 bits"


@dataclass(frozen=True, slots=True)
class Layout:
    """One row of the standard: a classic scheme."""

    name: str
    header: int
    urn: str
    """Third part of the pure identity: `sgtin`."""
    pair_bits: int
    """Company prefix and reference together."""
    pair_digits: int
    """Digits (or characters) of company prefix and reference together, at most."""
    reference: Reference
    tail: Tail


class _Row(NamedTuple):
    """One partition, worked out."""

    company_mask: int
    company_limit: int
    reference_bits: int
    reference_mask: int
    reference_limit: int
    template: str
    company_digits: int


class Partitioned:
    """Codec of one `Layout`."""

    def __init__(self, layout: Layout) -> None:
        tail = layout.tail
        self.name: Final = layout.name
        self.header: Final = layout.header
        self.bits: Final = _LEAD_BITS + layout.pair_bits + tail.bits
        self._reference: Final = layout.reference
        self._is_text: Final = layout.reference is Reference.TEXT
        self._pair_digits: Final = layout.pair_digits
        self._tail: Final = tail
        self._tail_bits: Final = tail.bits
        self._tail_mask: Final = (1 << tail.bits) - 1
        self._read_tail: Final = tail.read
        self._is_number: Final = isinstance(tail, Integer) and not self._is_text
        self._partition_shift: Final = self.bits - _LEAD_BITS
        self._size: Final = -(-self.bits // 8)
        self._spare: Final = -self.bits % 8
        self._memory_bits: Final = -(-self.bits // _WORD_BITS) * _WORD_BITS
        # partition 7 does not exist
        self._rows: Final = (*(self._row(layout, digits, bits) for digits, bits in COMPANY_PREFIXES), None)

    def decode(self, epc: bytes) -> Epc:
        """See `Scheme.decode`."""
        # the usual case in line, as every tag read comes through here
        value = self._value(epc) if self._spare or len(epc) != self._size else int.from_bytes(epc, "big")
        second = epc[1]
        row = self._rows[second >> 2 & 7]
        if row is None:
            raise IdentifierError("partition 7 does not exist", where=self.name)
        company_mask, company_limit, reference_bits, reference_mask, reference_limit, template, digits = row
        both = value >> self._tail_bits
        company = both >> reference_bits & company_mask
        reference = both & reference_mask
        if company >= company_limit or reference >= reference_limit:
            raise IdentifierError("prefix or reference has too many digits for its partition", where=self.name)
        if self._is_number:
            uri = template % (company, reference, value & self._tail_mask)
        else:
            shown = read_text(reference, reference_bits, self._pair_digits - digits) if self._is_text else reference
            uri = template % (company, shown) + self._read_tail(value & self._tail_mask)
        return Epc(self.name, second >> 5, uri)

    def encode(self, fields: str) -> bytes:
        """See `UrnScheme.encode`."""
        filter_text, company, reference, *tail = self._split(fields)
        partition = 12 - len(company)
        row = self._rows[partition] if 0 <= partition < len(COMPANY_PREFIXES) else None
        if row is None:
            raise IdentifierError("a company prefix has 6 to 12 digits", where=self.name)
        lead = (self.header << 3 | number(filter_text, 8)) << 3 | partition
        pair = padded(company, row.company_digits) << row.reference_bits | self._write_reference(reference, row)
        value = lead << self._partition_shift | pair << self._tail_bits | self._tail.write(tail)
        return (value << self._memory_bits - self.bits).to_bytes(self._memory_bits // 8, "big")

    def _value(self, epc: bytes) -> int:
        size = self._size
        if len(epc) != size:
            # readers hand over whole words, and some tags more of them than the scheme fills
            if len(epc) < size or any(epc[size:]):
                raise IdentifierError(f"{self.bits} bits stand here, then nothing but zeros", where=self.name)
            epc = epc[:size]
        value = int.from_bytes(epc, "big")
        spare = self._spare
        if not spare:
            return value
        if value & (1 << spare) - 1:
            raise IdentifierError(f"bits follow the {self.bits} bits of the scheme", where=self.name)
        return value >> spare

    def _split(self, fields: str) -> list[str]:
        wanted = 3 + self._tail.parts
        parts = fields.split(".", wanted - 1)
        if len(parts) != wanted:
            raise IdentifierError(f"a {self.name} tag URI has {wanted} dotted parts", where=self.name)
        return parts

    def _write_reference(self, text: str, row: _Row) -> int:
        digits = self._pair_digits - row.company_digits
        if self._is_text:
            return write_text(text, row.reference_bits, digits)
        if self._reference is Reference.INTEGER:
            return number(text, min(row.reference_limit, row.reference_mask + 1))
        return padded(text, digits)

    def _row(self, layout: Layout, company_digits: int, company_bits: int) -> _Row:
        reference_bits = layout.pair_bits - company_bits
        reference_digits = layout.pair_digits - company_digits
        shown = {
            # %.0s shows nothing of its argument: a key without room for a reference
            Reference.PADDED: f"%0{reference_digits}d" if reference_digits else "%.0s",
            Reference.INTEGER: "%d",
            Reference.TEXT: "%s",
        }[layout.reference]
        return _Row(
            company_mask=(1 << company_bits) - 1,
            company_limit=10**company_digits,
            reference_bits=reference_bits,
            reference_mask=(1 << reference_bits) - 1,
            reference_limit=1 << reference_bits if layout.reference is Reference.TEXT else 10**reference_digits,
            template=f"urn:epc:id:{layout.urn}:%0{company_digits}d.{shown}" + (".%d" if self._is_number else ""),
            company_digits=company_digits,
        )
