"""Tokens of the next page: opaque, signed, good across restarts and web processes.

    byte   0      1 … 8              9 … 12      13 … 20              21 … 36     37 … 52
         version  digest of query    delivered   µs since 1970        event key   MAC over bytes 0 … 36
                                                 (signed)

A token belongs to its query: with another one it would silently skip events, so it is refused. Tokens of collections
(`write_mark`) are the MAC and the last member.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import struct
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from trace_server.db.types import EPOCH, to_microseconds
from trace_server.query.model import Place, QueryInvalid

PURPOSE: Final = b"suyuan query page token v1"
_HEAD: Final = struct.Struct(">B8sIq16s")
_MAC_BYTES: Final = 16
_VERSION: Final = 1
FOLLOW: Final = "follow Link: rel=next"
TEXT_LENGTH: Final = 72
"""Characters of base64url for 53 bytes; a longer text is not even decoded."""


def write_token(place: Place, parameters: Mapping[str, object], key: bytes) -> str:
    """The token behind `place` of the query with these parameters."""
    moment = to_microseconds(place.moment)
    head = _HEAD.pack(_VERSION, _digest(parameters), place.delivered, moment, place.event_key)
    return base64.urlsafe_b64encode(head + _mac(head, key)).decode("ascii")


def read_token(text: str, parameters: Mapping[str, object], key: bytes) -> Place:
    """The place in a token of `write_token`. Raises `QueryInvalid` for any other text or query."""
    wrong = QueryInvalid("this is no page token of this server", where="nextPageToken", remedy=FOLLOW)
    if len(text) != TEXT_LENGTH or not text.isascii():
        raise wrong
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise wrong from error
    head, mac = raw[: _HEAD.size], raw[_HEAD.size :]
    if not hmac.compare_digest(mac, _mac(head, key)) or head[0] != _VERSION:
        raise wrong
    _, digest, delivered, moment, event_key = _HEAD.unpack(head)
    if digest != _digest(parameters):
        raise QueryInvalid("the token belongs to another query", where="nextPageToken", remedy="keep the parameters")
    return Place(EPOCH + timedelta(microseconds=moment), event_key, delivered)


def write_mark(last: str, of: str, key: bytes) -> str:
    """The token behind the member `last` of the collection `of`."""
    text = last.encode()
    mac = _mac(b"\0".join((of.encode(), text)), key)
    return base64.urlsafe_b64encode(mac + text).decode("ascii").rstrip("=")


def read_mark(token: str, of: str, key: bytes) -> str:
    """The member in a token of `write_mark`. Raises `QueryInvalid` for any other text or collection."""
    wrong = QueryInvalid("this is no page token of this collection", where="nextPageToken", remedy=FOLLOW)
    if not token.isascii():
        raise wrong
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise wrong from error
    mac, text = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(b"\0".join((of.encode(), text)), key)):
        raise wrong
    return text.decode()


def _mac(head: bytes, key: bytes) -> bytes:
    return hmac.digest(key, head, "sha256")[:_MAC_BYTES]


def _digest(parameters: Mapping[str, object]) -> bytes:
    return hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).digest()[:8]
