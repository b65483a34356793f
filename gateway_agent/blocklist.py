"""The block list on the box: checked against the pinned key at every load, replaced as a whole, never by an older one.

It stays in use without the server for as long as that takes; each answer says how old it is.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway_agent.killpoints import reach
from trace_core.block_list import MAX_BYTES, signature_input, unpack, unseal
from trace_core.errors import ConfigError, EventError, Refused, TraceError
from trace_core.ids.canonical import canonical_uri
from trace_core.uplink import key_id

log = logging.getLogger(__name__)

MAX_REASON_CHARS = 200
CLOCK_SLACK = timedelta(minutes=5)
"""A list from further in the future than this says that the wall clock is wrong, not that the list is new."""


KEY_FILE = "list_key"


class Verdict(StrEnum):
    ALLOW = "allow"
    WARN = "warn"
    REFUSE = "refuse"


STRICTNESS = {Verdict.ALLOW: 0, Verdict.WARN: 1, Verdict.REFUSE: 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listed code gets."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Asset:
    """Facts of one tagged thing. Empty or None: the server does not know."""

    tid: bytes = b""
    medium: str = ""
    owner: str = ""
    inspection_due: date | None = None
    scrap_on: date | None = None


@dataclass(frozen=True, slots=True)
class BlockList:
    """One version of the list: canonical URI → entry, for single items and for classes (GTIN, GTIN + lot)."""

    version: int
    issued_at: datetime
    items: Mapping[str, Entry]
    classes: Mapping[str, Entry]
    assets: Mapping[str, Asset]

    def age_s(self, wall: datetime) -> float | None:
        """Seconds since the server issued it; None when the wall clock is behind that, so that nobody can tell."""
        if wall < self.issued_at - CLOCK_SLACK:
            return None
        return max(0.0, (wall - self.issued_at).total_seconds())


def parse_block_list(data: bytes) -> BlockList:
    """The content of a signed list (`trace_core.block_list`). Raises `EventError`."""
    if len(data) > MAX_BYTES:
        raise EventError(f"the list has {len(data)} bytes", where="block_list", remedy=f"at most {MAX_BYTES}")
    try:
        fields = json.loads(data)
        issued_at = datetime.fromisoformat(str(fields["issued_at"]))
        tables: dict[str, dict[str, Entry]] = {"uri": {}, "class": {}}
        assets: dict[str, Asset] = {}
        for entry in fields["entries"]:
            if entry["match"] == "asset":
                assets[canonical_uri(str(entry["value"]))] = _asset(entry)
            else:
                _add(tables[entry["match"]], entry)
        if issued_at.tzinfo is None:
            raise ValueError("issued_at has no offset")
        return BlockList(int(fields["version"]), issued_at, tables["uri"], tables["class"], assets)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EventError(f"the list is malformed: {error!r}", where="block_list") from error


def decode_list_key(text: str) -> bytes:
    """32 raw bytes of an Ed25519 public key from base64. Raises `ConfigError`."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ConfigError("the key is not base64", remedy="see `trace-server blocklist key`") from error
    if len(key) != 32:
        raise ConfigError(f"an Ed25519 key has 32 bytes, not {len(key)}", remedy="see `trace-server blocklist key`")
    return key


def pinned_key(folder: Path) -> bytes | None:
    """The key that was pinned when the box enrolled. Raises `ConfigError` for a damaged file."""
    path = folder / KEY_FILE
    return decode_list_key(path.read_text().strip()) if path.is_file() else None


def pin_key(folder: Path, key: bytes) -> None:
    """Trust lists signed by this key from the next start on, and no others."""
    write_durably(folder / KEY_FILE, base64.b64encode(key) + b"\n")


