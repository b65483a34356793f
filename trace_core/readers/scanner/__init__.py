"""Line devices: bar code and 2D scanners over USB-CDC or RS-232, and simple RFID readers that send text lines."""

from __future__ import annotations

from trace_core.readers._base import LineSettings, ReaderProtocol, Transport
from trace_core.readers.scanner.device import ScannerDevice
from trace_core.readers.scanner.host import ScannerHost

PROTOCOL = ReaderProtocol(
    name="scanner",
    title="Line devices: bar code and 2D scanners, simple RFID readers",
    transports=(Transport.SERIAL, Transport.TCP),
    host=ScannerHost.from_options,
    device=ScannerDevice.from_options,
    line=LineSettings(baud=9_600),
    options={
        "encoding": "of the payload: utf-8 or gb18030; default utf-8",
        "bare": "take codes without a symbology identifier as text; true or false, default false",
        "unchecked": "take RFID lines without the tag's CRC: hex digits, JSON, records; true or false, default false",
        "gap_ends_line": "a pause of 50 ms ends a line, for scanners without a terminator; default false",
        "pattern": "regular expression of an RFID line with groups epc, pc, crc, antenna, rssi, time; default EPC:…",
        "start_command": 'text that starts the reader, such as "1\\r"; default none',
        "silence_s": "report the device silent after so many seconds; default 0: after three missed heartbeats, if any",
        "reader": "name of the device",
        "lines": "simulated device only: record, hex or json for tags without a code; default record",
        "terminator": "simulated device only: CR, LF, CRLF, STX (with ETX) or none; default CR",
        "repeat_ms": "simulated device only: milliseconds until what stays in view is sent again; default 500",
        "waits_for_start": "simulated device only: silent until it gets 1 CR; true or false, default false",
    },
    sources=(
        "gs1/gs1-syntax-engine src/c-lib (gs1encoders.h, scandata.c, ai.c)",
        "Impinj Speedway Connect, line format",
        "Advanced ID ST110 manual",
    ),
)
