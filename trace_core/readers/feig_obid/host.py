"""The gateway's end: identify, then inventory and RF reset in turn, for ever.

A tag that was read stays quiet until it leaves the field or the field is switched off for a moment, so a tag that
stays is seen again only after an RF reset. A reply may say that more tags follow; they are asked for first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trace_core.readers._asking import AskingHost, Step
from trace_core.readers._base import BadBytes, HostOutput
from trace_core.readers._framing import Belief, Framer
from trace_core.readers._options import number
from trace_core.readers.feig_obid.frames import (
    ANYONE,
    LONG,
    LONG_EXTRA,
    Control,
    Frame,
    Iso,
    Status,
    is_intact,
    looks_like_tags,
    measure_reply,
    read_inventory,
)

GAP_S = 0.05
SIGHTINGS = 2
"""A 16-bit check alone protects the UID: on a line that breaks frames a new tag must come twice."""
INVENTORY_S = 0.8
"""Longest inventory that is waited for: 24 tags answer within 0.5 s, and take 66 ms on the line at 38,400 baud."""
RESET_S = 0.3
NEW, NEXT = 0x00, 0x80
"""Modes of an inventory: a new one, the tags that did not fit into the last reply."""


@dataclass(frozen=True, slots=True)
class FeigOptions:
    """Host options, checked."""

    address: int = ANYONE

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> FeigOptions:
        """Raises `ConfigError`."""
        return cls(address=number(options, "address", ANYONE, range(256)))


class FeigHost(AskingHost):
    """`HostSession` of one reader."""

    def __init__(self, options: FeigOptions) -> None:
        framer = Framer(measure_reply, is_intact, looks_begun=looks_like_tags)
        super().__init__(framer, gap_s=GAP_S, belief=Belief(SIGHTINGS))
        self._options = options
        self._resetting = False
        self._mode = NEW

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> FeigHost:
        return cls(FeigOptions.parse(options))

    def _steps(self) -> Sequence[Step]:
        self._resetting, self._mode = False, NEW
        return [
            Step(Control.VERSION, self._bytes(Control.VERSION), identifies=True),
            Step(Control.RF_RESET, self._bytes(Control.RF_RESET)),
        ]

    def _inventory(self) -> tuple[bytes, float]:
        """What a lost inventory found is quiet now, so a reset comes before the next try."""
        if self._asked and not self._resetting:
            self._resetting, self._mode = True, NEW
        if self._resetting:
            return self._bytes(Control.RF_RESET), RESET_S
        return self._bytes(Control.ISO, bytes((Iso.INVENTORY, self._mode))), INVENTORY_S

    def _bytes(self, control: Control, data: bytes = b"") -> bytes:
        return Frame(self._options.address, control, data).to_bytes()

    def _frame(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        start = 1 + LONG_EXTRA if raw[0] == LONG else 1
        if self._options.address not in (ANYONE, raw[start]):
            return  # another reader on the same line
        control, status, data = raw[start + 1], raw[start + 2], raw[start + 3 : -2]
        if control == Control.ISO:
            self._of_inventory(raw, status, data, now, out)
        elif self._step is not None:
            if control == self._step.command:
                self._reply(raw[start], control, status, data, now, out)
        elif control == Control.RF_RESET and self._resetting:
            if status != Status.OK:
                self._fault(f"RF reset: status {status:02X}", out)
            self._go_on(now, out, resetting=False)

    def _reply(self, address: int, control: int, status: int, data: bytes, now: float, out: list[HostOutput]) -> None:
        if control == Control.VERSION and status == Status.OK and len(data) >= 5:
            kind = f"software {data[0]}.{data[1]}, hardware type {data[3]:02X}, type {data[4]:02X}"
            self._identified(f"OBID i-scan {kind}, address {address:02X}", out)
        elif status != Status.OK:
            self._fault(f"command {control:02X} refused with status {status:02X}", out)
        self._answered(now, out)

    def _of_inventory(self, raw: bytes, status: int, data: bytes, now: float, out: list[HostOutput]) -> None:
        if status in (Status.OK, Status.MORE_DATA):
            reads = read_inventory(data)
            if isinstance(reads, str):
                out.append(BadBytes(reads, raw))
            else:
                for read in reads:
                    self._read(read, raw, out)
        elif status != Status.NO_TAG:
            detail = f", ISO error {data[:1].hex().upper()}" if status == Status.ISO_ERROR and data else ""
            self._fault(f"inventory: status {status:02X}{detail}", out)
            self._resetting = True
            self._round_refused(now)
            return
        if not self._polling or self._resetting:
            return
        if status == Status.MORE_DATA:
            self._mode = NEXT
            self._go_on(now, out, resetting=False)
        else:
            self._mode = NEW
            self._go_on(now, out, resetting=True)

    def _go_on(self, now: float, out: list[HostOutput], *, resetting: bool) -> None:
        self._resetting = resetting
        self._asked = False
        self._ask(now, out)
