"""Codes, tokens and signatures: how they are made and checked. No I/O but the random source."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from trace_core.errors import InputError
from trace_core.uplink import signature_input

CODE_LIFE = timedelta(hours=24)
"""ASVS and IEC 62443-4-2 CR 1.8: an enrolment code is good for a day at most."""
KEY_LIFE = timedelta(days=365)
KEY_DUE = KEY_LIFE * 2 / 3
"""Then the gateway is asked to make a new key (IEC 62443-4-2 CR 1.5, 1.9)."""
KEY_OVERLAP = timedelta(hours=24)
"""After a rotation the old key is good for so long: batches under way, and an answer that got lost."""
CODE_CHARACTERS = 20
"""Of 32 different ones: 100 bits."""
FAILURE_WINDOW = timedelta(minutes=15)
MAX_FAILURES = 10
"""Wrong codes that one address may try in a window."""
TOKEN_PREFIX = "suyuan_"  # noqa: S105 – lets secret scanners find lost tokens
USE_NOTED = timedelta(hours=1)
"""How fine the last use of a client is known."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U to misread
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_GATEWAY_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}\Z")


def new_code() -> str:
    """A code to read out over the phone: five groups of four."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(CODE_CHARACTERS))
    return "-".join(drawn[i : i + 4] for i in range(0, CODE_CHARACTERS, 4))


def code_hash(code: str) -> bytes:
    """SHA-256 of the code as meant, however it was typed."""
    return hashlib.sha256(code.upper().translate(_LOOKALIKES).encode()).digest()


def new_token() -> str:
    """A bearer token with 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token; a slow hash would protect nothing that 256 random bits do not."""
    return hashlib.sha256(token.encode()).digest()


def new_client_id() -> str:
    return f"c-{secrets.token_hex(6)}"


def window_start(now: datetime) -> datetime:
    """Start of the throttle window that `now` lies in."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((now - midnight) // FAILURE_WINDOW) * FAILURE_WINDOW


def gateway_id(text: str) -> str:
    """Raises `InputError` on anything that does not fit in a topic, a file name and a URL alike."""
    if not _GATEWAY_ID.match(text):
        raise InputError(
            f"{text!r} is no gateway id", where="gateway_id", remedy="2 to 63 of a-z, 0-9 and -, not starting with -"
        )
    return text


def is_signed_by(public_key: bytes, signature: bytes, payload: bytes) -> bool:
    """Whether `signature` (64 bytes, Ed25519) over the uplink input of `payload` is the key's."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signature_input(payload))
    except InvalidSignature:
        return False
    return True
