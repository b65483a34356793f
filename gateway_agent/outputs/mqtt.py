"""A topic on a broker: for programmable controllers and displays. MQTT 3.1.1, QoS 1, one JSON message an answer.

Nothing is kept for later: an answer that comes when the vehicle has gone opens the wrong barrier. While the broker
is away answers are lost to it, and counted.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from gateway_agent.config import OutputConfig
from gateway_agent.lines import Lines
from gateway_agent.outputs._base import Display, Output, OutputKind
from trace_core.errors import ConfigError

if TYPE_CHECKING:
    from paho.mqtt import client as paho

PORT, TLS_PORT = 1883, 8883
KEEPALIVE_S = 15
RECONNECT_MAX_S = 5
TAKEN_LIMIT_S = 2.0
"""How long the broker may take to acknowledge before the answer counts as not shown."""


class MqttOutput:
    """Connects with the first answer and stays connected."""

    def __init__(self, config: OutputConfig) -> None:
        self._config = config
        self._parts = urlsplit(config.url)
        self._topic = unquote(self._parts.path[1:])
        self._client: paho.Client | None = None

    def show(self, displays: Sequence[Display]) -> None:
        client = self._client or self._connect()
        if not client.is_connected():
            raise OSError(f"broker {self._parts.hostname} is away: {len(displays)} answers not published")
        for display in displays:
            sent = client.publish(self._topic, json.dumps(display.fields(), ensure_ascii=False), qos=1)
            try:
                sent.wait_for_publish(TAKEN_LIMIT_S)
            except (ValueError, RuntimeError) as error:
                raise OSError(f"broker {self._parts.hostname}: {error}") from error
            if not sent.is_published():
                raise OSError(f"broker {self._parts.hostname} did not acknowledge an answer")

    def _connect(self) -> paho.Client:
        from paho.mqtt import client as paho  # 8 MB that boxes without a broker need not have
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        tls = self._parts.scheme == "mqtts"
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        if self._parts.username:
            password = os.environ[self._config.password_env] if self._config.password_env else None
            client.username_pw_set(unquote(self._parts.username), password)
        if tls:
            client.tls_set_context(ssl.create_default_context(cafile=self._config.ca_file or None))
        client.reconnect_delay_set(1, RECONNECT_MAX_S)
        connected = threading.Event()
        client.on_connect = lambda *_: connected.set()
        client.connect(self._parts.hostname or "", self._parts.port or (TLS_PORT if tls else PORT), KEEPALIVE_S)
        client.loop_start()
        self._client = client
        connected.wait(TAKEN_LIMIT_S)
        return client


def _open(config: OutputConfig, _lines: Lines) -> Output:
    parts = urlsplit(config.url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or not parts.path[1:]:
        remedy = "write mqtt://HOST[:PORT]/TOPIC"
        raise ConfigError(f"{config.url!r} is no topic on a broker", where="outputs.url", remedy=remedy)
    if config.password_env and config.password_env not in os.environ:
        raise ConfigError(f"the environment has no {config.password_env}", where="outputs.password_env")
    return MqttOutput(config)


OUTPUT = OutputKind("mqtt", _open, is_slow=True)
