"""The cursor of the list: the last URI seen, signed, so that nobody reads a made-up one."""

from __future__ import annotations

import base64
import hmac

from trace_core.errors import InputError
from trace_server.config import Settings

_PURPOSE = b"suyuan equipment cursor v1"
_MAC_BYTES = 16


def write_cursor(uri: str, settings: Settings) -> str:
    """Opaque text for "behind `uri`"."""
    head = uri.encode()
    return base64.urlsafe_b64encode(_mac(head, settings) + head).decode("ascii")


def read_cursor(text: str, settings: Settings) -> str:
    """The URI in a cursor, "" for "". Raises `InputError` for any other text."""
    if not text:
        return ""
    wrong = InputError("this is no cursor of this list", where="cursor", remedy="use next_cursor as it was given")
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError as error:
        raise wrong from error
    mac, head = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(head, settings)):
        raise wrong
    return head.decode()


def _mac(head: bytes, settings: Settings) -> bytes:
    return hmac.digest(settings.derived_key(_PURPOSE), head, "sha256")[:_MAC_BYTES]
