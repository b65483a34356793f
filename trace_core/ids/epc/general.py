"""GID-96, the general identifier: no GS1 key, no filter, no partition (TDS 2.3, section 14.6).

8 bits   28               24            36
header   general manager  object class  serial number
"""

from __future__ import annotations

from typing import Final

from trace_core.errors import IdentifierError
from trace_core.ids.epc.fields import number
from trace_core.ids.epc.tag import Epc

_SIZE: Final = 12


class General:
    """Codec of GID-96."""

    name: Final = "gid-96"
    header: Final = 0x35

    def decode(self, epc: bytes) -> Epc:
        """See `Scheme.decode`."""
        if len(epc) < _SIZE or any(epc[_SIZE:]):
            raise IdentifierError("96 bits stand here, then nothing but zeros", where=self.name)
        value = int.from_bytes(epc[:_SIZE], "big")
        body = f"{value >> 60 & 0xFFFFFFF}.{value >> 36 & 0xFFFFFF}.{value & 0xFFFFFFFFF}"
        return Epc(self.name, None, f"urn:epc:id:gid:{body}")

    def encode(self, fields: str) -> bytes:
        """See `UrnScheme.encode`."""
        parts = fields.split(".", 2)
        if len(parts) != 3:
            raise IdentifierError("a gid-96 tag URI has 3 dotted parts", where=self.name)
        manager, object_class, serial = parts
        value = self.header << 28 | number(manager, 1 << 28)
        value = value << 24 | number(object_class, 1 << 24)
        return (value << 36 | number(serial, 1 << 36)).to_bytes(_SIZE, "big")
