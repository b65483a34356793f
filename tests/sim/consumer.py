"""Gateway transports and host sessions on many readers, as a process of its own: `python -m tests.sim.consumer`.

In: one JSON line, a list of {"id", "protocol", "endpoint", "options"}. Out: `ready` once every port is open. Then it
reads until its input ends, and prints [[id, identifier, reads], …].
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter

from gateway_agent.transports._base import MqttAddress, Transport
from gateway_agent.transports.mqtt import MQTTProtocolVersion, MqttTransport
from gateway_agent.transports.serial import SerialAddress, SerialTransport
from gateway_agent.transports.tcp import TcpAddress, TcpTransport
from trace_core.readers import protocols
from trace_core.readers._base import CodeRead, HostOutput, LineSettings, Send, TagRead

READ_WAIT_S = 0.1
QUIET_S = 1.0
"""After the last bytes nothing more comes."""


def transport_for(endpoint: str, name: str, line: LineSettings | None) -> Transport:
    if endpoint.startswith("/"):
        return SerialTransport(SerialAddress(endpoint, "", line or LineSettings()))
    kind, _, rest = endpoint.partition("://")
    address, _, topic = rest.partition("/")
    host, _, port = address.partition(":")
    if kind == "tcp":
        return TcpTransport(TcpAddress(host, int(port)))
    return MqttTransport(MqttAddress(host, int(port), topic, f"gate-{name}", MQTTProtocolVersion.MQTTv5))


class Reader(threading.Thread):
    def __init__(self, told: dict[str, object], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.id = str(told["id"])
        self._stop_reading = stop
        self.reads: Counter[str] = Counter()
        protocol = protocols()[str(told["protocol"])]
        options = told["options"]
        assert isinstance(options, dict)
        self.session = protocol.host(options)
        self.transport = transport_for(str(told["endpoint"]), self.id, protocol.line)
        self.transport.open()

    def run(self) -> None:
        self._take(self.session.start(time.monotonic()))
        last = time.monotonic()
        while not self._stop_reading.is_set() or time.monotonic() - last < QUIET_S:
            delivery = self.transport.read(READ_WAIT_S)
            if delivery is not None:
                last = time.monotonic()
                self._take(self.session.receive(delivery.data, last))
                if delivery.done is not None:
                    delivery.done()
            self._take(self.session.tick(time.monotonic()))
            if self._stop_reading.is_set() and delivery is None:
                break
        self.transport.close()

    def _take(self, outputs: object) -> None:
        assert isinstance(outputs, list | tuple)
        for output in outputs:
            self._one(output)

    def _one(self, output: HostOutput) -> None:
        if isinstance(output, Send):
            self.transport.write(output.data)
        elif isinstance(output, TagRead):
            self.reads[output.epc.hex().upper()] += 1
        elif isinstance(output, CodeRead):
            self.reads[output.text] += 1


def main() -> None:
    stop = threading.Event()
    threading.stack_size(256 * 1024)
    readers = [Reader(told, stop) for told in json.loads(sys.stdin.readline())]
    for reader in readers:
        reader.start()
    say("ready")
    sys.stdin.readline()
    stop.set()
    for reader in readers:
        reader.join()
    say(json.dumps([[r.id, name, count] for r in readers for name, count in r.reads.items()]))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
