"""Serial ports: `serial:///dev/ttyUSB0?baud=115200`, or by identity `serial:?usb=1a86:7523` (any port name)."""

from __future__ import annotations

import termios
from dataclasses import dataclass

import serial
from serial.tools import list_ports

from gateway_agent.transports._base import MAX_CHUNK_BYTES, Delivery, LinkDown
from trace_core.readers._base import LineSettings

WRITE_TIMEOUT_S = 1.0

# pyserial lets OSError and termios.error through on a port that went away, as well as its own exception.
_GONE = (serial.SerialException, OSError, termios.error)


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """Where the port is: a device path, or the USB identity `vid:pid[:serial]` (then `path` is empty)."""

    path: str
    usb: str
    line: LineSettings


class SerialTransport:
    """A serial port through pyserial."""

    def __init__(self, address: SerialAddress) -> None:
        self._address = address
        self._port: serial.Serial | None = None

    def open(self) -> None:
        line = self._address.line
        try:
            self._port = serial.Serial(
                port=self._address.path or _find(self._address.usb),
                baudrate=line.baud,
                bytesize=line.bytesize,
                parity=line.parity,
                stopbits=line.stopbits,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=True,
            )
        except _GONE as error:
            raise LinkDown(str(error), where=self._name, remedy="plug the reader in or correct reader.url") from error

    def read(self, timeout_s: float) -> Delivery | None:
        port = self._opened()
        try:
            if port.timeout != timeout_s:
                port.timeout = timeout_s
            # Never read(1) alone: one system call a byte costs a core at 115,200 baud.
            data = port.read(1)
            if not data:
                return None
            data += port.read(min(port.in_waiting, MAX_CHUNK_BYTES - 1))
        except _GONE as error:
            raise LinkDown(str(error), where=self._name) from error
        return Delivery(data)

    def write(self, data: bytes) -> None:
        port = self._opened()
        try:
            port.write(data)
        except _GONE as error:
            raise LinkDown(str(error), where=self._name) from error

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()

    @property
    def _name(self) -> str:
        return self._address.path or f"usb {self._address.usb}"

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise LinkDown("the port is not open", where=self._name)
        return self._port


def _find(usb: str) -> str:
    """Device path of the port with USB identity `vid:pid[:serial]`; ports change names when replugged."""
    for port in list_ports.comports():
        if port.vid is None or port.pid is None:
            continue
        identity = f"{port.vid:04x}:{port.pid:04x}"
        if usb.lower() in (identity, f"{identity}:{(port.serial_number or '').lower()}"):
            return str(port.device)
    raise LinkDown("no serial port has this USB identity", where=f"usb {usb}", remedy="plug the reader in")
