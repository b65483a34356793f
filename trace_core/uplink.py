"""The contract between gateway and server: one signed batch up, one acknowledgement down.

Identity of an event is `(gateway, epoch, seq)`; the gateway comes from the credential, never from the body.
The same bytes travel over HTTPS and MQTT:

    payload   = gzip(JSON of Batch)                       ≤ MAX_PAYLOAD_BYTES
    signature = Ed25519(SIGNATURE_DOMAIN + payload)       signing itself is the caller's
    key id    = first 16 hex digits of SHA-256(raw public key)

Digest chain: d(0) = 32 zero bytes, d(n) = SHA-256(d(n-1) || body(n)), over the bodies of one epoch in order of
seq. A batch names the digest before its first and after its last event, so that a server can tell a repeat from
a contradiction.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import math
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from trace_core.errors import EventError, TooLarge

CONTRACT_VERSION = 1
MAX_EVENTS = 500
"""Events in a batch: keeps one transaction under ~50 ms."""
MAX_BODY_BYTES = 262_144
"""Sum of event bodies in a batch; a gateway on a 2G link can still send one in a minute."""
MAX_PAYLOAD_BYTES = 2_097_152
"""Compressed payload that a server accepts (quality: capture bodies ≤ 2 MB)."""
MAX_UNPACKED_BYTES = 8_388_608
"""Guard against a gzip bomb."""
MAX_RETRY_AFTER_S = 3600.0
"""A gateway waits no longer than this, whatever an answer says: a wrong one must not silence it for days."""
SIGNATURE_DOMAIN = b"suyuan-uplink-v1\n"
ZERO_DIGEST = bytes(32)

KEY_ID_HEADER = "Suyuan-Key-Id"
SIGNATURE_HEADER = "Suyuan-Signature"
TIMESTAMP_HEADER = "Suyuan-Timestamp"
CONTENT_TYPE = "application/vnd.suyuan.batch+json"

MQTT_METHOD = "method"
MQTT_PATH = "path"
MQTT_STATUS = "status"
"""User properties of MQTT 5: a request names method and path beside the headers above, an answer its status."""

_EPOCH = re.compile(r"[0-9a-f]{16}\Z")


class ClockState(StrEnum):
    """Quality of the gateway's wall clock when it stamped."""

    SYNCHRONISED = "synchronised"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Batch:
    """A run of events with contiguous seq. Times are aware UTC; `monotonic` is seconds since boot."""

    epoch: str
    first_seq: int
    events: tuple[bytes, ...]
    previous_digest: bytes
    digest: bytes
    boot_id: str
    monotonic: float
    wall: datetime
    clock_state: ClockState

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.events) - 1


@dataclass(frozen=True, slots=True)
class Ack:
    """The server's answer after its commit: everything up to `ack` is durable there."""

    epoch: str
    ack: int
    backed_up_to: int
    server_time: datetime
    window: int = 8
    retry_after_s: float = 0.0
    block_list_version: int = 0
    config_version: int = 0
    quarantined: tuple[int, ...] = ()
    """Sequence numbers of this batch that the server holds in quarantine; they count as settled."""


def mqtt_topic(gateway_id: str, leaf: str) -> str:
    """Topic of one gateway: `up` for its requests, `ack` for answers to batches, `down` for all other answers."""
    return f"gw/{gateway_id}/{leaf}"


def chain(previous: bytes, bodies: Iterable[bytes]) -> bytes:
    """Digest after `bodies`, starting from `previous` (32 bytes)."""
    digest = previous
    for body in bodies:
        digest = hashlib.sha256(digest + body).digest()
    return digest


def key_id(public_key: bytes) -> str:
    """Name of a raw 32-byte Ed25519 public key."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def signature_input(payload: bytes) -> bytes:
    """The bytes that are signed for `payload`."""
    return SIGNATURE_DOMAIN + payload


def request_payload(method: str, path: str, timestamp: str) -> bytes:
    """What is signed for a request without a body. `timestamp` is the text of `TIMESTAMP_HEADER`.

    The server does not hold the time against its own clock: a box whose clock died must still get its list, and
    what a replay could fetch was meant for every gateway.
    """
    return f"{method} {path} {timestamp}".encode()


def encode_signature(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


def decode_signature(text: str) -> bytes:
    """Raises `EventError` when `text` is not the base64 of 64 bytes."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:  # also text that is not ASCII
        raise EventError("the signature is not base64", where=SIGNATURE_HEADER) from error
    if len(raw) != 64:
        raise EventError("an Ed25519 signature has 64 bytes", where=SIGNATURE_HEADER)
    return raw


def encode_batch(batch: Batch) -> bytes:
    """Payload bytes. `mtime=0`: the same batch gives the same bytes."""
    head = {
        "version": CONTRACT_VERSION,
        "epoch": batch.epoch,
        "first_seq": batch.first_seq,
        "previous_digest": batch.previous_digest.hex(),
        "digest": batch.digest.hex(),
        "boot_id": batch.boot_id,
        "monotonic": batch.monotonic,
        "wall": batch.wall.isoformat(),
        "clock_state": batch.clock_state.value,
        # Bodies travel as strings: a JSON object would be re-serialised and lose its bytes.
        "events": [body.decode() for body in batch.events],
    }
    return gzip.compress(json.dumps(head, ensure_ascii=False).encode(), compresslevel=6, mtime=0)


