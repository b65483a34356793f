"""Readers that send JSON over MQTT: Impinj R700 IoT interface, Zebra IoT Connector, and a mapper for the others."""

from __future__ import annotations

from trace_core.readers._base import ReaderProtocol, Transport
from trace_core.readers.mqtt_json.device import MqttJsonDevice
from trace_core.readers.mqtt_json.host import MqttJsonHost

PROTOCOL = ReaderProtocol(
    name="mqtt_json",
    title="JSON over MQTT (Impinj R700, Zebra IoT Connector, generic)",
    transports=(Transport.MQTT,),
    host=MqttJsonHost.from_options,
    device=MqttJsonDevice.from_options,
    framed_by_transport=True,
    options={
        "dialect": "auto, impinj, zebra or generic; default auto (told by the payload), the simulated reader impinj",
        "reads": "generic: dotted path to the list of reads, such as data.tagData; default: the known places",
        "reader": "name of the reader when its payloads carry none",
        "silence_s": "report the reader silent after so many seconds without a payload; default 0, never",
        "report_ms": "simulated reader only: milliseconds between two reports of one tag; default 500",
        "hostname": "simulated reader only: its name; default impinj-00-00-01",
    },
    sources=(
        "Impinj reader configuration API 1.7: ReaderEvent, TagInventoryEvent, MqttConfiguration",
        "Zebra IoT Connector: TagDataEvent, AsyncEvents, raw MQTT payloads",
    ),
)
