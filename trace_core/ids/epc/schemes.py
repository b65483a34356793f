"""The schemes that we know, one row each. A new classic scheme is a row; a new kind is a module and a row.

Source: GS1 Tag Data Standard 2.3, sections 14.2 (headers) and 14.6. Departure: the serial number of the withdrawn
GDTI-113 is a string of digits, as in the standard and as its 58 bits are made for; GS1's machine-readable
definition takes it as a number, which would lose leading zeros.
"""

from __future__ import annotations

from typing import Final

from trace_core.ids.epc.components import Component
from trace_core.ids.epc.fields import Integer, Nothing, NumericString, Pieces, Text
from trace_core.ids.epc.general import General
from trace_core.ids.epc.partitioned import Layout, Partitioned, Reference
from trace_core.ids.epc.plus import PLUS_SCHEMES
from trace_core.ids.epc.suppliers import Aerospace, Defense
from trace_core.ids.epc.tag import Scheme, UrnScheme

_PADDED, _INTEGER, _TEXT = Reference.PADDED, Reference.INTEGER, Reference.TEXT

LAYOUTS: Final = (
    #      scheme       header URN      bits digits of prefix + reference, what follows
    Layout("gdti-96", 0x2C, "gdti", 41, 12, _PADDED, Integer(41)),
    Layout("gsrn-96", 0x2D, "gsrn", 58, 17, _PADDED, Nothing(24)),
    Layout("gsrnp-96", 0x2E, "gsrnp", 58, 17, _PADDED, Nothing(24)),
    Layout("sgtin-96", 0x30, "sgtin", 44, 13, _PADDED, Integer(38)),
    Layout("sscc-96", 0x31, "sscc", 58, 17, _PADDED, Nothing(24)),
    Layout("sgln-96", 0x32, "sgln", 41, 12, _PADDED, Integer(41)),
    Layout("grai-96", 0x33, "grai", 44, 12, _PADDED, Integer(38)),
    Layout("giai-96", 0x34, "giai", 82, 30, _INTEGER, Nothing(0)),
    Layout("sgtin-198", 0x36, "sgtin", 44, 13, _PADDED, Text(140)),
    Layout("grai-170", 0x37, "grai", 44, 12, _PADDED, Text(112)),
    Layout("giai-202", 0x38, "giai", 188, 30, _TEXT, Nothing(0)),
    Layout("sgln-195", 0x39, "sgln", 41, 12, _PADDED, Text(140)),
    Layout("gdti-113", 0x3A, "gdti", 41, 12, _PADDED, NumericString(58, 17)),
    Layout("cpi-96", 0x3C, "cpi", 51, 15, _INTEGER, Integer(31)),
    Layout("gdti-174", 0x3E, "gdti", 41, 12, _PADDED, Text(119)),
    Layout("sgcn-96", 0x3F, "sgcn", 41, 12, _PADDED, NumericString(41, 12)),
    Layout("itip-110", 0x40, "itip", 44, 13, _PADDED, Pieces(Integer(38))),
    Layout("itip-212", 0x41, "itip", 44, 13, _PADDED, Pieces(Text(140))),
)

URN_SCHEMES: Final[tuple[UrnScheme, ...]] = (
    *(Partitioned(layout) for layout in LAYOUTS),
    General(),
    Component(),
    Aerospace(),
    Defense(),
)
SCHEMES: Final[tuple[Scheme, ...]] = (*URN_SCHEMES, *PLUS_SCHEMES)
