"""Serial ports by name, by identity of the adapter, or by the socket that it is plugged into:

`serial:///dev/ttyUSB0?baud=115200`, `serial:?usb=1a86:7523[:serial number]`, `serial:?socket=1-1.2` (USB bus and
hub ports, as `lsusb -t` counts them). With the last two the name of the port does not matter: it changes whenever
the adapter is pulled and plugged in. Several speeds, `baud=115200,57600`, are tried in turn. `parity=even` and
`stopbits=2` stand in for the protocol's own line settings.
"""

from __future__ import annotations

import os
import select
import termios
import time
from dataclasses import dataclass

import serial

from gateway_agent.transports._base import MAX_CHUNK_BYTES, Delivery, LinkDown, wait_for
from trace_core.readers._base import LineSettings

WRITE_TIMEOUT_S = 1.0

# pyserial lets OSError and termios.error through on a port that went away, as well as its own exception.
_GONE = (serial.SerialException, OSError, termios.error)


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """Where the port is: a device path, or a USB identity `vid:pid[:serial]`, or a USB socket; one of the three."""

    path: str
    usb: str
    line: LineSettings
    socket: str = ""
    more_speeds: tuple[int, ...] = ()
    """Further line speeds to try."""


class SerialTransport:
    """A serial port through pyserial."""

    def __init__(self, address: SerialAddress) -> None:
        self._address = address
        self._port: serial.Serial | None = None
        self._speeds = (address.line.baud, *address.more_speeds)

    @property
    def alternatives(self) -> int:
        return len(self._speeds)

    @property
    def setting(self) -> str:
        return f"{self._speeds[0]} baud"

    def turn(self) -> None:
        self._speeds = (*self._speeds[1:], self._speeds[0])

    def open(self) -> None:
        line, address = self._address.line, self._address
        try:
            self._port = serial.Serial(
                port=address.path or _find(usb=address.usb, socket=address.socket),
                baudrate=self._speeds[0],
                bytesize=line.bytesize,
                parity=line.parity,
                stopbits=line.stopbits,
                exclusive=True,
            )
        except _GONE as error:
            raise LinkDown(str(error), where=self._name, remedy="plug the reader in or correct reader.url") from error

    def read(self, timeout_s: float) -> Delivery | None:
        port = self._opened()
        try:
            # Not pyserial's read: its timeout sets the whole line anew, which a port without a parity bit (a pseudo
            # terminal, some network adapters) refuses; and it takes three times the system calls.
            descriptor = port.fileno()
            if not wait_for(descriptor, select.POLLIN, timeout_s):
                return None
            data = os.read(descriptor, MAX_CHUNK_BYTES)
        except _GONE as error:
            raise LinkDown(str(error), where=self._name) from error
        if not data:
            raise LinkDown("the port was pulled", where=self._name)
        return Delivery(data)

    def write(self, data: bytes) -> None:
        port = self._opened()
        limit = time.monotonic() + WRITE_TIMEOUT_S
        try:
            while data:
                # pyserial opens without blocking: what the port does not take now it takes when it is ready.
                data = data[_write(port.fileno(), data) :]
                if data and not wait_for(port.fileno(), select.POLLOUT, limit - time.monotonic()):
                    raise LinkDown(f"the port takes nothing for {WRITE_TIMEOUT_S:g} s", where=self._name)
        except _GONE as error:
            raise LinkDown(str(error), where=self._name) from error

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()

    @property
    def _name(self) -> str:
        return self._address.path or f"usb {self._address.usb or self._address.socket}"

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise LinkDown("the port is not open", where=self._name)
        return self._port


def _write(descriptor: int, data: bytes) -> int:
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        return 0


def _find(*, usb: str, socket: str) -> str:
    """Device path of the port with this USB identity `vid:pid[:serial]`, or in this socket."""
    from serial.tools import list_ports  # boxes that name the port need no list of them

    for port in list_ports.comports():
        if port.vid is None or port.pid is None:
            continue
        identity = f"{port.vid:04x}:{port.pid:04x}"
        if socket:
            # Adapters with several ports append ":interface" to the socket.
            if str(port.location or "").partition(":")[0] == socket:
                return str(port.device)
        elif usb.lower() in (identity, f"{identity}:{(port.serial_number or '').lower()}"):
            return str(port.device)
    raise LinkDown("no serial port there", where=f"usb {usb or socket}", remedy="plug the reader in")
