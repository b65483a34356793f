"""Tag reports: TagReportData (240) in RO_ACCESS_REPORT (61), read and written.

    EPC-96 (TV 13) or EPCData (TLV 241: bits u16, bytes) │ TV fields and TLVs in any order, most of them optional

Nearly all reports of one reader have the same fields in the same order, so the order is worked out once and kept
(`Layout`): the next report of that kind is one `struct` call and a comparison of its type bytes.
Source: LLRP 1.0.1 §13.2.3 and §16.2.7.3; tag CRC and PC word: Gen2 (ISO/IEC 18000-63) §6.3.2.1.2.
"""

from __future__ import annotations

import binascii
import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trace_core.errors import FrameError
from trace_core.readers._base import BadBytes, TagRead
from trace_core.readers.llrp.messages import HEADER
from trace_core.readers.llrp.parameters import TLV_HEADER, TV_BIT, TV_LENGTH, Tlv, Tv, parameters, tlv, tlv_end, tv

MAX_LAYOUTS = 256
"""Layouts kept; a reader uses one for each length of an EPC."""
MAX_EPC_BITS = 496
"""The PC word counts at most 31 words."""
WORD_BITS = 16
XPC_BIT = 0x0200
"""Of the PC word: one or two XPC words follow it."""
MAX_MICROSECONDS = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMATS = {1: "b", 2: "H", 4: "I", 8: "Q", 12: "12s"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field of one kind of TagReportData is. Indices into `shape.unpack`; 0: not there."""

    shape: struct.Struct
    types: Callable[[tuple[Any, ...]], object]
    """The type and length fields out of the unpacked values."""
    expected: object
    epc: int
    antenna: int
    rssi: int
    first_seen: int
    last_seen: int
    count: int
    pc: int
    crc: int
    xpc: bool


class ReportReader:
    """Reads the reports of one reader. A tag whose own CRC or length is wrong is no read."""

    def __init__(self, *, check_crc: bool = True) -> None:
        self._check_crc = check_crc
        self._layouts: dict[int, Layout] = {}
        self._crc_seen = False

    def read(self, raw: bytes) -> list[TagRead | BadBytes]:
        """One RO_ACCESS_REPORT → its tags. An empty report is legal.

        Raises `FrameError` when it cannot be read to its end, or no tag in it is right.
        """
        out: list[TagRead | BadBytes] = []
        position, end, good = HEADER, len(raw), 0
        while position < end:
            following = tlv_end(raw, position, end) if position + TLV_HEADER <= end else 0
            if not following:
                raise FrameError("a parameter's length does not fit the report", where=f"offset {position}")
            if raw[position + 1] == Tlv.TAG_REPORT_DATA and raw[position] == 0:
                item = self._tag(raw[position + TLV_HEADER : following])
                good += isinstance(item, TagRead)
                out.append(item)
            position = following
        if out and not good:
            raise FrameError("no tag in this report is right")
        return out

    def _tag(self, value: bytes) -> TagRead | BadBytes:
        layout = self._layouts.get(len(value))
        fields: tuple[Any, ...] = layout.shape.unpack(value) if layout is not None else ()
        if layout is None or layout.types(fields) != layout.expected:
            layout = _layout(value)
            if len(self._layouts) >= MAX_LAYOUTS:
                self._layouts.clear()
            self._layouts[len(value)] = layout
            fields = layout.shape.unpack(value)
        reason = self._fault(layout, fields)
        return BadBytes(reason, value) if reason else _read(layout, fields)

    def _fault(self, layout: Layout, fields: tuple[Any, ...]) -> str:
        """A stable word for what is wrong with the tag's own PC and CRC, or nothing."""
        if not self._check_crc:
            return ""
        if not layout.crc or not layout.pc:
            # This reader sends the tag's CRC: a report without it has lost it on the way.
            return "no_tag_crc" if self._crc_seen else ""
        epc, pc = fields[layout.epc], fields[layout.pc]
        if 2 * (pc >> 11) != len(epc):
            return "pc_length"
        if pc & XPC_BIT or layout.xpc:
            return ""  # readers differ in which XPC words they leave out, so the CRC cannot be worked out
        if tag_crc(pc, epc) != fields[layout.crc]:
            return "tag_crc"
        self._crc_seen = True
        return ""


def tag_crc(pc: int, epc: bytes) -> int:
    """CRC-16/GENIBUS over PC and EPC, as the tag keeps it."""
    return binascii.crc_hqx(epc, binascii.crc_hqx(pc.to_bytes(2, "big"), 0xFFFF)) ^ 0xFFFF


def _read(layout: Layout, fields: tuple[Any, ...]) -> TagRead:
    seen = fields[layout.last_seen or layout.first_seen] if layout.last_seen or layout.first_seen else 0
    return TagRead(
        fields[layout.epc],
        (fields[layout.antenna] or None) if layout.antenna else None,
        float(fields[layout.rssi]) if layout.rssi else None,
        None,
        _EPOCH + timedelta(microseconds=seen) if 0 < seen <= MAX_MICROSECONDS else None,
        (fields[layout.count] or 1) if layout.count else 1,
    )


def _layout(value: bytes) -> Layout:
    """Raises `FrameError` when the fields cannot be read to the end, an EPC is missing, or one comes twice."""
    form, marks = [">"], list[int]()
    expected: list[int] = []
    at: dict[int, int] = {}
    index = 0
    for kind, content in parameters(value):
        if kind in at and (kind < TV_BIT or kind == Tlv.EPC_DATA):
            raise FrameError(f"parameter {kind} comes twice in a tag report")
        if kind < TV_BIT:
            heads, piece = [TV_BIT | kind], "B" + _FORMATS[TV_LENGTH[kind]]
        elif kind == Tlv.EPC_DATA:
            heads = [kind, TLV_HEADER + len(content), _epc_bits(content)]
            piece = f"HHH{len(content) - 2}s"
        else:
            heads, piece = [kind, TLV_HEADER + len(content)], f"HH{len(content)}s"
        form.append(piece)
        marks += range(index, index + len(heads))
        expected += heads
        at[kind] = index + len(heads)
        index += len(heads) + 1
    if (Tv.EPC_96 in at) == (Tlv.EPC_DATA in at):
        raise FrameError("a tag report has one EPC")
    return _indexed("".join(form), marks, expected, at)


def _epc_bits(content: bytes) -> int:
    bits = content[0] << 8 | content[1] if len(content) > 2 else 0
    if not bits or bits % WORD_BITS or bits > MAX_EPC_BITS or bits != 8 * (len(content) - 2):
        raise FrameError(f"an EPC of {bits} bits in {len(content)} bytes")
    return bits


def _indexed(form: str, marks: list[int], expected: list[int], at: dict[int, int]) -> Layout:
    # With one mark `itemgetter` gives the value itself instead of a tuple of one.
    single = len(marks) == 1
    return Layout(
        shape=struct.Struct(form),
        types=operator.itemgetter(*marks),
        expected=expected[0] if single else tuple(expected),
        epc=at.get(Tv.EPC_96) or at[Tlv.EPC_DATA],
        antenna=at.get(Tv.ANTENNA_ID, 0),
        rssi=at.get(Tv.PEAK_RSSI, 0),
        first_seen=at.get(Tv.FIRST_SEEN_UTC, 0),
        last_seen=at.get(Tv.LAST_SEEN_UTC, 0),
        count=at.get(Tv.SEEN_COUNT, 0),
        pc=at.get(Tv.C1G2_PC, 0),
        crc=at.get(Tv.C1G2_CRC, 0),
        xpc=Tv.C1G2_XPC_W1 in at,
    )


@dataclass(frozen=True, slots=True)
class TagSighting:
    """What a reader knows of one tag at one antenna when it reports it. Times are microseconds UTC."""

    epc: bytes
    antenna: int
    rssi_dbm: int
    first_us: int
    last_us: int
    count: int
    rospec: int
    spec_index: int
    inventory_spec: int
    channel: int

    def to_bytes(self, selector: int, memory: int) -> bytes:
        """TagReportData with the fields that `selector` (238) and `memory` (348) ask for, in the standard's order."""
        pc = len(self.epc) // 2 << 11
        optional = (
            (0x8000, Tv.ROSPEC_ID, self.rospec),
            (0x4000, Tv.SPEC_INDEX, self.spec_index),
            (0x2000, Tv.INVENTORY_SPEC_ID, self.inventory_spec),
            (0x1000, Tv.ANTENNA_ID, self.antenna),
            (0x0400, Tv.PEAK_RSSI, max(-128, min(127, self.rssi_dbm))),
            (0x0800, Tv.CHANNEL_INDEX, self.channel),
            (0x0200, Tv.FIRST_SEEN_UTC, self.first_us),
            (0x0100, Tv.LAST_SEEN_UTC, self.last_us),
            (0x0080, Tv.SEEN_COUNT, min(0xFFFF, self.count)),
        )
        parts = [tv(kind, value) for bit, kind, value in optional if selector & bit]
        if selector & 0x0040:
            parts.append(tv(Tv.ACCESS_SPEC_ID, 0))
        if memory & 0x40:
            parts.append(tv(Tv.C1G2_PC, pc))
        if memory & 0x80:
            parts.append(tv(Tv.C1G2_CRC, tag_crc(pc, self.epc)))
        return tlv(Tlv.TAG_REPORT_DATA, epc_parameter(self.epc), *parts)


def epc_parameter(epc: bytes) -> bytes:
    """EPC-96 for 96 bits, EPCData for any other length."""
    if len(epc) == TV_LENGTH[Tv.EPC_96]:
        return tv(Tv.EPC_96, epc)
    return tlv(Tlv.EPC_DATA, (8 * len(epc)).to_bytes(2, "big"), epc)
