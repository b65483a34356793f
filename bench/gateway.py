"""The gateway as a process: reads in over MQTT and over a serial line → committed outbox rows → rows of a server.

One JSON object a line. `reference` is the aim where nothing else can be measured against (`"against": "aim"`).
- read: CPU of the whole process (network or port, protocol, filter, answer, event, commit with FULL sync), no server.
- drain: the backlog of the read phase to a peer that only checks and acknowledges (`bench.signed_ack`: the gateway's
  side), then to `trace-server` with PostgreSQL (the server's side), over HTTP and over MQTT.
- idle: CPU share with a server and a reader, nothing in the field.
`--quick`: fewer reads, no server.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import random
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.signed_ack import GATEWAY_ID
from gateway_agent.identity import IDENTITY_FILE, make_or_load_key
from gateway_agent.outbox_schema import connect_read_only
from tests.gateway.make import epc
from tests.services import Broker, free_port, start_mosquitto, start_postgres
from trace_core.readers import protocols
from trace_core.readers.magicrf.frames import TagNotice
from trace_server.accounts import operations as accounts
from trace_server.db import migrate, open_database

READS = 60_000
QUICK_READS = 10_000
REPEATS = 30
"""Reads of one tag that stays in the field for a second."""
IDLE_S = 10.0
SETTLE_S = 3.0
LIMIT_S = 300.0
CPU_AIM_US, DRAIN_AIM, RSS_AIM_MB, IDLE_AIM = 25.0, 40_000.0, 40.0, 0.5
READ_POINT = "urn:epc:id:sgln:9521007.00001.1"
PROTOCOLS = protocols()


@dataclass
class Gateway:
    """Its folder, and the process while it runs."""

    folder: Path
    reader: str
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self, server_url: str) -> None:
        config = self.folder / "gateway.toml"
        config.write_text(
            f'[server]\nurl = "{server_url}"\nfirst_connect_spread_s = 0\n[gateway]\nstate_dir = "state"\n'
            f'[[reader]]\nname = "door"\n{self.reader}\n'
            f'[[read_point]]\nreader = "door"\nid = "{READ_POINT}"\nbiz_step = "receiving"\n'
            '[answer]\noutputs = [{type = "file", path = "state/answers.jsonl"}]\n'
        )
        command = [sys.executable, "-m", "gateway_agent", "run", "--config", str(config)]
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def cpu_s(self) -> float:
        """Of all its threads, to the nanosecond."""
        tasks = Path(f"/proc/{self._pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def memory_mb(self, what: str = "VmRSS") -> float:
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1000

    def stored(self) -> int:
        return self._ask("SELECT coalesce(max(seq), 0) FROM event")

    def acked(self) -> int:
        return self._ask("SELECT acked FROM meta")

    def seen(self) -> int:
        """Reads that its counts know of, at most a second old."""
        text = self._ask("SELECT value FROM state WHERE name = 'counts'", "{}")
        return int(json.loads(str(text)).get("reads", 0))

    def is_online(self) -> bool:
        return self._ask("SELECT count(*) FROM device WHERE state = 'online'") == 1

    @property
    def _pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def _ask(self, query: str, default: object = 0) -> int:
        with suppress(sqlite3.Error), closing(connect_read_only(self.folder / "state" / "outbox.sqlite")) as db:
            row = db.execute(query).fetchone()
            return row[0] if row is not None else default  # type: ignore[return-value]
        return default  # type: ignore[return-value]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    reads = QUICK_READS if quick else READS
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("broker", "mqtt", "serial", "serial-again", "postgres"):
            (root / name).mkdir()
        broker = stack.enter_context(start_mosquitto(root / "broker"))
        _give_identity(root / "mqtt")
        gateway = Gateway(root / "mqtt", _mqtt_reader(broker))
        _read("mqtt, every read an event", gateway, reads, 1, lambda: _publish(broker, reads, 1))
        for way in ("http", "mqtt"):
            _drain_to_stub(way, gateway, broker)
        if not quick:
            _drain_to_server(gateway, broker, root / "postgres")
        with _line() as line:
            _read("serial, every read an event", line.gateway(root / "serial"), reads, 1, lambda: line.play(reads, 1))
        with _line() as line:
            again = line.gateway(root / "serial-again")
            _read(f"serial, {REPEATS} reads a tag", again, reads, REPEATS, lambda: line.play(reads, REPEATS))
        _idle("mqtt reader", Gateway(root / "mqtt", _mqtt_reader(broker)))
        with _line() as line:
            _idle("serial reader, asked all the time", line.gateway(root / "serial"))
    return 0


def _read(case: str, gateway: Gateway, reads: int, repeats: int, play: Callable[[], None]) -> None:
    gateway.start("http://127.0.0.1:1")
    try:
        _until(gateway.is_online if "serial" in case else lambda: gateway.stored() == 0 and gateway.cpu_s() > 0.2)
        time.sleep(SETTLE_S)
        empty_mb = gateway.memory_mb()
        cpu, begun = gateway.cpu_s(), time.perf_counter()
        play()
        _until(lambda: gateway.stored() >= -(-reads // repeats) and gateway.seen() >= reads)
        seconds, cpu = time.perf_counter() - begun, gateway.cpu_s() - cpu
        if gateway.stored() != -(-reads // repeats):
            raise SystemExit(f"gateway: {gateway.stored()} events of {reads} reads")
        more = {"reads_per_s": round(reads / seconds)}
        _say(case, cpu / reads * 1e6, CPU_AIM_US, "µs CPU a read", **more)
        _say(f"{case}: memory at the end", gateway.memory_mb(), RSS_AIM_MB, "MB RSS", at_start=round(empty_mb, 1))
    finally:
        gateway.stop()


def _drain_to_stub(way: str, gateway: Gateway, broker: Broker) -> None:
    """Twice from the same backlog: the cursor is put back."""
    key = make_or_load_key(gateway.folder / "state").public_key.hex()
    port = free_port()
    peer = subprocess.Popen([sys.executable, "-m", "bench.signed_ack", str(port), key, str(broker.port)])
    try:
        time.sleep(1.0)
        url = f"http://127.0.0.1:{port}" if way == "http" else f"mqtt://127.0.0.1:{broker.port}"
        _drain(f"drain over {way} to a peer that only acknowledges", gateway, url)
    finally:
        peer.terminate()
        peer.wait(10)


def _drain(case: str, gateway: Gateway, url: str) -> None:
    backlog = gateway.stored()
    with closing(sqlite3.connect(gateway.folder / "state" / "outbox.sqlite")) as db, db:
        db.execute("UPDATE meta SET acked = 0")
        if db.execute("SELECT min(seq) FROM event").fetchone()[0] != 1:
            raise SystemExit("gateway: the backlog is gone")
    gateway.start(url)
    try:
        _until(lambda: gateway.acked() > 0, 0.005)
        first, begun, cpu = gateway.acked(), time.perf_counter(), gateway.cpu_s()
        _until(lambda: gateway.acked() >= backlog, 0.02)
        seconds, cpu = time.perf_counter() - begun, gateway.cpu_s() - cpu
        sent = backlog - first
        more = {"cpu_us_per_event": round(cpu / sent * 1e6, 1), "peak_mb": round(gateway.memory_mb("VmHWM"), 1)}
        _say(case, sent / seconds, DRAIN_AIM, "events/s", **more)
    finally:
        gateway.stop()


def _drain_to_server(gateway: Gateway, broker: Broker, folder: Path) -> None:
    """`trace-server` with PostgreSQL that syncs each commit, on the same machine."""
    with start_postgres(folder, durable=True) as postgres:
        for way in ("http", "mqtt"):
            where = ("-h", "127.0.0.1", "-p", str(postgres.port), "-U", postgres.user)
            subprocess.run([postgres.bin / "createdb", *where, way], check=True)
            database_url, port = postgres.url(way), free_port()
            migrate.upgrade(database_url)
            db = open_database(database_url)
            now, key = datetime.now(UTC), make_or_load_key(gateway.folder / "state").public_key
            code = accounts.add_gateway(
                db, now, "bench", gateway_id=GATEWAY_ID, site="Gate", read_points=(READ_POINT,), auto_approve=True
            )
            accounts.enrol(db, now, code=code, public_key=key, software="bench", hostname="bench", address="127.0.0.1")
            db.dispose()
            command = ("run", "--port", str(port)) if way == "http" else ("uplink-mqtt",)
            environment = {
                **os.environ,
                "SUYUAN_DATABASE_URL": database_url,
                "SUYUAN_CODE_SECRET": "for benches only, long enough to be taken",
                "SUYUAN_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}",
            }
            server = subprocess.Popen(
                [sys.executable, "-m", "trace_server", *command],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                time.sleep(6.0)
                url = f"http://127.0.0.1:{port}" if way == "http" else f"mqtt://127.0.0.1:{broker.port}"
                _drain(f"drain over {way} to trace-server with PostgreSQL", gateway, url)
            finally:
                os.killpg(server.pid, signal.SIGTERM)
                server.wait(20)


def _idle(case: str, gateway: Gateway) -> None:
    key = make_or_load_key(gateway.folder / "state").public_key.hex()
    port = free_port()
    peer = subprocess.Popen([sys.executable, "-m", "bench.signed_ack", str(port), key])
    try:
        with suppress(FileNotFoundError):
            (gateway.folder / "state" / "outbox.sqlite").unlink()
        gateway.start(f"http://127.0.0.1:{port}")
        time.sleep(SETTLE_S + 2.0)
        cpu = gateway.cpu_s()
        time.sleep(IDLE_S)
        share = (gateway.cpu_s() - cpu) / IDLE_S * 100
        _say(f"idle, {case}", share, IDLE_AIM, "% of a core", rss_mb=round(gateway.memory_mb(), 1))
    finally:
        gateway.stop()
        peer.terminate()
        peer.wait(10)


class Line:
    """A serial line with a MagicRF module that answers commands, and then sends as fast as the host takes it."""

    def __init__(self, master: int, path: str) -> None:
        self._master, self._path = master, path
        self._device = PROTOCOLS["magicrf"].device({})
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def gateway(self, folder: Path) -> Gateway:
        _give_identity(folder)
        return Gateway(folder, f'protocol = "magicrf"\nurl = "serial://{self._path}"')

    def play(self, reads: int, repeats: int) -> None:
        rng = random.Random(1)
        frames = [TagNotice.of(epc(number // repeats), -rng.randrange(30, 70)).to_bytes() for number in range(reads)]
        for first in range(0, reads, 40):
            with self._lock:
                self._write(b"".join(frames[first : first + 40]))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _answer(self) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([self._master], [], [], 0.01)
            with self._lock:
                if ready:
                    self._write(self._device.receive(os.read(self._master, 4096), time.time()))
                for frame in self._device.tick(time.time(), ()):
                    self._write(frame)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._master, data) :]


@contextmanager
def _line() -> Iterator[Line]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    line = Line(master, os.ttyname(slave))
    try:
        yield line
    finally:
        line.close()
        os.close(master)
        os.close(slave)


def _mqtt_reader(broker: Broker) -> str:
    url = f"mqtt://127.0.0.1:{broker.port}/readers/bench?client_id=bench-reader"
    return f'protocol = "mqtt_json"\nurl = "{url}"'


def _publish(broker: Broker, reads: int, repeats: int) -> None:
    """As an Impinj R700 does: one message a read, QoS 1."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1_000)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for number in range(reads):
        body = {
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "hostname": "impinj-00-00-01",
            "eventType": "tagInventory",
            "tagInventoryEvent": {
                "epcHex": epc(number // repeats).hex().upper(),
                "antennaPort": 1,
                "peakRssiCdbm": -5500,
            },
        }
        sent = client.publish("readers/bench", json.dumps(body), qos=1)
    sent.wait_for_publish(LIMIT_S)
    client.disconnect()
    client.loop_stop()


def _give_identity(folder: Path) -> None:
    signer = make_or_load_key(folder / "state")
    fields = {"gateway_id": GATEWAY_ID, "key_id": signer.key_id, "state": "active", "server": "bench"}
    (folder / "state" / IDENTITY_FILE).write_text(json.dumps(fields))


def _until(claim: Callable[[], object], every_s: float = 0.05) -> None:
    limit = time.monotonic() + LIMIT_S
    while not claim():
        if time.monotonic() > limit:
            raise SystemExit("gateway: gave up waiting")
        time.sleep(every_s)


def _say(case: str, ours: float, reference: float, unit: str, **more: float) -> None:
    line = {"bench": "gateway", "case": case, "ours": round(ours, 2), "reference": reference, "unit": unit}
    print(
        json.dumps(line | {"ratio": round(ours / reference, 3), "against": "aim", **more}, ensure_ascii=False),
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
