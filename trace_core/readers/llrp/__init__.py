"""LLRP 1.0.1 and 1.1 over TCP port 5084: fixed UHF readers of most makers."""

from __future__ import annotations

from trace_core.readers._base import ReaderProtocol, Transport
from trace_core.readers.llrp.device import LlrpDevice
from trace_core.readers.llrp.host import LlrpHost

PROTOCOL = ReaderProtocol(
    name="llrp",
    title="LLRP 1.0.1 and 1.1 (Impinj, Zebra and other fixed readers, TCP port 5084)",
    transports=(Transport.TCP,),
    outputs=(1, 2, 3, 4),
    host=LlrpHost.from_options,
    device=LlrpDevice.from_options,
    options={
        "antennas": "list of antenna numbers; default: all",
        "power_index": "transmit power as an index into the reader's own table; default: as the reader was left",
        "session": "Gen2 session, 0 to 3; default: as the reader was left",
        "keepalive_s": "seconds between keepalives, 0.5 to 60; three missed ones are silence; default 2",
        "start": "who starts the inventory: command (START_ROSPEC) or immediate (the reader itself); default command",
        "version": "1.0.1, or auto: LLRP 1.1 with readers that know it; default 1.0.1",
        "check_tag_crc": "whether a read is dropped when the tag's CRC is wrong; default true",
        "reader_version": "simulated reader only: the highest version it knows, 1.0.1 or 1.1; default 1.0.1",
        "reader_antennas": "simulated reader only: number of antennas, 1 to 32; default 4",
        "round_ms": "simulated reader only: milliseconds of one empty inventory round; default 50",
    },
    sources=(
        "EPCglobal Low Level Reader Protocol 1.0.1 (2007) and 1.1 (2010)",
        "llrp-toolkit LTK/Definitions/Core/llrp-1x0-def.xml, LTK/LTKJava/src/test/resources",
    ),
)
