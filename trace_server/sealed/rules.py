"""Sealing and opening bytes. Pure but for the random nonce.

A sealed value:

    0        1          2            14                 n-16     n
    | version | key letter | nonce 96 bit | AES-256-GCM ciphertext | tag |

The additional data binds it to its id and purpose, so that no row can be put in another's place. The plaintext is
JSON filled up with spaces: its length does not tell a short name from a long one.

Source: NIST SP 800-38D; 个人信息保护法 art. 51 (encryption), 28 (sensitive data).
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trace_core.errors import ConfigError, InputError
from trace_server.sealed.model import Purpose, SealedId

VERSION = 1
NONCE_BYTES = 12
BLOCK_BYTES = 256
"""Plaintexts are filled up to a multiple of this."""
MAX_FIELDS = 30
MAX_CHARACTERS = 4_000
"""Of all fields together."""
MIN_REASON = 4
MAX_REASON = 1_000
LOOK = timedelta(minutes=15)
"""How long an opened value may be looked at, from the first look."""
APPROVAL_LIFE = timedelta(days=3)
"""How long an approval waits for the one who asked."""
_KEY = re.compile(r"([0-9A-HJKMNP-TV-Z]):(.{32,})\Z")
_FIRST_LETTER = "A"


class Keys:
    """The keys of the `sealed_key` setting, newest first."""

    def __init__(self, secrets_by_letter: Mapping[str, str]) -> None:
        self._keys = {
            letter: hmac.digest(secret.encode(), b"suyuan/sealed/1", "sha256")
            for letter, secret in secrets_by_letter.items()
        }
        self._index_key = hmac.digest(list(secrets_by_letter.values())[-1].encode(), b"suyuan/sealed/index", "sha256")

    @classmethod
    def parse(cls, setting: str) -> Keys:
        """`B:newer,A:older`, or one secret without a letter, which is then A. Raises `ConfigError`."""
        parts = [part.strip() for part in setting.split(",")] if setting else []
        if not parts:
            raise ConfigError(
                "personal data cannot be sealed without its key",
                where="sealed_key",
                remedy="set SUYUAN_SEALED_KEY_FILE to a file with at least 32 random characters",
            )
        found: dict[str, str] = {}
        for part in parts:
            named = _KEY.match(part)
            letter, secret = (named[1], named[2]) if named else (_FIRST_LETTER, part)
            if letter in found or len(secret) < 32:
                raise ConfigError(
                    "the keys cannot be used", where="sealed_key", remedy="B:newer,A:older, each ≥ 32 characters"
                )
            found[letter] = secret
        return cls(found)

    @property
    def newest(self) -> str:
        """Letter of the key that new values are sealed with."""
        return next(iter(self._keys))

    def seal(self, sealed_id: SealedId, purpose: Purpose, fields: Mapping[str, str]) -> bytes:
        """`fields` under the newest key."""
        letter, nonce = self.newest, secrets.token_bytes(NONCE_BYTES)
        plain = json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":")).encode()
        plain += b" " * (-len(plain) % BLOCK_BYTES)
        sealed = AESGCM(self._keys[letter]).encrypt(nonce, plain, _bound(sealed_id, purpose, letter))
        return bytes([VERSION]) + letter.encode() + nonce + sealed

    def open(self, sealed_id: SealedId, purpose: Purpose, sealed: bytes) -> dict[str, str]:
        """The fields again. Raises `ConfigError` when their key is missing, or the value is not what was sealed."""
        letter = sealed[1:2].decode("ascii", "replace")
        key = self._keys.get(letter)
        if sealed[:1] != bytes([VERSION]) or key is None:
            raise ConfigError(
                f"the value was sealed with key {letter}, which is not set",
                where="sealed_key",
                remedy="keep old keys until `trace-server sealed rotate` has finished",
            )
        nonce, rest = sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :]
        try:
            plain = AESGCM(key).decrypt(nonce, rest, _bound(sealed_id, purpose, letter))
        except InvalidTag as error:
            raise ConfigError("the value is not what was sealed, or the key is another", where="sealed_key") from error
        fields: dict[str, str] = json.loads(plain)
        return fields

    def index(self, purpose: Purpose, text: str) -> bytes:
        """32 bytes that find an equal text again without opening anything; the same after a rotation."""
        return hmac.digest(self._index_key, f"{purpose}\0{text}".encode(), "sha256")


def new_sealed_id() -> SealedId:
    """128 random bits."""
    return SealedId(secrets.token_hex(16))


def require_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """Raises `InputError` for nothing, for too many and for too much."""
    found = {name: text.strip() for name, text in fields.items() if text.strip()}
    if not 1 <= len(found) <= MAX_FIELDS or sum(map(len, found.values())) > MAX_CHARACTERS:
        raise InputError(f"1 to {MAX_FIELDS} fields of at most {MAX_CHARACTERS:,} characters together", where="fields")
    return found


def require_reason(text: str) -> str:
    """Raises `InputError` for a reason that says nothing."""
    reason = text.strip()
    if not MIN_REASON <= len(reason) <= MAX_REASON:
        raise InputError(f"a reason of {MIN_REASON} to {MAX_REASON:,} characters is needed", where="reason")
    return reason


def hour(now: datetime) -> datetime:
    """The hour that `now` lies in: finer times could tell who came when."""
    return now.replace(minute=0, second=0, microsecond=0)


def _bound(sealed_id: SealedId, purpose: Purpose, letter: str) -> bytes:
    return f"suyuan/sealed/{VERSION}\0{sealed_id}\0{purpose}\0{letter}".encode()
