"""Cursors of the lists: opaque, signed, good across restarts and web processes.

A cursor belongs to its list: behind another one it would silently skip rows, so it is refused there.
"""

from __future__ import annotations

import base64
import hmac
import json

from trace_core.errors import InputError
from trace_server.config import Settings

MAX_TEXT = 4096
"""A longer text is not even decoded."""
_PURPOSE = b"suyuan recall cursor v1"
_MAC_BYTES = 16


def write_cursor(of: str, place: tuple[str, ...], settings: Settings) -> str:
    """The list `of` behind the row at `place`, its order's columns as text."""
    head = json.dumps([of, *place], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_mac(head, settings) + head).decode("ascii")


def read_cursor(of: str, text: str, settings: Settings) -> tuple[str, ...] | None:
    """The place in a cursor of `write_cursor`, None for "". Raises `InputError` for any other text or list."""
    if not text:
        return None
    wrong = InputError("this is no cursor of this list", where="cursor", remedy="use next_cursor as it was given")
    if len(text) > MAX_TEXT:
        raise wrong
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError as error:
        raise wrong from error
    mac, head = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(head, settings)):
        raise wrong
    name, *place = json.loads(head)
    if name != of:
        raise wrong
    return tuple(place)


def _mac(head: bytes, settings: Settings) -> bytes:
    return hmac.digest(settings.derived_key(_PURPOSE), head, "sha256")[:_MAC_BYTES]