class BlockListFile:
    """`block_list.json` in the state folder. `current` is swapped in one assignment, so readers need no lock."""

    def __init__(self, path: Path, key: bytes | None = None) -> None:
        """`key`: the pinned public key (32 raw bytes); without one no list is taken."""
        self._path = path
        self._mark = path.with_name(path.name + ".version")
        self._key = key
        self._content = b""
        self._highest = _read_mark(self._mark)
        self.current: BlockList | None = None
        self.problem = ""
        """Why there is no list, or why the newest was refused; in words, for the status."""
        if path.is_file():
            try:
                self.current, self._content = self._checked(path.read_bytes())
            except (TraceError, OSError) as error:
                # Answers say that there is no list; the next acknowledgement fetches a good one.
                self._complain(f"{path} is unusable: {error}")

    @property
    def version(self) -> int:
        return self.current.version if self.current else 0

    def replace(self, data: bytes) -> None:
        """Check, store durably, then use. Raises `EventError` or `Refused`: unsigned, forged, older, contradictory."""
        try:
            data = unpack(data)
            new, content = self._checked(data)
        except TraceError as error:
            self._complain(f"a list was refused: {error}")
            raise
        write_durably(self._path, data, before_swap=lambda: reach("list-swap"))
        reach("list-swap")
        self.current, self._content, self.problem = new, content, ""
        if new.version > self._highest:
            self._highest = new.version
            write_durably(self._mark, str(new.version).encode())

    def _checked(self, data: bytes) -> tuple[BlockList, bytes]:
        if self._key is None:
            raise Refused("no key is pinned", where="block_list", remedy="run `gateway-agent pin-list-key`")
        signed = unseal(data)
        if signed.key_id != key_id(self._key):
            remedy = "compare with `trace-server blocklist key`, then run `gateway-agent pin-list-key`"
            raise Refused(
                f"signed by key {signed.key_id}, pinned is {key_id(self._key)}", where="block_list", remedy=remedy
            )
        try:
            Ed25519PublicKey.from_public_bytes(self._key).verify(signed.signature, signature_input(signed.content))
        except InvalidSignature as error:
            raise Refused("the signature does not fit: forged or damaged", where="block_list") from error
        new = parse_block_list(signed.content)
        if new.version < self._highest:
            raise Refused(f"version {new.version} is older than {self._highest}, held before", where="block_list")
        if self.current is not None and new.version == self.version and signed.content != self._content:
            raise Refused(f"two different lists call themselves version {new.version}", where="block_list")
        return new, signed.content

    def _complain(self, problem: str) -> None:
        if problem != self.problem:
            log.error("block list: %s", problem)
        self.problem = problem


def write_durably(
    path: Path, data: bytes, mode: int = 0o644, *, before_swap: Callable[[], None] = lambda: None
) -> None:
    """Replace the file so that after a power cut either the old or the new content is there, complete.

    `before_swap` is called when the new content is on the disk under its draft name.
    """
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    before_swap()
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_mark(path: Path) -> int:
    """The highest version ever held; 0 before the first. A damaged mark protects nothing and is said."""
    try:
        return int(path.read_bytes()[:20])
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        log.error("block list: %s is damaged, an older list would not be noticed: %s", path, error)  # noqa: TRY400
        return 0


def _add(table: dict[str, Entry], entry: Mapping[str, Any]) -> None:
    """Two entries for one code: the stricter stands."""
    uri = canonical_uri(str(entry["value"]))
    new = Entry(Verdict(entry["answer"]), str(entry.get("reason", ""))[:MAX_REASON_CHARS])
    old = table.get(uri)
    if old is None or STRICTNESS[new.verdict] > STRICTNESS[old.verdict]:
        table[uri] = new


def _asset(entry: Mapping[str, Any]) -> Asset:
    due, scrap = entry.get("inspection_due"), entry.get("scrap_on")
    return Asset(
        tid=bytes.fromhex(entry.get("tid", "")),
        medium=str(entry.get("medium", "")),
        owner=str(entry.get("owner", "")),
        inspection_due=date.fromisoformat(due) if due else None,
        scrap_on=date.fromisoformat(scrap) if scrap else None,
    )
