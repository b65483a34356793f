"""The signed block list: what the server signs and every gateway checks. Pure; signing itself is the caller's.

    suyuan-block-list-v1 <key id> <base64 of the signature>\\n
    <content: UTF-8 JSON>

    signature = Ed25519(DOMAIN + content)        key id = `trace_core.uplink.key_id`

The content is signed as the bytes that lie on the gateway's disk; nothing is re-serialised. On the way all of it
may be packed with gzip (`pack`): lists repeat themselves, a line of an asset then takes about 50 bytes.

    {"version": 7, "issued_at": "2026-11-24T04:00:00+00:00", "entries": [
      {"match": "uri" | "class", "value": URI, "answer": "warn" | "refuse", "reason": WORD},
      {"match": "asset", "value": URI, "tid"?: HEX, "medium"?: WORD, "owner"?: USCC,
       "inspection_due"?: DATE, "scrap_on"?: DATE}]}

An asset line states facts, and the gateway decides by them and by its own date, weeks after it last heard of the
server. `inspection_due` is the last day on which the asset may be used, `scrap_on` the first on which it may not.
"""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass

from trace_core.errors import EventError
from trace_core.uplink import decode_signature, encode_signature

MAGIC = "suyuan-block-list-v1"
DOMAIN = b"suyuan-block-list-v1\n"
CONTENT_TYPE = "application/vnd.suyuan.block-list"
MAX_BYTES = 67_108_864
"""Unpacked; a gateway holds it in memory. About 300,000 assets."""
_GZIP = b"\x1f\x8b"
MAX_HEAD_BYTES = 256
"""Magic, 16 hex digits and 88 characters of base64 need 127."""


@dataclass(frozen=True, slots=True)
class SignedList:
    """A list and who is said to have signed it. Nothing is proved until the signature was checked."""

    key_id: str
    signature: bytes
    content: bytes


def signature_input(content: bytes) -> bytes:
    """The bytes that are signed for `content`."""
    return DOMAIN + content


def seal(signed: SignedList) -> bytes:
    """The bytes that travel."""
    return f"{MAGIC} {signed.key_id} {encode_signature(signed.signature)}\n".encode() + signed.content


def pack(sealed: bytes) -> bytes:
    """The same bytes each time for the same list."""
    return gzip.compress(sealed, compresslevel=6, mtime=0)


def unpack(data: bytes) -> bytes:
    """What `pack` packed, or `data` itself when it is not packed. Raises `EventError`, never unpacks beyond a limit."""
    if not data.startswith(_GZIP):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            sealed = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise EventError("the list is damaged gzip", where="block_list") from error
    if len(sealed) > MAX_BYTES:
        raise EventError(f"the list unpacks to more than {MAX_BYTES} bytes", where="block_list")
    return sealed


def unseal(data: bytes) -> SignedList:
    """The parts of `data`. Raises `EventError` when there is no signature in front."""
    head, newline, _ = data[: MAX_HEAD_BYTES + 1].partition(b"\n")
    words = head.decode("ascii", errors="replace").split(" ")
    if not newline or len(words) != 3 or words[0] != MAGIC:
        raise EventError("the list is not signed", where="block_list", remedy="update the server")
    return SignedList(words[1], decode_signature(words[2]), data[len(head) + 1 :])
