"""Chafon readers and their clones: UHFReader18 (R18) and UHFReader288/86 (R288), length-first frames."""

from __future__ import annotations

from trace_core.readers._base import LineSettings, ReaderProtocol, Transport
from trace_core.readers.chafon.device import ChafonDevice
from trace_core.readers.chafon.host import ChafonHost

PROTOCOL = ReaderProtocol(
    name="chafon",
    title="Chafon and clones (UHFReader18, UHFReader288/86)",
    transports=(Transport.SERIAL, Transport.TCP),
    host=ChafonHost.from_options,
    device=ChafonDevice.from_options,
    line=LineSettings(baud=57_600),
    options={
        "model": "auto, R18 or R288; default auto (told by its reply), the simulated reader is an R288",
        "address": "0 to 254 on a shared line, 255 for the only reader; default 255, the simulated reader has 0",
        "antennas": "R288: list of the ports that are read in turn, of 1 to 4; default all",
        "band": "CN900, US, KR, EU, CN800, EU3 or US3; default: as the reader was left",
        "power_dbm": "transmit power in dBm, 0 to 33; default: as the reader was left",
        "scan_time": "longest inventory in steps of 100 ms, 3 to 255; default 3",
        "session": "R288: Gen2 session 0 to 3; default 0",
        "q": "R288: Gen2 Q, 0 to 15; default 4",
        "round_ms": "simulated reader only: milliseconds of an empty inventory; default 30",
    },
    sources=(
        "wabson/chafon-rfid chafon_rfid (UHFReader18, UHFReader288)",
        "loblik/uhfreader18 uhf_reader_18.py",
        "UR-series user's manual 1.14",
    ),
)
