"""Values of the MQTT uplink: a request as it came, an answer as it goes, which gateways are ours."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from trace_core.errors import ConfigError
from trace_core.uplink import mqtt_topic

_UP = re.compile(r"gw/([a-z0-9][a-z0-9-]{0,62})/up\Z")
EVERY_GATEWAY = mqtt_topic("+", "up")


@dataclass(frozen=True, slots=True)
class Shard:
    """Process `number` of `count`; a gateway belongs to one of them, so its batches stay in order."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`2/4`. Raises `ConfigError`."""
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise ConfigError(f"{text!r:.40} is no shard", where="shard", remedy="write 1/4 for the first of four")
        return cls(int(found[1]), int(found[2]))

    def holds(self, gateway_id: str) -> bool:
        place = int.from_bytes(hashlib.sha256(gateway_id.encode()).digest()[:8], "big")
        return place % self.count == self.number - 1


@dataclass(frozen=True, slots=True)
class Request:
    """A gateway's request. `gateway_id` is the topic's: the broker let this sender write there, no more is known.

    `headers`: names as in HTTP, each once. `token`: what the sender knows the answer by.
    """

    gateway_id: str
    method: str
    path: str
    headers: Mapping[str, str]
    content_type: str
    body: bytes = field(repr=False)
    token: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body as over HTTP."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def gateway_of(topic: str) -> str | None:
    """The gateway whose `up` topic this is, None for other topics."""
    found = _UP.match(topic)
    return found[1] if found else None
