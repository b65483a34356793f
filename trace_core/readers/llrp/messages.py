"""LLRP messages and how they are found in a byte stream. A message ends where its length says.

    offset  0                                  2            6           10
            0 0 0 │ version, 3 │ type, 10 bits  length u32   id u32      fixed fields, parameters

The length counts the whole message; a response repeats the id of its request. Version 1 is LLRP 1.0.1, 2 is 1.1.

LLRP has no checksum and no start mark: TCP is trusted for both. A reader that restarts, a serial converter or a
hostile peer breaks that trust, so a message is taken only when its parameters fill it exactly, and this is looked
at while it is still arriving: a length that lies is found at the next header, not after the bytes it promised.
Source: LLRP 1.0.1 §16.1, LLRP 1.1 §17.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from trace_core.errors import FrameError
from trace_core.readers._base import BadBytes
from trace_core.readers.llrp.parameters import TLV_HEADER, Tlv, tlv_end

HEADER = 10
VERSION_1_0_1 = 1
VERSION_1_1 = 2
ALL_SPECS = 0
"""As an id in messages 21–25 and 41–43: every one."""
RESPONSE = 10
"""A response's type is its request's plus ten; CLOSE_CONNECTION (14, answered by 4) is the exception."""

MAX_MESSAGE = 48 * 1_024
"""Bytes: some 700 tags in one report, or the capabilities of a reader with every table; longer is not waited for."""
MAX_BAD = 1_024
"""Bytes of one `BadBytes`."""
IDLE_GAP_S = 0.15
"""After this much silence a half message is suspected: see `Scanner.flush`."""


class MessageType(IntEnum):
    GET_READER_CAPABILITIES = 1
    GET_READER_CONFIG = 2
    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    GET_READER_CAPABILITIES_RESPONSE = 11
    GET_READER_CONFIG_RESPONSE = 12
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    STOP_ROSPEC = 23
    ENABLE_ROSPEC = 24
    DISABLE_ROSPEC = 25
    GET_ROSPECS = 26
    ADD_ROSPEC_RESPONSE = 30
    DELETE_ROSPEC_RESPONSE = 31
    START_ROSPEC_RESPONSE = 32
    STOP_ROSPEC_RESPONSE = 33
    ENABLE_ROSPEC_RESPONSE = 34
    DISABLE_ROSPEC_RESPONSE = 35
    GET_ROSPECS_RESPONSE = 36
    ADD_ACCESSSPEC = 40
    DELETE_ACCESSSPEC = 41
    ENABLE_ACCESSSPEC = 42
    DISABLE_ACCESSSPEC = 43
    GET_ACCESSSPECS = 44
    CLIENT_REQUEST_OP = 45
    GET_SUPPORTED_VERSION = 46
    SET_PROTOCOL_VERSION = 47
    ADD_ACCESSSPEC_RESPONSE = 50
    DELETE_ACCESSSPEC_RESPONSE = 51
    ENABLE_ACCESSSPEC_RESPONSE = 52
    DISABLE_ACCESSSPEC_RESPONSE = 53
    GET_ACCESSSPECS_RESPONSE = 54
    GET_SUPPORTED_VERSION_RESPONSE = 56
    SET_PROTOCOL_VERSION_RESPONSE = 57
    GET_REPORT = 60
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    ENABLE_EVENTS_AND_REPORTS = 64
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100
    CUSTOM_MESSAGE = 1023


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message; `body` is what follows the header."""

    kind: int
    id: int
    body: bytes = b""
    version: int = VERSION_1_0_1

    def to_bytes(self) -> bytes:
        head = (self.version << 10 | self.kind).to_bytes(2, "big")
        return head + (HEADER + len(self.body)).to_bytes(4, "big") + self.id.to_bytes(4, "big") + self.body

    @classmethod
    def from_bytes(cls, raw: bytes) -> Message:
        """`raw` is one whole message as `Scanner` cuts it."""
        word = raw[0] << 8 | raw[1]
        return cls(word & 0x3FF, int.from_bytes(raw[6:10], "big"), raw[HEADER:], word >> 10)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a message of one type looks like from outside."""

    fixed: int = 0
    """Bytes of fixed fields before the parameters."""
    first: frozenset[int] = frozenset()
    """Types that its first parameter can have; empty: any."""
    parameters: bool = True
    """False: nothing follows the fixed fields."""
    limit: int = MAX_MESSAGE
    opaque: bool = False
    """True: what follows the fixed fields need not be parameters."""


_STATUS = Shape(first=frozenset({Tlv.LLRP_STATUS}))
_ID = Shape(fixed=4, parameters=False)
_EMPTY = Shape(parameters=False)
_CUSTOM = Shape(fixed=5, limit=4_096, opaque=True)
"""Vendor u32, subtype u8."""
_T = MessageType

TO_HOST: Mapping[int, Shape] = {
    _T.CLOSE_CONNECTION_RESPONSE: _STATUS,
    **dict.fromkeys(range(_T.GET_READER_CAPABILITIES_RESPONSE, _T.SET_READER_CONFIG_RESPONSE + 1), _STATUS),
    **dict.fromkeys(range(_T.ADD_ROSPEC_RESPONSE, _T.GET_ROSPECS_RESPONSE + 1), _STATUS),
    **dict.fromkeys(range(_T.ADD_ACCESSSPEC_RESPONSE, _T.GET_ACCESSSPECS_RESPONSE + 1), _STATUS),
    _T.CLIENT_REQUEST_OP: Shape(first=frozenset({Tlv.TAG_REPORT_DATA})),
    _T.GET_SUPPORTED_VERSION_RESPONSE: Shape(fixed=2, first=frozenset({Tlv.LLRP_STATUS})),
    _T.SET_PROTOCOL_VERSION_RESPONSE: _STATUS,
    _T.RO_ACCESS_REPORT: Shape(first=frozenset({Tlv.TAG_REPORT_DATA, Tlv.RF_SURVEY_REPORT, Tlv.CUSTOM})),
    _T.KEEPALIVE: _EMPTY,
    _T.READER_EVENT_NOTIFICATION: Shape(first=frozenset({Tlv.READER_EVENT_DATA})),
    _T.ERROR_MESSAGE: _STATUS,
    _T.CUSTOM_MESSAGE: _CUSTOM,
}
"""Messages that a reader sends."""

TO_DEVICE: Mapping[int, Shape] = {
    _T.GET_READER_CAPABILITIES: Shape(fixed=1),
    _T.GET_READER_CONFIG: Shape(fixed=7),
    _T.SET_READER_CONFIG: Shape(fixed=1),
    _T.CLOSE_CONNECTION: _EMPTY,
    _T.ADD_ROSPEC: Shape(first=frozenset({Tlv.ROSPEC})),
    **dict.fromkeys(range(_T.DELETE_ROSPEC, _T.DISABLE_ROSPEC + 1), _ID),
    _T.GET_ROSPECS: _EMPTY,
    _T.ADD_ACCESSSPEC: Shape(),
    **dict.fromkeys(range(_T.DELETE_ACCESSSPEC, _T.DISABLE_ACCESSSPEC + 1), _ID),
    _T.GET_ACCESSSPECS: _EMPTY,
    _T.GET_SUPPORTED_VERSION: _EMPTY,
    _T.SET_PROTOCOL_VERSION: Shape(fixed=1, parameters=False),
    _T.GET_REPORT: _EMPTY,
    _T.ENABLE_EVENTS_AND_REPORTS: _EMPTY,
    _T.KEEPALIVE_ACK: _EMPTY,
    _T.CUSTOM_MESSAGE: _CUSTOM,
}
"""Messages that a client sends; a reader answers any other type with an error, so it must be cut out too."""
UNKNOWN = Shape(limit=4_096, opaque=True)

_MAY_BEGIN = re.compile(rb"[\x04-\x0b]")
"""First byte of a message: three zero bits, version 1 or 2, two bits of the type."""


T = TypeVar("T")


class Scanner(Generic[T]):
    """Cuts a byte stream into whole messages and bad bytes. Splitting the stream elsewhere changes nothing."""

    def __init__(
        self, shapes: Mapping[int, Shape], decode: Callable[[bytes], T], *, unknown: Shape | None = None
    ) -> None:
        """`decode` makes something of one whole message or raises `FrameError`: then there was none.

        `unknown` is the shape of types that are not in `shapes`; None: they are no messages.
        """
        self._shapes = shapes
        self._decode = decode
        self._unknown = unknown
        self._pending = b""
        self._walked = 0
        """Offset in `_pending` up to which the parameters of its first message were found to be good."""

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete."""
        return len(self._pending)

    def feed(self, data: bytes) -> list[T | BadBytes]:
        """Bytes in any portions → whole messages and what was none, in order."""
        buffer = self._pending + data if self._pending else data
        position, walked = 0, self._walked
        out: list[T | BadBytes] = []
        while position < len(buffer):
            end, walked = self._at(buffer, position, walked)
            if end is None:
                break
            position = self._cut(buffer, position, end, out)
            walked = 0
        self._pending, self._walked = buffer[position:], max(0, walked - position)
        return out

    def flush(self) -> list[T | BadBytes]:
        """Nothing came for a while. When whole messages stand behind the half one, its length lied: give it up.

        A message that is merely late (TCP repeats lost segments after 200 ms and more) has none behind it and is
        kept: its rest will come, or the connection will end.
        """
        held = self._pending
        position = _next_start(held, 1)
        while position < len(held):
            end, _ = self._at(held, position, 0)
            if end and self._is_whole(held[position:end]):
                self._pending, self._walked = b"", 0
                out: list[T | BadBytes] = []
                _add_bad(out, "broken_message", held[:position])
                return out + self.feed(held[position:])
            position = _next_start(held, position + 1)
        return []

    def _cut(self, buffer: bytes, position: int, end: int, out: list[T | BadBytes]) -> int:
        """Take the message up to `end`, or drop at least one byte; the new position."""
        if end:
            try:
                out.append(self._decode(buffer[position:end]))
            except FrameError:
                end = 0  # reported as bad bytes below
        return end or _skip(buffer, position, out)

    def _is_whole(self, raw: bytes) -> bool:
        try:
            self._decode(raw)
        except FrameError:
            return False
        return True

    def _at(self, data: bytes, position: int, walked: int) -> tuple[int | None, int]:
        """(end of the message at `position`, or 0: none begins here, or None: more bytes are needed, walked)."""
        have = len(data)
        if not 0x04 <= data[position] <= 0x0B:
            return 0, 0
        if have - position < 6:
            return (None, 0) if _early(data, position) else (0, 0)
        kind = (data[position] << 8 | data[position + 1]) & 0x3FF
        shape = self._shapes.get(kind, self._unknown)
        length = int.from_bytes(data[position + 2 : position + 6], "big")
        if shape is None or not HEADER + shape.fixed <= length <= shape.limit:
            return 0, 0
        end = position + length
        if not shape.parameters and length != HEADER + shape.fixed:
            return 0, 0
        if shape.parameters and not shape.opaque:
            walked = _walk(data, walked or position + HEADER + shape.fixed, end, shape, walked == 0)
            if not walked:
                return 0, 0
        return (end if end <= have else None), walked


