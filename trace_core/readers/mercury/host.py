"""The gateway's end: stop, identify, boot, configure, then continuous reading.

A module that streams sends tags, and about once a second a frame that says "nothing found": its heartbeat. Its time
is relative to the begin of a cycle and is not used. A module that was left streaming answers with tag frames, so the
stop comes first and what arrives before the module is identified is thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trace_core.readers._asking import AskingHost, Step
from trace_core.readers._base import BadBytes, HostOutput
from trace_core.readers._framing import Framer
from trace_core.readers._options import antennas, optional_choice, power_cdbm
from trace_core.readers.mercury.frames import (
    ALL_METADATA,
    GEN2,
    HEADER,
    REGIONS,
    Frame,
    Op,
    Response,
    Status,
    is_intact,
    measure_reply,
    read_streamed,
)

GAP_S = 0.05
STARTED_S = 1.0
"""Longest wait for the reply that accepts continuous reading."""
STOP = b"\x00\x00\x02"
SEARCH_FLAGS = 0x001B
CYCLE_MS = 1_000
BOOTLOADER = 1
LISTED = b"\x05"
"""Option of *get antennas*: every port, and whether something is connected to it."""
HARDWARE = {0x18: "M6e", 0x19: "M6e-i", 0x20: "M6e Micro", 0x30: "M6e Nano", 0x38: "M7e"}


@dataclass(frozen=True, slots=True)
class MercuryOptions:
    """Host options, checked. What is None stays as the module was left; no antennas: those the module has."""

    antennas: tuple[int, ...] | None = None
    region: int | None = None
    power_cdbm: int | None = None

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> MercuryOptions:
        """Raises `ConfigError`."""
        return cls(
            antennas=antennas(options, "antennas", 15),
            region=optional_choice(options, "region", REGIONS),
            power_cdbm=power_cdbm(options, "power_dbm", 33),
        )


class MercuryHost(AskingHost):
    """`HostSession` of one module."""

    def __init__(self, options: MercuryOptions) -> None:
        super().__init__(Framer(measure_reply, is_intact, HEADER), gap_s=GAP_S)
        self._options = options
        self._hardware = "module"

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> MercuryHost:
        return cls(MercuryOptions.parse(options))

    def set_output(self, number: int, now: float, *, high: bool) -> Sequence[HostOutput]:
        """Pins 1 to 4, op 96. While it reads continuously a module takes no command but the one that stops it."""
        self._switch(number, high=high)
        out: list[HostOutput] = []
        if self._polling:
            self._ask(now, out)
        return out

    def _output(self, number: int, *, high: bool) -> Sequence[Step]:
        stop = Step(Op.STREAM, Frame(Op.STREAM, STOP).to_bytes(), required=False)
        return [stop, _step(Op.SET_GPIO, bytes((number, high)))]

    def _steps(self) -> Sequence[Step]:
        options = self._options
        steps = [
            Step(Op.STREAM, Frame(Op.STREAM, STOP).to_bytes(), required=False),
            Step(Op.VERSION, Frame(Op.VERSION).to_bytes(), identifies=True),
            Step(Op.PROGRAM, Frame(Op.PROGRAM).to_bytes()),
        ]
        if options.region is not None:
            steps.append(_step(Op.SET_REGION, bytes((options.region,))))
        if options.power_cdbm is not None:
            steps.append(_step(Op.SET_POWER, options.power_cdbm.to_bytes(2, "big")))
        steps.append(_step(Op.SET_PROTOCOL, GEN2))
        if options.antennas is None:
            steps.append(_step(Op.GET_ANTENNAS, LISTED))
        else:
            steps.append(_listed(options.antennas))
        steps.append(_step(Op.CLEAR, b""))
        return steps

    def _inventory(self) -> tuple[bytes, float]:
        return Frame(Op.STREAM, start_stream(ALL_METADATA)).to_bytes(), STARTED_S

    def _frame(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        op, status, data = raw[2], raw[3] << 8 | raw[4], raw[5:-2]
        if op == Op.READ_MULTIPLE:
            self._streamed(raw, status, now, out)
        elif self._step is not None:
            if op == self._step.command:
                self._reply(op, status, data, now, out)
        elif op == Op.STREAM and self._polling:
            if status != Status.OK:
                self._fault(f"continuous reading refused with status {status:04X}", out)
                self._round_refused(now)
            else:
                self._due = math.inf

    def _streamed(self, raw: bytes, status: int, now: float, out: list[HostOutput]) -> None:
        data = raw[5:-2]
        if self._polling:
            self._due = math.inf
        if status == Status.NO_TAG or self._stale:
            return
        if status != Status.OK:
            words = {
                Status.TOO_HOT: "too hot, reading pauses",
                Status.RETURN_LOSS: "high return loss, check the antenna",
            }
            self._fault(words.get(Status(status), "") if status in words else f"reading: status {status:04X}", out)
            return
        kind = data[5] if len(data) > 5 else Response.TAG
        if kind == Response.END:
            self._round_over(now, out)
        elif kind == Response.TAG:
            read = read_streamed(data)
            if isinstance(read, str):
                out.append(BadBytes(read, raw))
            else:
                self._read(read, raw, out)

    def _reply(self, op: int, status: int, data: bytes, now: float, out: list[HostOutput]) -> None:
        extra: list[Step] = []
        if op == Op.VERSION:
            self._hardware = HARDWARE.get(data[4], f"hardware {data[4]:02X}") if len(data) > 4 else "module"
            firmware = ".".join(f"{byte:02X}" for byte in data[12:16])
            self._identified(f"ThingMagic {self._hardware}, firmware {firmware or '?'}", out)
        elif op == Op.PROGRAM and data and data[0] & 3 == BOOTLOADER:
            extra.append(Step(Op.BOOT, Frame(Op.BOOT).to_bytes()))
        elif op == Op.GET_ANTENNAS and status == Status.OK:
            extra.append(_listed(_connected(data)))
        elif status != Status.OK and not (op == Op.BOOT and status == Status.BAD_OPCODE) and op != Op.STREAM:
            self._fault(f"command {op:02X} refused with status {status:04X}", out)
        self._answered(now, out, extra=extra)


def start_stream(metadata: int) -> bytes:
    """Data of *continuous*: timeout, start, Gen2 and, with its length, the read command that is repeated."""
    read = bytes((Op.READ_MULTIPLE, 0x10)) + b"".join(n.to_bytes(2, "big") for n in (SEARCH_FLAGS, CYCLE_MS, metadata))
    return b"\x00\x00\x01\x22\x00\x00\x05" + bytes((len(read) - 1,)) + read


def _step(op: Op, data: bytes) -> Step:
    return Step(op, Frame(op, data).to_bytes())


def _listed(ports: tuple[int, ...]) -> Step:
    """Ports in the order in which they are read, each as transmitter and receiver."""
    return _step(Op.SET_ANTENNAS, b"\x02" + b"".join(bytes((port, port)) for port in ports))


def _connected(data: bytes) -> tuple[int, ...]:
    """Ports with an antenna; all of them from modules that cannot tell."""
    pairs = list(zip(data[1::2], data[2::2], strict=False))
    return tuple(port for port, there in pairs if there) or tuple(port for port, _ in pairs) or (1,)
