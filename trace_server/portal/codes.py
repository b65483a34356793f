"""From the bytes of a request to a code, once and before anything else is looked at.

The path is taken as the browser sent it and decoded part by part: a server that decodes the whole path first turns
`%2F` in a lot into a separator, and one code into another.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from trace_core.errors import InputError
from trace_core.ids import gs1
from trace_server.portal.model import Code

MAX_PATH = 256
"""Characters of a code's path: 14 + 20 + 20 characters, each percent-encoded, fit in 180."""
_READABLE = re.compile(r"\(01\)\s*(\d{8,14})\s*\(10\)\s*([^()\s]{1,20})\s*\(21\)\s*([^()\s]{1,20})\Z")
_LINK = re.compile(r"(?:https?://[^/\s?#]+)?(/01/[^?#\s]+)(?:\?(?:[^#\s]*&)?s=([^&#\s]+)[^#\s]*)?")


@lru_cache(maxsize=4096)
def from_path(raw: str) -> Code:
    """`/01/<gtin>/10/<lot>/21/<serial>` as sent → the code. Raises `InputError` or `IdentifierError`."""
    if len(raw) > MAX_PATH:
        raise InputError("the path is too long", where="path", remedy=f"at most {MAX_PATH} characters")
    parts = raw.split("/")
    if len(parts) != 7 or parts[0] or parts[1] != "01" or parts[3] != "10" or parts[5] != "21":
        raise InputError("no such kind of code", where="path", remedy="/01/<gtin>/10/<lot>/21/<serial>")
    try:
        gtin, lot, serial = (unquote(part, errors="strict") for part in (parts[2], parts[4], parts[6]))
    except UnicodeDecodeError as error:
        raise InputError("the path is not UTF-8", where="path") from error
    return Code(gs1.gtin(gtin), gs1.lot(lot), gs1.serial(serial))


def from_typed(text: str, signature: str) -> tuple[Code, str]:
    """What a person typed: the bracketed line of the label with the check code, or the whole address.

    Raises `InputError` or `IdentifierError`.
    """
    text = text.strip()
    readable = _READABLE.match(text)
    if readable:
        return Code(gs1.gtin(readable[1]), gs1.lot(readable[2]), gs1.serial(readable[3])), signature
    link = _LINK.fullmatch(text)
    if link is None:
        raise InputError("the code is not complete", where="code", remedy="(01)…(10)…(21)…")
    return from_path(link[1]), signature or unquote(link[2] or "")
