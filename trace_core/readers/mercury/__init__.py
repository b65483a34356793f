"""ThingMagic modules (M5e, M6e, M6e Nano, M7e; SparkFun Simultaneous RFID Reader): Mercury serial protocol."""

from __future__ import annotations

from trace_core.readers._base import LineSettings, ReaderProtocol, Transport
from trace_core.readers.mercury.device import MercuryDevice
from trace_core.readers.mercury.host import MercuryHost

PROTOCOL = ReaderProtocol(
    name="mercury",
    title="ThingMagic M5e, M6e, M6e Nano, M7e (Mercury serial)",
    transports=(Transport.SERIAL, Transport.TCP),
    host=MercuryHost.from_options,
    device=MercuryDevice.from_options,
    line=LineSettings(baud=115_200),
    outputs=(1, 2, 3, 4),
    options={
        "antennas": "list of the ports that are read, of 1 to 15; default: those the module says it has",
        "region": "radio region: NA, EU, PRC, EU3, AU, NA2, NA3 or OPEN; default: as the module was left",
        "power_dbm": "transmit power in dBm, 0 to 33; default: as the module was left",
        "ports": "simulated module only: antenna ports, 1 to 15; default 4",
        "cycle_ms": "simulated module only: milliseconds of an empty reading cycle; default 50",
        "in_bootloader": "simulated module only: wait in the bootloader; true or false, default false",
    },
    sources=(
        "gotthardp/python-mercuryapi, mercuryapi-1.35.2.72 c/src/api",
        "sparkfun/SparkFun_Simultaneous_RFID_Tag_Reader_Library src/SparkFun_UHF_RFID_Reader.cpp",
        "erossi/m5e_rfid README",
    ),
)
