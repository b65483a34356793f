"""Impinj R2000 reader modules and boxes (Invelion, Rodinbell, YR90x, IND903, D2184): frames that begin with A0."""

from __future__ import annotations

from trace_core.readers._base import LineSettings, ReaderProtocol, Transport
from trace_core.readers.impinj_r2000.device import R2000Device
from trace_core.readers.impinj_r2000.host import R2000Host

PROTOCOL = ReaderProtocol(
    name="impinj_r2000",
    title="Impinj R2000 modules (Invelion, Rodinbell, IND903, D2184)",
    transports=(Transport.SERIAL, Transport.TCP),
    host=R2000Host.from_options,
    device=R2000Device.from_options,
    line=LineSettings(baud=115_200),
    outputs=(3, 4),
    options={
        "address": "0 to 254 on a shared line, 255 for the only reader; default 255, the simulated reader has 1",
        "ports": "antenna ports, 4 or 8; default 4",
        "antennas": "list of the ports that are read in turn; default all",
        "region": "radio region: FCC, ETSI or CHN; default: as the reader was left",
        "power_dbm": "transmit power in dBm, 0 to 33, kept until the reader restarts; default: as it was left",
        "mode": "buffer (records with the tag's CRC) or realtime (sooner, 8-bit check only); default buffer",
        "sightings": "realtime only: how often a tag must come before it is read, 1 to 10; default 3",
        "session": "realtime only: Gen2 session 0 to 3; default: the reader's own",
        "phase": "ask for the phase, with session only; true or false, default false",
        "repeat": "repetitions of a round, 1 to 254; default 1",
        "first_byte": "what tag frames begin with: antenna, or battery with some active tags; default antenna",
        "end_frames": "simulated reader only: end frames of V2.2 or V3; default V3",
        "round_ms": "simulated reader only: milliseconds of an empty round; default 40",
    },
    sources=(
        "UHF RFID reader serial interface protocol V2.2 (IND903)",
        "Omniflux/node-r2k src/index.ts and src/constants.ts (V3.7)",
        "hex-in/pyImpinj pyImpinj",
    ),
)
