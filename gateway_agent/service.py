"""The whole program on one screen: readers → queue → writer → outbox → sender, kept alive by a supervisor."""

from __future__ import annotations

import fcntl
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway_agent import clock, identity
from gateway_agent.addresses import open_transport
from gateway_agent.blocklist import BlockListFile, pinned_key
from gateway_agent.clock import ClockJudge
from gateway_agent.config import Config
from gateway_agent.errands import Errands, report
from gateway_agent.eventing import Origin
from gateway_agent.keyring import Keyring
from gateway_agent.links.opening import open_link
from gateway_agent.notify import ALIVE_WITHIN_S, keep_telling
from gateway_agent.reading import Pump
from gateway_agent.remote import RemoteSettings
from gateway_agent.replaying import Replayer
from gateway_agent.requests import REQUESTS, Inbox
from gateway_agent.showing import open_outputs
from gateway_agent.status import ClockWatch, describe, read_status
from gateway_agent.supervise import Supervisor
from gateway_agent.uplink import Sender
from gateway_agent.writing import Stop, Writer
from trace_core.errors import Conflict

log = logging.getLogger(__name__)

DRAIN_READERS_S = 5.0
DRAIN_SENDER_S = 5.0
"""What is not sent by then is sent after the next start."""
LOCK_WAIT_S = 0.5
"""A `status` that looks at the lock holds it for an instant; that must not stop a gateway from starting."""


class Service:
    """Build it, `start` it, `stop` it. Raises `ConfigError` when key, identity or outputs are not usable."""

    def __init__(self, config: Config, remote: RemoteSettings) -> None:
        folder = config.gateway.state_dir
        boot = clock.read_boot()
        me = identity.load_identity(folder)
        self._remote = remote
        self._judge = ClockJudge()
        self._clock_watch = ClockWatch(self._judge)
        self._supervisor = Supervisor()
        self._reading_stop, self._sending_stop = threading.Event(), threading.Event()
        self._block_list = BlockListFile(folder / "block_list.json", config.answer.list_key or pinned_key(folder))
        lines = config.lines()
        self._writer = Writer(
            config,
            Origin(me.gateway_id, boot.id, config.gateway.utc_offset),
            judge=self._judge,
            block_list=self._block_list,
            outputs=open_outputs(config.answer.outputs, lines),
            snapshot=self._describe,
        )
        keys = Keyring(folder, me.gateway_id)
        self._errands = Errands(
            lambda: report(read_status(config, running=True)), keys=keys, remote=remote, boot_id=boot.id
        )
        self._sender = Sender(
            folder / "outbox.sqlite",
            self._writer.call,
            link=open_link(config.server, me.gateway_id),
            signer=keys,
            config=config.server,
            judge=self._judge,
            block_list=self._block_list,
            boot_id=boot.id,
        )
        self._sender.errands = self._errands
        self._page_port = config.gateway.status_port
        self._config = config
        self._inbox = Inbox(folder / REQUESTS, self._writer.queue.put)
        self._replayer = Replayer(folder / "outbox.sqlite", config.readers, boot.id, self._writer.queue.put)
        self._pumps = {
            " and ".join(reader.name for reader in readers): Pump(
                readers,
                open_transport(readers[0].address),
                self._writer.queue.put,
                accepting=self._writer.accepting,
                stop=self._reading_stop,
                lines=lines,
            )
            for readers in config.ports()
        }

    def start(self) -> None:
        """Writer first: nobody may read before there is a place to keep it."""
        start = self._supervisor.start
        self._writer_thread = start("writer", self._writer.run, threading.Event())
        while not self._writer.ready.wait(0.05):
            if not self._writer_thread.is_alive():
                raise RuntimeError("the writer ended before it began")
        self._sender_thread = start(
            "sender", lambda: self._sender.run(self._sending_stop, self._writer.stored), self._sending_stop
        )
        stop = self._reading_stop
        self._feeders = [
            start("watchdog", lambda: keep_telling(self.is_alive, stop), stop),
            start("requests", lambda: self._inbox.run(stop), stop),
            start("replay", lambda: self._replayer.run(stop), stop),
            *(start(f"reader {name}", pump.run, stop) for name, pump in self._pumps.items()),
        ]
        if self._page_port:
            from gateway_agent.status_page import StatusPage  # 1 MB that boxes without a screen need not have

            page = StatusPage(self._page_port, lambda: read_status(self._config, running=True))
            self._feeders.append(start("status page", lambda: page.run(stop), stop))

    def _describe(self) -> Mapping[str, object]:
        told = describe(self._writer, self._sender, self._supervisor, self._clock_watch, self._block_list)
        return {**told, "settings": self._remote.fields()}

    @property
    def heard_at(self) -> float:
        """When the server last took a heartbeat, on the boot clock."""
        return self._errands.heard_at

    @property
    def online(self) -> set[str]:
        """Names of the readers that answer now."""
        return {name for pump in self._pumps.values() for name in tuple(pump.online)}

    def report_soon(self) -> None:
        """Something changed that the server waits for."""
        self._errands.hurry()

    def is_alive(self) -> bool:
        """Whether the writer went round lately."""
        return clock.now().monotonic - self._writer.beat < ALIVE_WITHIN_S

    def stop(self) -> None:
        """Drain: readers first, then what is queued is committed, then what is committed is sent, for a while."""
        self._reading_stop.set()
        limit = time.monotonic() + DRAIN_READERS_S
        for thread in self._feeders:  # all of them: another service may follow, on the same requests and page port
            thread.join(max(0.0, limit - time.monotonic()))
        self._sending_stop.set()
        self._writer.stored.set()
        self._sender_thread.join(DRAIN_READERS_S)
        if not self._sender_thread.is_alive():
            self._sender.drain(DRAIN_SENDER_S)
        self._writer.queue.put(Stop())
        self._writer_thread.join()


@contextmanager
def single_instance(folder: Path) -> Iterator[None]:
    """Two writers would number events twice. Raises `Conflict`. The lock dies with the process, whatever kills it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        limit = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= limit:
                    raise Conflict("another gateway runs on this state folder", where=str(folder)) from error
                time.sleep(0.02)
        yield


def is_running(folder: Path) -> bool:
    """Whether a gateway holds the lock of this folder. Any number may ask at once."""
    try:
        lock = (folder / "lock").open()
    except FileNotFoundError:
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
