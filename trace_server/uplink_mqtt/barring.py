"""Revoked gateways at the broker: the open connection is dropped, and what they say afterwards is refused.

mosquitto's dynamic security plugin is used as a list of the barred only (deploy/mosquitto/dynamic-security.json);
everybody else lives by the access file. A broker without it drops nothing; the server refuses the revoked all the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import Counter

CONTROL_TOPIC = "$CONTROL/dynamic-security/v1"
ROLE = "revoked"
LOOK_S = 10.0
"""Revocation must be effective within 60 s."""
AT_ONCE = 100
"""Gateways in one message to the broker."""

BARRED = Counter("suyuan_uplink_barred", "Revoked gateways told to the broker", ["outcome"])

log = structlog.get_logger(__name__)


class Barrier:
    """`look` is called often, by one thread; it asks the database now and then."""

    def __init__(self, revoked: Callable[[], Sequence[str]], publish: Callable[[str, bytes], object]) -> None:
        self._revoked = revoked
        self._publish = publish
        self._looked_at = float("-inf")
        self._connection = 0
        self._told: set[str] = set()

    def look(self, connection: int) -> None:
        """Tell the broker of gateways revoked since; in a new connection of all, as the broker may be a new one."""
        now = time.monotonic()
        if connection != self._connection:
            self._connection, self._told, self._looked_at = connection, set(), float("-inf")
        if not connection or now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        try:
            found = [gateway_id for gateway_id in self._revoked() if gateway_id not in self._told]
        except Exception:  # a database that is away must not stop the uplink; the next look is soon
            BARRED.labels("failed").inc()
            log.exception("revoked gateways cannot be read")
            return
        for first in range(0, len(found), AT_ONCE):
            some = found[first : first + AT_ONCE]
            self._publish(CONTROL_TOPIC, commands(some))
            self._told.update(some)
            BARRED.labels("told").inc(len(some))
            log.info("barred at the broker", gateways=len(some))


def commands(gateway_ids: Sequence[str]) -> bytes:
    """The plugin's commands: a known user that may do nothing. Disabling also ends its connections."""
    said: list[dict[str, object]] = []
    for gateway_id in gateway_ids:
        said.append({"command": "createClient", "username": gateway_id, "roles": [{"rolename": ROLE}]})
        said.append({"command": "disableClient", "username": gateway_id})
    return json.dumps({"commands": said}).encode()
