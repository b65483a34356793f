"""An MQTT 3.1.1 broker inside the process, for the demo and the tests.

It listens on loopback alone, and there everybody may connect without a password: it must not be put on a network.
It keeps QoS 1 messages for a client with a persistent session while that is away, but does not repeat those that
were under way when the connection broke. In the field a broker of its own (mosquitto, MQTT 5, certificates) does
this work.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from concurrent.futures import Future

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.errors import BrokerError
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from firmware_sim.endpoints import EndpointError

LOOPBACK = "127.0.0.1"
START_LIMIT_S = 15.0
PORT_TRIES = 5
"""Between finding a free port and taking it another program may take it."""


class LoopbackAuth(BaseAuthPlugin):  # type: ignore[misc]
    """Lets everybody in, without calling them anonymous: the broker keeps no messages for anonymous clients."""

    async def authenticate(self, *, session: Session) -> bool:  # noqa: ARG002 - the plugin's signature
        return True


PLUGINS: dict[str, dict[str, object]] = {f"{__name__}.{LoopbackAuth.__name__}": {}}


class EmbeddedBroker:
    """Broker in a thread with its own event loop; `host` and `port` are known once it has started.

    Raises `EndpointError` when it does not start within 15 s.
    """

    def __init__(self) -> None:
        self.host = LOOPBACK
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._ready: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def start(self) -> EmbeddedBroker:
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.ERROR)  # both tell every packet and state at lower levels
        self._thread.start()
        self.port = self._ready.result(timeout=START_LIMIT_S)
        return self

    def stop(self) -> None:
        """Drop all clients and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(timeout=START_LIMIT_S)

    def __enter__(self) -> EmbeddedBroker:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except EndpointError as error:
            self._ready.set_exception(error)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self) -> None:
        broker, port = await self._started()
        self._ready.set_result(port)
        await self._stopping.wait()
        await broker.shutdown()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        # The broker forgets connections that a client has just taken over; nobody else closes their sockets.
        for transport in list(getattr(self._loop, "_transports", {}).values()):
            transport.abort()
        await asyncio.sleep(0)

    async def _started(self) -> tuple[Broker, int]:
        for attempt in range(PORT_TRIES):
            port = _free_port()
            listener = ListenerConfig(bind=f"{LOOPBACK}:{port}")
            broker = Broker(BrokerConfig(listeners={"default": listener}, plugins=dict(PLUGINS)))
            try:
                await broker.start()
            except BrokerError as error:
                if attempt == PORT_TRIES - 1:
                    raise EndpointError("the broker found no free port", where=LOOPBACK) from error
            else:
                return broker, port
        raise AssertionError


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
