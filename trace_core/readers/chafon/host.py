"""The gateway's end: identify, stop what runs, configure, then one inventory after the other, antenna by antenna.

Strict request and reply: the reader ignores what comes while it is busy. An inventory ends with status 01 or 02, or
FB where nothing was read; soon after the scan time it counts as lost and is asked for again. What a free-running reader
pushes (EE) is read as well. The reader's RSSI has no documented unit, so a read has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trace_core.readers._asking import AskingHost, Step
from trace_core.readers._base import BadBytes, HostOutput, TagRead
from trace_core.readers._framing import Belief, Framer
from trace_core.readers._options import antennas, choice, number, optional_number
from trace_core.readers.chafon.frames import (
    ANYONE,
    BANDS,
    Band,
    Command,
    Frame,
    Status,
    band_bytes,
    is_intact,
    looks_like_tags,
    measure_reply,
    read_r18,
    read_r288,
)

GAP_S = 0.15
SIGHTINGS = 2
"""A 16-bit check alone protects the EPC: on a line that breaks frames a new tag must come twice."""
LOST_S = 0.2
"""Beyond the scan time. Early is harmless: a reader that is still busy ignores the command."""
R288_INFO = 12
"""Bytes of info data that only the R288 family sends: an antenna mask and more follow the first eight."""


class Model(StrEnum):
    AUTO = "auto"
    """Told by the reply to *reader info*."""
    R18 = "R18"
    R288 = "R288"


MODELS = {model.value: model for model in Model}


@dataclass(frozen=True, slots=True)
class ChafonOptions:
    """Host options, checked. What is None stays as the reader was left."""

    model: Model = Model.AUTO
    address: int = ANYONE
    antennas: tuple[int, ...] = (1, 2, 3, 4)
    band: Band | None = None
    power_dbm: int | None = None
    scan_time: int = 3
    """In steps of 100 ms."""
    session: int = 0
    q: int = 4

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> ChafonOptions:
        """Raises `ConfigError`."""
        band = choice(options, "band", "", BANDS) if options.get("band") is not None else None
        return cls(
            model=MODELS[choice(options, "model", Model.AUTO.value, MODELS)],
            address=number(options, "address", ANYONE, range(256)),
            antennas=antennas(options, "antennas", 4) or (1, 2, 3, 4),
            band=BANDS[band] if band else None,
            power_dbm=optional_number(options, "power_dbm", range(34)),
            scan_time=number(options, "scan_time", 3, range(3, 256)),
            session=number(options, "session", 0, range(4)),
            q=number(options, "q", 4, range(16)),
        )


class ChafonHost(AskingHost):
    """`HostSession` of one reader."""

    def __init__(self, options: ChafonOptions) -> None:
        framer = Framer(measure_reply, is_intact, looks_begun=looks_like_tags)
        super().__init__(framer, gap_s=GAP_S, belief=Belief(SIGHTINGS))
        self._options = options
        self._model = options.model
        self._at = -1

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> ChafonHost:
        return cls(ChafonOptions.parse(options))

    def _steps(self) -> Sequence[Step]:
        """*Stop* first: a reader that runs a long inventory would not hear *reader info*."""
        options = self._options
        self._model = options.model
        steps = [Step(Command.INFO, self._bytes(Command.INFO), identifies=True)]
        if options.model is not Model.R18:
            steps.insert(0, Step(Command.STOP, self._bytes(Command.STOP), required=False))
        if options.band is not None:
            steps.append(Step(Command.FREQUENCY, self._bytes(Command.FREQUENCY, band_bytes(options.band))))
        if options.power_dbm is not None:
            steps.append(Step(Command.POWER, self._bytes(Command.POWER, bytes((options.power_dbm,)))))
        steps.append(Step(Command.SCAN_TIME, self._bytes(Command.SCAN_TIME, bytes((options.scan_time,)))))
        return steps

    def _inventory(self) -> tuple[bytes, float]:
        options = self._options
        lasts_s = options.scan_time / 10 + LOST_S
        if self._model is Model.R18:
            return self._bytes(Command.INVENTORY), lasts_s
        self._at = (self._at + 1) % len(options.antennas)
        antenna = 0x80 | options.antennas[self._at] - 1
        data = bytes((options.q, options.session, 0, antenna, options.scan_time))
        return self._bytes(Command.INVENTORY, data), lasts_s

    def _bytes(self, command: Command, data: bytes = b"") -> bytes:
        return Frame(self._options.address, command, data).to_bytes()

    def _frame(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        if self._options.address not in (ANYONE, raw[1]):
            return  # another reader on the same line
        command, status = raw[2], raw[3]
        if command == Command.PUSHED:
            self._pushed(raw, out)
        elif command in (Command.INVENTORY, Command.SINGLE):
            self._of_inventory(raw, now, out)
        elif self._step is not None and command == self._step.command:
            if command == Command.INFO:
                self._info(raw, out)
            elif status != Status.OK and self._step.required:
                self._fault(f"command {command:02X} refused with status {status:02X}", out)
            self._answered(now, out)

    def _info(self, raw: bytes, out: list[HostOutput]) -> None:
        """Version, type, protocols, frequency bytes, power, scan time."""
        data = raw[4:-2]
        if self._model is Model.AUTO:
            self._model = Model.R288 if len(data) >= R288_INFO else Model.R18
        version = f"{data[0]}.{data[1]}" if len(data) > 1 else "?"
        kind = f"{data[2]:02X}" if len(data) > 2 else "?"
        self._identified(f"{self._model} type {kind}, version {version}, address {raw[1]:02X}", out)

    def _of_inventory(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        status = raw[3]
        if status in (Status.FINISHED, Status.TIMEOUT, Status.MORE_FOLLOW, Status.BUFFER_FULL):
            self._tags(raw, out)
        elif status not in (Status.NO_TAG, Status.STATISTICS, Status.OK):
            self._fault(f"inventory status {status:02X}", out)
            if status != Status.ANTENNA_FAULT:
                self._round_refused(now)
                return
        if status not in (Status.MORE_FOLLOW, Status.STATISTICS):
            self._round_over(now, out)

    def _tags(self, raw: bytes, out: list[HostOutput]) -> None:
        data = raw[4:-2]
        layouts = {Model.R18: (read_r18,), Model.R288: (read_r288,), Model.AUTO: (read_r288, read_r18)}
        for layout in layouts[self._model]:
            reads = layout(data)
            if reads is not None:
                self._give(reads, raw, out)
                return
        out.append(BadBytes("records", raw))

    def _pushed(self, raw: bytes, out: list[HostOutput]) -> None:
        """Antenna, length, EPC, RSSI of an R288; the bare EPC of an R18; status 28 is a heartbeat."""
        data = raw[4:-2]
        if raw[3] == Status.HEARTBEAT:
            return
        reads = read_r288(data[:1] + b"\1" + data[1:]) if self._model is not Model.R18 else None
        if reads is None and self._model is not Model.R288 and len(data) % 2 == 0 and 0 < len(data) <= 62:
            reads = [TagRead(data)]
        if raw[3] != Status.OK or not reads:
            out.append(BadBytes("pushed", raw))
        else:
            self._give(reads, raw, out)

    def _give(self, reads: Sequence[TagRead], raw: bytes, out: list[HostOutput]) -> None:
        for read in reads:
            self._read(read, raw, out)