def decode_batch(payload: bytes) -> Batch:
    """Raises `TooLarge` or `EventError`; checks shape, limits and the digest chain, not the signature."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise TooLarge(f"the batch has {len(payload)} bytes", remedy=f"send at most {MAX_PAYLOAD_BYTES}")
    fields = _object(_unpack(payload))
    if fields.get("version") != CONTRACT_VERSION:
        raise EventError("unknown contract version", where="version", remedy=f"speak version {CONTRACT_VERSION}")
    bodies = fields.get("events")
    if not isinstance(bodies, list) or not bodies or not all(isinstance(b, str) for b in bodies):
        raise EventError("events must be a list of strings, at least one", where="events")
    if len(bodies) > MAX_EVENTS:
        raise TooLarge(f"{len(bodies)} events in one batch", where="events", remedy=f"send at most {MAX_EVENTS}")
    try:
        batch = Batch(
            epoch=_matching(fields, "epoch", _EPOCH),
            first_seq=_positive(fields, "first_seq"),
            events=tuple(b.encode() for b in bodies),
            previous_digest=_digest(fields, "previous_digest"),
            digest=_digest(fields, "digest"),
            boot_id=str(fields.get("boot_id", ""))[:64],
            monotonic=_finite(fields, "monotonic"),
            wall=_time(fields, "wall"),
            clock_state=ClockState(str(fields.get("clock_state"))),
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise EventError(f"the batch head is malformed: {error}", where="batch") from error
    if chain(batch.previous_digest, batch.events) != batch.digest:
        raise EventError("the digest does not follow from the events", where="digest", remedy="send the batch again")
    return batch


def encode_ack(ack: Ack) -> bytes:
    return json.dumps(
        {
            "epoch": ack.epoch,
            "ack": ack.ack,
            "backed_up_to": ack.backed_up_to,
            "server_time": ack.server_time.isoformat(),
            "window": ack.window,
            "retry_after_s": ack.retry_after_s,
            "block_list_version": ack.block_list_version,
            "config_version": ack.config_version,
            "quarantined": list(ack.quarantined),
        }
    ).encode()


def decode_ack(data: bytes) -> Ack:
    """Raises `EventError` on anything that is not an acknowledgement (a captive portal answers 200 with HTML)."""
    fields = _object(data)
    quarantined = fields.get("quarantined", [])
    if not isinstance(quarantined, list):
        raise EventError("quarantined must be a list", where="quarantined")
    try:
        return Ack(
            epoch=_matching(fields, "epoch", _EPOCH),
            ack=_count(fields, "ack"),
            backed_up_to=_count(fields, "backed_up_to"),
            server_time=_time(fields, "server_time"),
            window=_positive(fields, "window"),
            retry_after_s=_within(fields, "retry_after_s", MAX_RETRY_AFTER_S),
            block_list_version=_count(fields, "block_list_version"),
            config_version=_count(fields, "config_version"),
            quarantined=tuple(int(q) for q in quarantined),
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise EventError(f"the acknowledgement is malformed: {error}", where="ack") from error


def _unpack(payload: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(payload)) as packed:
            data = packed.read(MAX_UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise EventError("the batch is not gzip", where="body", remedy="compress the JSON with gzip") from error
    if len(data) > MAX_UNPACKED_BYTES:
        raise TooLarge("the batch unpacks to too much", where="body", remedy=f"at most {MAX_UNPACKED_BYTES} bytes")
    return data


def _object(data: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EventError("not JSON", where="body") from error
    if not isinstance(fields, dict):
        raise EventError("a JSON object is expected", where="body")
    return fields


def _matching(fields: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not pattern.match(value):
        raise EventError(f"{name} must match {pattern.pattern}", where=name)
    return value


def _count(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise EventError(f"{name} must be a whole number, at least 0", where=name)
    return value


def _positive(fields: dict[str, Any], name: str) -> int:
    value = _count(fields, name)
    if value == 0:
        raise EventError(f"{name} must be at least 1", where=name)
    return value


def _finite(fields: dict[str, Any], name: str) -> float:
    """JSON of Python's making may say NaN, Infinity or 1e999; a missing number is 0."""
    value = fields.get(name, 0.0)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise EventError(f"{name} must be a number", where=name)
    number = float(value)
    if not math.isfinite(number):
        raise EventError(f"{name} must be a finite number", where=name)
    return number


def _within(fields: dict[str, Any], name: str, limit: float) -> float:
    number = _finite(fields, name)
    if not 0 <= number <= limit:
        raise EventError(f"{name} must lie between 0 and {limit:g}", where=name)
    return number


def _digest(fields: dict[str, Any], name: str) -> bytes:
    raw = bytes.fromhex(str(fields.get(name)))
    if len(raw) != 32:
        raise EventError(f"{name} must be 64 hex digits", where=name)
    return raw


def _time(fields: dict[str, Any], name: str) -> datetime:
    moment = datetime.fromisoformat(str(fields.get(name)))
    if moment.tzinfo is None:
        raise EventError(f"{name} must carry its offset from UTC", where=name)
    return moment
