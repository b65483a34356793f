"""How deliveries are signed (domain rules §6): HMAC-SHA256 with the client's secret, or the server's Ed25519 key.

What is signed is `<event id> "." <timestamp> "." <nonce> "." <body>`: a body cannot be sent again under another time or
name. The body is canonical JSON: keys sorted, UTF-8, no spaces. A receiver refuses a timestamp more than five minutes
off and a nonce that it has seen within that time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from trace_server.config import Settings
from trace_server.exchange.model import Hook, Suite
from trace_server.users.rules import unseal

EVENT_ID: Final = "Suyuan-Event-Id"
TIMESTAMP: Final = "Suyuan-Timestamp"
NONCE: Final = "Suyuan-Nonce"
SIGNATURE: Final = "Suyuan-Signature"
WINDOW_S: Final = 300
TOKEN_PURPOSE: Final = b"exchange hook tokens"
_KEY_PURPOSE: Final = b"exchange signing key"


@dataclass(frozen=True, slots=True)
class Signer:
    """One key; its id is made of it, so that a receiver knows a new one when it sees it."""

    suite: Suite
    key_id: str
    secret: bytes

    def sign(self, text: bytes) -> str:
        """`<suite>;<key id>;<signature in base64url>`."""
        if self.suite is Suite.HMAC_SHA256:
            made = hmac.new(self.secret, text, hashlib.sha256).digest()
        else:
            made = Ed25519PrivateKey.from_private_bytes(self.secret).sign(text)
        return f"{self.suite.value};{self.key_id};{base64.urlsafe_b64encode(made).decode()}"


def canonical(value: object) -> bytes:
    """JSON with sorted keys, UTF-8, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def server_key(settings: Settings) -> Signer:
    """The server's Ed25519 key, derived from `code_secret`."""
    seed = settings.derived_key(_KEY_PURPOSE)
    return Signer(Suite.ED25519, key_id(public_key(settings)), seed)


def public_key(settings: Settings) -> bytes:
    """32 bytes: what a receiver checks Ed25519 signatures with."""
    private = Ed25519PrivateKey.from_private_bytes(settings.derived_key(_KEY_PURPOSE))
    return private.public_key().public_bytes_raw()


def key_id(key: bytes) -> str:
    """Name of a key: it says nothing about it."""
    return hashlib.sha256(b"suyuan exchange key id\n" + key).hexdigest()[:16]


def signers(hook: Hook, settings: Settings, now: datetime) -> list[Signer]:
    """The keys that sign for a hook now: after a change of secret the old one too, until its end."""
    if hook.suite is Suite.ED25519:
        return [server_key(settings)]
    sealed = [hook.sealed_token]
    if hook.old_sealed_token and hook.old_until is not None and now < hook.old_until:
        sealed.append(hook.old_sealed_token)
    tokens = [unseal(text, settings.derived_key(TOKEN_PURPOSE)).encode() for text in sealed]
    return [Signer(Suite.HMAC_SHA256, key_id(token), token) for token in tokens]


def signed_headers(event_id: str, now: datetime, body: bytes, keys: list[Signer]) -> dict[str, str]:
    """Headers of one delivery."""
    timestamp, nonce = str(int(now.timestamp())), secrets.token_urlsafe(16)
    text = signed_text(event_id, timestamp, nonce, body)
    return {
        EVENT_ID: event_id,
        TIMESTAMP: timestamp,
        NONCE: nonce,
        SIGNATURE: ", ".join(key.sign(text) for key in keys),
    }


def signed_text(event_id: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """What the signatures are over."""
    return f"{event_id}.{timestamp}.{nonce}.".encode() + body


def is_signed(headers: Mapping[str, str], body: bytes, now: datetime, *, token: str = "", public: bytes = b"") -> bool:
    """What a receiver does (apart from its memory of nonces), for those who write one, and for our tests."""
    try:
        event_id, timestamp, nonce = headers[EVENT_ID], headers[TIMESTAMP], headers[NONCE]
        parts = [part.strip().split(";") for part in headers[SIGNATURE].split(",")]
        age = abs(now.timestamp() - int(timestamp))
    except (KeyError, ValueError):
        return False
    text = signed_text(event_id, timestamp, nonce, body)
    return age <= WINDOW_S and any(
        _matches(part[0], base64.urlsafe_b64decode(part[2]), text, token, public) for part in parts if len(part) == 3
    )


def _matches(suite: str, made: bytes, text: bytes, token: str, public: bytes) -> bool:
    if suite == Suite.HMAC_SHA256 and token:
        return hmac.compare_digest(made, hmac.new(token.encode(), text, hashlib.sha256).digest())
    if suite == Suite.ED25519 and public:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(made, text)
        except InvalidSignature:
            return False
        return True
    return False