def _early(data: bytes, position: int) -> bool:
    """Whether a length field that is still arriving can be one; its first byte is always 0."""
    return len(data) - position < 3 or data[position + 2] == 0


def _walk(data: bytes, position: int, end: int, shape: Shape, at_first: bool) -> int:
    """Step over parameters as far as their headers are there: the offset reached, 0 when one cannot be right."""
    have = min(end, len(data))
    while position + TLV_HEADER <= have:
        if at_first and shape.first and (data[position] << 8 | data[position + 1]) not in shape.first:
            return 0
        at_first = False
        position = tlv_end(data, position, end)
        if not position:
            return 0
    if position < have and data[position] > 0x03:
        return 0
    return 0 if end - position in (1, 2, 3) else position


def _next_start(data: bytes, position: int) -> int:
    found = _MAY_BEGIN.search(data, position)
    return found.start() if found else len(data)


def _skip(buffer: bytes, position: int, out: list[T | BadBytes]) -> int:
    """Drop at least one byte, up to the next that can begin a message; the new position."""
    following = _next_start(buffer, position + 1)
    reason = "broken_message" if 0x04 <= buffer[position] <= 0x0B else "noise"
    _add_bad(out, reason, buffer[position:following])
    return following


def _add_bad(out: list[T | BadBytes], reason: str, data: bytes) -> None:
    """Join neighbouring bad bytes, so that one damaged message is reported once."""
    if out:
        last = out[-1]
        if isinstance(last, BadBytes) and len(last.data) + len(data) <= MAX_BAD:
            out[-1] = BadBytes(last.reason, last.data + data)
            return
    out += [BadBytes(reason, data[i : i + MAX_BAD]) for i in range(0, len(data), MAX_BAD)]
