"""CPI-var, component or part with a reference of letters and digits (TDS 2.3, section 14.6).

8 bits  3       3          20–40           6 each          6     40
header  filter  partition  company prefix  part reference  zero  serial number
"""

from __future__ import annotations

from typing import Final

from trace_core.errors import IdentifierError
from trace_core.ids.epc.bits import BitReader, BitWriter
from trace_core.ids.epc.fields import number, padded
from trace_core.ids.epc.partitioned import COMPANY_PREFIXES
from trace_core.ids.epc.six_bit import read_terminated, write_terminated
from trace_core.ids.epc.tag import Epc

_LONGEST: Final = 30
"""Characters of company prefix and part reference together."""
_SERIAL_BITS: Final = 40
_SERIAL_LIMIT: Final = 10**12


class Component:
    """Codec of CPI-var."""

    name: Final = "cpi-var"
    header: Final = 0x3D

    def decode(self, epc: bytes) -> Epc:
        """See `Scheme.decode`."""
        reader = BitReader(epc)
        reader.take(8)
        filter_value, partition = reader.take(3), reader.take(3)
        if partition >= len(COMPANY_PREFIXES):
            raise IdentifierError("partition 7 does not exist", where=self.name)
        digits, bits = COMPANY_PREFIXES[partition]
        company = f"{reader.take(bits):0{digits}d}"
        reference = read_terminated(reader, _LONGEST - digits)
        serial = reader.take(_SERIAL_BITS)
        if len(company) > digits or not reference or serial >= _SERIAL_LIMIT:
            raise IdentifierError("a field has more digits than it may, or no characters", where=self.name)
        if reader.is_overrun or not reader.is_spent:
            raise IdentifierError("the identifier is cut, or bits follow it", where=self.name)
        return Epc(self.name, filter_value, f"urn:epc:id:cpi:{company}.{reference}.{serial}")

    def encode(self, fields: str) -> bytes:
        """See `UrnScheme.encode`."""
        parts = fields.split(".")
        if len(parts) != 4:
            raise IdentifierError("a cpi-var tag URI has 4 dotted parts", where=self.name)
        filter_text, company, reference, serial = parts
        partition = 12 - len(company)
        if not 0 <= partition < len(COMPANY_PREFIXES) or not reference:
            raise IdentifierError("a company prefix of 6 to 12 digits and a part reference stand here", where=self.name)
        digits, bits = COMPANY_PREFIXES[partition]
        writer = BitWriter()
        writer.put(self.header, 8)
        writer.put(number(filter_text, 8), 3)
        writer.put(partition, 3)
        writer.put(padded(company, digits), bits)
        write_terminated(writer, reference, _LONGEST - digits)
        writer.put(number(serial, _SERIAL_LIMIT), _SERIAL_BITS)
        return writer.memory()
