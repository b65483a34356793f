"""Which batches are blocked, and the list that follows. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from trace_server.blocklist.model import BlockedBatch, BlockEntry, Match, Reason

CLASS_URI = "https://id.gs1.org/01/{gtin}/10/{lot}"


def entries(batches: Iterable[BlockedBatch]) -> list[Mapping[str, str]]:
    """Lines for each batch: its lot class, and each tagged item by itself, since a tag does not carry the lot."""
    found: list[BlockEntry] = []
    for batch in batches:
        reason = Reason.RECALLED if batch.is_recalled else Reason.EXPIRED
        named = [(Match.CLASS, CLASS_URI.format(gtin=batch.gtin, lot=batch.lot))]
        named += [(Match.URI, epc) for epc in batch.epcs]
        found += [BlockEntry(match, value, "refuse", reason.value) for match, value in named]
    return [entry.as_json() for entry in sorted(found, key=lambda entry: (entry.match, entry.value))]


def digest(lines: Sequence[Mapping[str, str]]) -> bytes:
    """Same lines, same digest: a list that says nothing new is no new version."""
    return hashlib.sha256(json.dumps(list(lines), sort_keys=True, ensure_ascii=False).encode()).digest()
