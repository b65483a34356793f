"""What is signed of a report: its number, its times and both hashes, with an Ed25519 key derived for this alone."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from trace_core.errors import ConfigError
from trace_core.uplink import key_id
from trace_server.config import Settings
from trace_server.reports.model import Content, Report

SUITE: Final = "ed25519"
_PURPOSE: Final = b"suyuan credit report key v1"


def canonical(value: object) -> bytes:
    """JSON with sorted keys, UTF-8, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def content_bytes(report: Report, content: Content) -> bytes:
    """The facts of a report, the bytes that `content_sha256` is of."""
    return canonical(
        {
            "report_no": report.report_no,
            "kind": report.wish.kind,
            "subjects": list(report.wish.usccs),
            "policy_version": content.policy_version,
            "parts": [[part.title, list(part.headings), [list(row) for row in part.rows]] for part in content.parts],
        }
    )


def statement(report: Report) -> bytes:
    """What the signature is over. Raises `ValueError` for a report that was not issued."""
    if report.generated_at is None or report.valid_to is None:
        raise ValueError("only an issued report is signed")
    return canonical(
        {
            "report_no": report.report_no,
            "kind": report.wish.kind,
            "generated_at": report.generated_at.isoformat(),
            "valid_to": report.valid_to.isoformat(),
            "content_sha256": report.content_sha256,
            "file_sha256": report.file_sha256,
        }
    )


def public_key(settings: Settings) -> bytes:
    """32 bytes to check signatures with."""
    return _key(settings).public_key().public_bytes_raw()


def sign(settings: Settings, text: bytes) -> str:
    """`ed25519;<key id>;<signature in base64url>`."""
    made = base64.urlsafe_b64encode(_key(settings).sign(text)).decode()
    return f"{SUITE};{key_id(public_key(settings))};{made}"


def is_signed(seal: str, text: bytes, public: bytes) -> bool:
    """Whether `seal` is by the key `public` over `text`."""
    suite, _, rest = seal.partition(";")
    named, _, made = rest.partition(";")
    if suite != SUITE or named != key_id(public):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.urlsafe_b64decode(made), text)
    except (InvalidSignature, binascii.Error):
        return False
    return True


def _key(settings: Settings) -> Ed25519PrivateKey:
    if not settings.code_secret:
        raise ConfigError("this server has no key to sign reports with", where="code_secret", remedy="make secrets")
    return Ed25519PrivateKey.from_private_bytes(settings.derived_key(_PURPOSE))
