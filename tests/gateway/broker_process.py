"""A mosquitto that a test may kill and start again on the same port: without persistence, as Debian ships it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.gateway.process import until
from tests.services import free_port


@dataclass
class BrokerProcess:
    """`settings`: lines of mosquitto.conf beside the listener."""

    folder: Path
    settings: Sequence[str] = ("allow_anonymous true",)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise FileNotFoundError("no mosquitto: run `make deps`, or install Debian's mosquitto")
        conf = self.folder / "mosquitto.conf"
        user = pwd.getpwuid(os.getuid()).pw_name
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", f"user {user}", *self.settings]
        conf.write_text("\n".join(lines) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([program, "-v", "-c", str(conf)], stdout=log, stderr=log)
        until(self._listens, "the broker listens")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def broker_process(folder: Path, settings: Sequence[str] = ("allow_anonymous true",)) -> Iterator[BrokerProcess]:
    broker = BrokerProcess(folder, settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


@contextmanager
def visitor(broker: BrokerProcess) -> Iterator[paho.Client]:
    """A connected MQTT 5 client of the test's own."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        until(client.is_connected, "the visitor is connected")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
