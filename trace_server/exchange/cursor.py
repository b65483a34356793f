"""Cursors of the feed: opaque, signed, good across restarts and web processes.

    byte   0      1 … 8              9 … 16             17 … 32
         version  seq (big-endian)   digest of filter   MAC over bytes 0 … 16

A cursor belongs to its filter: with another one it would silently skip entries, so it is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

from trace_core.errors import InputError
from trace_server.credit.model import Filter

VERSION = 1
HEAD_BYTES = 17
MAC_BYTES = 16
TEXT_LENGTH = 44
"""Characters of base64url for 33 bytes; a longer text is not even decoded."""
_PURPOSE = b"suyuan credit feed cursor v1"
_PLACE = b"suyuan credit snapshot cursor v1"
PLACE_BYTES = 25
"""Version, number of the change, record id."""


def write_cursor(seq: int, wanted: Filter, secret: str) -> str:
    """The cursor behind change `seq` of the changes that `wanted` lets through."""
    head = bytes([VERSION]) + seq.to_bytes(8, "big") + _filter_digest(wanted)
    return base64.urlsafe_b64encode(head + _mac(head, secret)).decode("ascii")


def read_cursor(text: str, wanted: Filter, secret: str) -> int:
    """The change number in a cursor that `write_cursor` made. Raises `InputError` for any other text or filter."""
    head = _verified_head(text, secret)
    if head[9:] != _filter_digest(wanted):
        raise InputError(
            "the cursor belongs to another filter", where="cursor", remedy="keep the filter, or begin without a cursor"
        )
    return int.from_bytes(head[1:9], "big")


def write_place(seq: int, after: str, secret: str) -> str:
    """Where a snapshot of change `seq` goes on: behind record `after`."""
    head = bytes([VERSION]) + seq.to_bytes(8, "big") + UUID(after).bytes
    return base64.urlsafe_b64encode(head + _mac(head, secret, _PLACE)).decode("ascii")


def read_place(text: str, secret: str) -> tuple[int, str]:
    """The reverse of `write_place`. Raises `InputError` for any other text."""
    wrong = InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as err:
        raise wrong from err
    head, mac = raw[:PLACE_BYTES], raw[PLACE_BYTES:]
    if len(head) != PLACE_BYTES or not hmac.compare_digest(mac, _mac(head, secret, _PLACE)) or head[0] != VERSION:
        raise wrong
    return int.from_bytes(head[1:9], "big"), str(UUID(bytes=head[9:]))


def _verified_head(text: str, secret: str) -> bytes:
    wrong = InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    if len(text) != TEXT_LENGTH or not text.isascii():
        raise wrong
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error as err:
        raise wrong from err
    head, mac = raw[:HEAD_BYTES], raw[HEAD_BYTES:]
    if not hmac.compare_digest(mac, _mac(head, secret)) or head[0] != VERSION:
        raise wrong
    return head


def _mac(head: bytes, secret: str, purpose: bytes = _PURPOSE) -> bytes:
    # A key of its own, derived: what signs cursors must not sign product codes.
    key = hmac.digest(secret.encode(), purpose, "sha256")
    return hmac.digest(key, head, "sha256")[:MAC_BYTES]


def _filter_digest(wanted: Filter) -> bytes:
    text = "\x00".join((wanted.region, wanted.category, wanted.department, ",".join(sorted(wanted.kinds))))
    return hashlib.sha256(text.encode()).digest()[:8]
