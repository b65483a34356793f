"""The signature inside a printed code: proves without a database that we issued exactly this code.

    s = key id (1 character) + 13 characters of Crockford base32 = the first 65 bits of
        HMAC-SHA256(key, "suyuan-code-v1" LF canonical Digital Link)

65 bits keep the serial space unguessable (quality.md §5.7 asks for ≥ 60) and the code short enough for a small label.
A copied label carries a true signature: it says who issued the code, never that the goods are real.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from trace_core.errors import ConfigError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford base32: no I, L, O, U, which people misread or misspell."""
SIGNATURE_CHARACTERS = 14
DOMAIN = b"suyuan-code-v1\n"
BARE_KEY_ID = "1"
"""Key id of a secret that is written without one."""

_BITS = 65
_NAMED_KEY = re.compile(r"([0-9A-HJKMNP-TV-Z]):(.{32,})\Z")
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


@dataclass(frozen=True, slots=True)
class CodeKeys:
    """The signing key and older ones that stay valid for labels in the field. Key id → secret."""

    signing: str
    secrets: dict[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, setting: str) -> CodeKeys:
        """`secret`, or `B:newer,A:older` with one-character ids, the signing key first. Empty: nothing is valid.

        Raises `ConfigError`.
        """
        if not setting:
            return cls("", {})
        parts = [part.strip() for part in setting.split(",")]
        named = [_NAMED_KEY.match(part) for part in parts]
        if not any(named):
            return cls(BARE_KEY_ID, {BARE_KEY_ID: setting.encode()})
        secrets: dict[str, bytes] = {}
        for match in named:
            if match is None or match[1] in secrets:
                raise ConfigError(
                    "one of the keys cannot be used",
                    where="code_secret",
                    remedy="write B:newer,A:older, each id once, each secret at least 32 characters without commas",
                )
            secrets[match[1]] = match[2].encode()
        return cls(next(iter(secrets)), secrets)

    def sign(self, uri: str) -> str:
        """Signature of a code, given as its canonical Digital Link, under the signing key: 14 characters.

        Raises `ConfigError` without a key.
        """
        if not self.signing:
            raise ConfigError("codes cannot be signed", where="code_secret", remedy="set SUYUAN_CODE_SECRET")
        return self.signing + _mac(self.secrets[self.signing], uri)

    def verifies(self, signature: str, uri: str) -> bool:
        """Whether one of our keys made `signature` for this code. Takes the same time whatever is wrong."""
        key_id, mac = signature[:1], signature[1:]
        # An unknown key is checked against a key of our own choosing, so that it costs what a known one costs.
        secret = self.secrets.get(key_id, b"no such key")
        expected = _mac(secret, uri)
        same = hmac.compare_digest(mac.encode("utf-8", "replace"), expected.encode())
        return same and key_id in self.secrets


def read_typed(text: str) -> str:
    """A signature as people type it: lower case, spaces, dashes, O for 0, I or L for 1."""
    return text.strip().upper().translate(_READ_AS)


def grouped(signature: str) -> str:
    """For reading aloud: `1ABCD-EFGHJ-KMNP`."""
    return "-".join(signature[start : start + 5] for start in range(0, len(signature), 5))


def _mac(secret: bytes, uri: str) -> str:
    number = int.from_bytes(hmac.digest(secret, DOMAIN + uri.encode(), hashlib.sha256)[:9], "big") >> (72 - _BITS)
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(_BITS - 5, -1, -5))
