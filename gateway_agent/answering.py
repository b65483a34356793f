"""Allow, warn or refuse, from the list on the box: the answer must come offline too.

Codes are compared in canonical form (`trace_core.ids.canonical`), so it does not matter how the list and the tag
write them. The strictest matching entry wins; every answer says why and how old the list is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from trace_core.errors import EventError, IdentifierError
from trace_core.ids import epc as epc_codec
from trace_core.ids.canonical import canonical_uri

MAX_LIST_BYTES = 67_108_864
"""A list that a gateway reads into memory: about 500,000 entries."""
MAX_REASON_CHARS = 200


class Verdict(StrEnum):
    ALLOW = "allow"
    WARN = "warn"
    REFUSE = "refuse"


_STRICTNESS = {Verdict.ALLOW: 0, Verdict.WARN: 1, Verdict.REFUSE: 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listed code gets."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class BlockList:
    """One version of the list: canonical URI → entry, for single items and for classes (GTIN, GTIN + lot)."""

    version: int
    issued_at: datetime
    items: Mapping[str, Entry]
    classes: Mapping[str, Entry]

    def age_s(self, wall: datetime) -> float:
        return max(0.0, (wall - self.issued_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Identity:
    """What a tag says it is. `canonical` is empty when its bits could not be decoded."""

    uri: str
    canonical: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: Verdict
    reason: str
    list_age_s: float | None


def parse_block_list(data: bytes) -> BlockList:
    """`{version, issued_at, entries: [{match: "uri"|"class", value, answer, reason}]}`. Raises `EventError`."""
    if len(data) > MAX_LIST_BYTES:
        raise EventError(f"the list has {len(data)} bytes", where="block_list", remedy=f"at most {MAX_LIST_BYTES}")
    try:
        fields = json.loads(data)
        issued_at = datetime.fromisoformat(str(fields["issued_at"]))
        tables: dict[str, dict[str, Entry]] = {"uri": {}, "class": {}}
        for entry in fields["entries"]:
            _add(tables[entry["match"]], entry)
        if issued_at.tzinfo is None:
            raise ValueError("issued_at has no offset")
        return BlockList(int(fields["version"]), issued_at, tables["uri"], tables["class"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EventError(f"the list is malformed: {error!r}", where="block_list") from error


def identify(epc: bytes) -> Identity:
    """The name of a tag: its EPC URI, or the raw URI when the bits mean nothing to us."""
    try:
        uri = epc_codec.decode(epc).uri
    except IdentifierError:
        return Identity(epc_codec.raw_uri(epc))
    return Identity(uri, canonical_uri(uri))


def answer(identity: Identity, block_list: BlockList | None, wall: datetime, without_list: Verdict) -> Answer:
    """The answer at the gate for one tag."""
    age_s = block_list.age_s(wall) if block_list else None
    if not identity.canonical:
        return Answer(Verdict.WARN, "unknown-tag", age_s)
    if block_list is None:
        return Answer(without_list, "no-list", None)
    found = [entry for entry in _matches(identity.canonical, block_list) if entry is not None]
    if not found:
        return Answer(Verdict.ALLOW, "not-listed", age_s)
    strictest = max(found, key=lambda entry: _STRICTNESS[entry.verdict])
    return Answer(strictest.verdict, strictest.reason, age_s)


def _matches(canonical: str, block_list: BlockList) -> list[Entry | None]:
    return [
        block_list.items.get(canonical),
        *(block_list.classes.get(candidate) for candidate in class_uris(canonical)),
    ]


def class_uris(canonical: str) -> list[str]:
    """The classes a canonical URI belongs to, itself included: …/01/G/10/L/21/S → …/01/G/10/L, …/01/G."""
    classes = [canonical]
    for qualifier in ("/21/", "/10/", "/22/"):
        head, found, _ = classes[-1].partition(qualifier)
        if found and "/01/" in head:
            classes.append(head)
    return classes


def _add(table: dict[str, Entry], entry: Mapping[str, Any]) -> None:
    """Two entries for one code: the stricter stands."""
    uri = canonical_uri(str(entry["value"]))
    new = Entry(Verdict(entry["answer"]), str(entry.get("reason", ""))[:MAX_REASON_CHARS])
    old = table.get(uri)
    if old is None or _STRICTNESS[new.verdict] > _STRICTNESS[old.verdict]:
        table[uri] = new
