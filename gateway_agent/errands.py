"""What the sender does beside sending: heartbeat, settings, key. On its connection, between its batches."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping

from gateway_agent import clock
from gateway_agent.keyring import Keyring
from gateway_agent.links._base import Link
from gateway_agent.remote import RemoteSettings
from gateway_agent.server_link import Reply
from trace_core.errors import EventError, Refused, Retryable, TraceError
from trace_core.fleet import HEARTBEAT_PATH, HEARTBEAT_S, SETTINGS_PATH
from trace_core.release import VERSION
from trace_core.uplink import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, request_payload

log = logging.getLogger(__name__)

SOON_S = 2.0
"""After a start, and after settings were tried, the server should not have to wait for a minute."""
LATER_S = 60.0
"""What the server refused is not asked again sooner."""


class Errands:
    """`run` is called by the sender's thread before each batch and when it is idle; it does what is due."""

    def __init__(
        self,
        report: Callable[[], Mapping[str, object]],
        *,
        keys: Keyring,
        remote: RemoteSettings,
        boot_id: str,
    ) -> None:
        self._report = report
        self._keys = keys
        self._remote = remote
        self._boot_id = boot_id
        self._beat_at = clock.now().monotonic + SOON_S - HEARTBEAT_S
        self._wanted = 0
        self._fetch_after = float("-inf")
        self._rotate_after = float("-inf")
        self._is_rotation_due = False
        self.heard_at = float("-inf")
        """When the server last took a heartbeat, on the boot clock."""

    def hurry(self) -> None:
        """Let the next heartbeat be due at once."""
        self._beat_at = float("-inf")

    def told(self, config_version: int) -> None:
        """An acknowledgement names the newest settings."""
        self._wanted = config_version

    def run(self, link: Link) -> bool:
        """Whether the server took a heartbeat just now.

        Raises `Retryable` or `Refused` for the connection, not for what the server thinks of an errand.
        """
        now, heard_at = clock.now().monotonic, self.heard_at
        if now - self._beat_at >= HEARTBEAT_S:
            self._beat(link, now)
        if self._wanted > self._remote.highest and not self._remote.has_candidate and now >= self._fetch_after:
            self._fetch(link, now)
        if (self._is_rotation_due or self._keys.is_rotation_asked) and now >= self._rotate_after:
            self._rotate(link, now)
        return self.heard_at != heard_at

    def _beat(self, link: Link, now: float) -> None:
        fields = {
            "kind": "heartbeat",
            "boot_id": self._boot_id,
            "monotonic": now,
            "sent_at": clock.now().wall.isoformat(),
            "report": {
                **self._report(),
                "software": f"suyuan-gateway {VERSION}",
                "key_id": self._keys.key_id,
                "settings": self._remote.fields(),
            },
        }
        body = json.dumps(fields, ensure_ascii=False).encode()
        headers = {KEY_ID_HEADER: self._keys.key_id, SIGNATURE_HEADER: self._keys.sign(body)}
        self._beat_at = now
        reply = link.post(HEARTBEAT_PATH, body, {**headers, "Content-Type": "application/json"})
        if reply.status in (401, 403):
            raise Refused(f"the server refuses this gateway ({reply.status}): {reply.reason()}", where=HEARTBEAT_PATH)
        if reply.status != 200:
            log.warning("heartbeat not taken: %d %s", reply.status, reply.reason())
            return
        orders = reply.json_object()
        self.heard_at = now
        self._is_rotation_due = orders.get("rotate_key") is True
        if isinstance(orders.get("config_version"), int):
            self._wanted = int(orders["config_version"])

    def _fetch(self, link: Link, now: float) -> None:
        stamp = clock.now().wall.isoformat()
        headers = {
            TIMESTAMP_HEADER: stamp,
            KEY_ID_HEADER: self._keys.key_id,
            SIGNATURE_HEADER: self._keys.sign(request_payload("GET", SETTINGS_PATH, stamp)),
        }
        self._fetch_after = now + LATER_S
        reply = link.get(SETTINGS_PATH, headers)
        try:
            if reply.status != 200:
                raise Refused(f"the server answered {reply.status}: {reply.reason()}", where=SETTINGS_PATH)
            self._remote.offer(reply.body)
        except (Refused, EventError) as error:
            self._complain(error)

    def _rotate(self, link: Link, now: float) -> None:
        def post(path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
            return link.post(path, body, {**headers, "Content-Type": "application/json"})

        self._rotate_after = now + LATER_S
        try:
            self._keys.rotate(post)
        except Retryable:
            self._rotate_after = now
            raise
        except TraceError as error:
            self._complain(error)
            return
        self._is_rotation_due = False
        self._rotate_after = now
        self._beat_at = now + SOON_S - HEARTBEAT_S

    def _complain(self, error: TraceError) -> None:
        self._remote.problem = str(error)
        log.error("ALARM %s", error)


def report(status: Mapping[str, object]) -> dict[str, object]:
    """The numbers of quality §1.3 from `read_status`."""
    outbox, clocks, link = (_part(status, name) for name in ("outbox", "clock", "link"))
    return {
        "unsent": status.get("unsent"),
        "oldest_unsent_age_s": status.get("oldest_unsent_age_s"),
        "free_hours": outbox.get("hours_left"),
        "level": outbox.get("level"),
        "quarantined": outbox.get("quarantined"),
        "block_list": status.get("block_list"),
        "clock": {"state": clocks.get("state"), "since": clocks.get("since"), "offset_s": clocks.get("skew_s")},
        "readers": status.get("readers"),
        "link": {"state": link.get("state"), "failures": link.get("failures"), "last_ack_at": link.get("last_ack_at")},
        "last_error": link.get("last_error"),
        "crashes": status.get("crashes"),
    }


def _part(status: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = status.get(name)
    return found if isinstance(found, Mapping) else {}
