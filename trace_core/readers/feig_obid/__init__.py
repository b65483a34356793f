"""FEIG OBID i-scan HF readers in host mode (also Siemens SIMATIC RF290R): ISO 15693 tags."""

from __future__ import annotations

from trace_core.readers._base import Identity, LineSettings, ReaderProtocol, Transport
from trace_core.readers.feig_obid.device import FeigDevice
from trace_core.readers.feig_obid.host import FeigHost

PROTOCOL = ReaderProtocol(
    name="feig_obid",
    title="FEIG OBID i-scan HF, Siemens RF290R (ISO 15693)",
    transports=(Transport.SERIAL, Transport.TCP),
    host=FeigHost.from_options,
    device=FeigDevice.from_options,
    line=LineSettings(baud=38_400, parity="E"),
    identity=Identity.UID,
    options={
        "address": "0 to 254 on a shared line, 255 for the only reader; default 255, the simulated reader has 0",
        "round_ms": "simulated reader only: milliseconds of an empty inventory; default 30",
    },
    sources=(
        "FEIG system manuals ID ISC.MR100/101, MR102, PR101, MR200, LRU3000, M02.M8",
        "Siemens SIMATIC RF290R manual 09/2014",
    ),
)
