"""Reader protocols. A new one is one module (or folder) here that defines `PROTOCOL`; nothing else changes."""

from __future__ import annotations

import sys

from trace_core.readers._base import ReaderProtocol
from trace_core.registry import discover


def protocols() -> dict[str, ReaderProtocol]:
    """Every protocol by name, sorted. Raises `TypeError` or `ValueError` when a module here is faulty."""
    return discover(sys.modules[__name__], "PROTOCOL", ReaderProtocol)
