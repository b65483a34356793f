"""Printed codes at a gate: a code that names one thing is a read like any other, everything else is quarantined.

Such a read carries the Digital Link where a tag's read carries EPC memory. The two cannot be mistaken for each
other: no EPC header begins like "https" (TDS 2.3 table 14-1).
"""

from __future__ import annotations

from trace_core.errors import IdentifierError
from trace_core.ids.canonical import canonical_uri
from trace_core.ids.digital_link import parse
from trace_core.readers._base import BadBytes, CodeRead, TagRead

LINK_PREFIX = b"https://id.gs1.org/"
SINGLE_THINGS = {"00": None, "01": "21", "8003": None, "8004": None, "8006": "21", "8010": "8011"}
"""Keys of goods → the qualifier without which they name a class, not a thing (None: always a thing)."""


def as_read(code: CodeRead) -> TagRead | BadBytes:
    """The read that `code` stands for, or why it stands for none.

    A class (an EAN without a serial) is no read: two of the same carton would look like one that stays.
    """
    if code.uri is None:
        return BadBytes("code-without-gs1-key", code.text.encode())
    try:
        link = parse(code.uri)
    except IdentifierError:
        return BadBytes("bad-code", code.text.encode())
    key = link.primary[0]
    if key not in SINGLE_THINGS:
        return BadBytes("code-of-no-goods", code.text.encode())
    needed = SINGLE_THINGS[key]
    if needed is not None and needed not in dict(link.qualifiers):
        return BadBytes("code-of-a-class", code.text.encode())
    return TagRead(epc=canonical_uri(code.uri).encode(), reader=code.reader)
