"""MagicRF M100/QM100 and R200 modules (YRM100, JRD-4035, M5Stack UHF-RFID): UART, 115,200 baud, 8N1."""

from __future__ import annotations

from trace_core.readers._base import LineSettings, ReaderProtocol, Transport
from trace_core.readers.magicrf.device import MagicRfDevice
from trace_core.readers.magicrf.host import MagicRfHost

PROTOCOL = ReaderProtocol(
    name="magicrf",
    title="MagicRF M100/QM100, R200 (BB…7E and AA…DD)",
    transports=(Transport.SERIAL, Transport.TCP),
    host=MagicRfHost.from_options,
    device=MagicRfDevice.from_options,
    line=LineSettings(baud=115_200),
    options={
        "dialect": "frame marks: auto, BB (BB…7E) or AA (AA…DD); default auto, the simulated module speaks BB",
        "region": "radio region: CN900, US, EU, CN800 or KR; default: as the module was left",
        "power_dbm": "transmit power in dBm, 0 to 33; default: as the module was left",
        "rounds": "inventory rounds per command, 100 to 65535; default 10000",
        "round_ms": "simulated module only: milliseconds of one empty inventory round; default 20",
    },
    sources=(
        "MagicRF M100 communication user protocol V2.1",
        "R200 user protocol V2.3.3",
        "M5Stack M5Unit-UHF-RFID src/CMD.h",
    ),
)
