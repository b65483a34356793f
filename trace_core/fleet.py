"""What server and gateway agree on beside events: remote settings, heartbeat, change of the key. Pure.

A settings document travels as a block list does:

    suyuan-settings-v1 <key id> <base64 of the signature>\\n
    {"gateway": ID, "version": N, "issued_at": TIME, "settings": {…}}

signed by the list key, `signature = Ed25519(SETTINGS_DOMAIN + content)`. `settings` names sections of the gateway's
file; `read_point` and `reader` are keyed by id and name. Only what `REMOTE` lists may appear: never keys, files or the
server's address, so that whoever holds the list key cannot take a gateway away from its server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trace_core.errors import EventError, InputError
from trace_core.uplink import decode_signature, encode_signature

HEARTBEAT_PATH = "/api/v1/gateways/heartbeat"
SETTINGS_PATH = "/api/v1/gateways/settings"
ROTATE_PATH = "/api/v1/gateways/keys"
HEARTBEAT_S = 60.0
"""A gateway that is silent for two of these is reported (D91)."""
SETTINGS_TYPE = "application/vnd.suyuan.settings"
SETTINGS_MAGIC = "suyuan-settings-v1"
SETTINGS_DOMAIN = b"suyuan-settings-v1\n"
ROTATION_DOMAIN = b"suyuan-key-rotation-v1\n"
MAX_SETTINGS_BYTES = 65_536
MAX_HEAD_BYTES = 256
RESULTS = ("kept", "rolled_back", "refused")
"""What a gateway made of a settings version."""

REMOTE: Mapping[str, frozenset[str]] = {
    "server": frozenset({"timeout_s", "first_connect_spread_s", "slow_retry_s"}),
    "gateway": frozenset({"queue_size", "group_size", "group_ms"}),
    "answer": frozenset({"without_list", "list_stale_h", "pre_check_valid_s"}),
    "read_point": frozenset({"presence_window_s", "min_reads", "rssi_min_dbm", "checkpoint", "report"}),
    "reader": frozenset({"options"}),
}
KEYED = {"read_point": "id", "reader": "name"}
"""Sections that the file repeats, and the key that tells their entries apart."""
REMOTE_OPTIONS = frozenset(
    {"power_dbm", "power_index", "antennas", "session", "q", "scan_time", "sightings", "rounds", "silence_s"}
)
"""Options of readers that may be set: how strongly, where and how often they read; never whom they talk to."""


@dataclass(frozen=True, slots=True)
class SettingsDocument:
    """One version for one gateway. `settings`: section → key → value, see `REMOTE`."""

    gateway_id: str
    version: int
    issued_at: datetime
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document and who is said to have signed it; nothing is proved before the signature was checked."""

    key_id: str
    signature: bytes
    content: bytes


def settings_input(content: bytes) -> bytes:
    """The bytes that are signed for `content`."""
    return SETTINGS_DOMAIN + content


def rotation_input(gateway_id: str, old_key_id: str) -> bytes:
    """What a new key signs to prove that its owner has it, and whose key it replaces."""
    return ROTATION_DOMAIN + f"{gateway_id} {old_key_id}".encode()


def encode_settings(document: SettingsDocument) -> bytes:
    """The content to sign; the same document gives the same bytes."""
    fields = {
        "gateway": document.gateway_id,
        "version": document.version,
        "issued_at": document.issued_at.isoformat(),
        "settings": document.settings,
    }
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def decode_settings(content: bytes) -> SettingsDocument:
    """Raises `EventError` for what is no settings document, or names what may not be set from afar."""
    try:
        fields = json.loads(content)
        document = SettingsDocument(
            str(fields["gateway"]),
            int(fields["version"]),
            datetime.fromisoformat(str(fields["issued_at"])),
            fields["settings"],
        )
        check_remote(document.settings)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EventError(f"the settings are malformed: {error!r}", where="settings") from error
    except InputError as error:
        raise EventError(error.what, where=error.where, remedy=error.remedy) from error
    return document


def seal_settings(sealed: Sealed) -> bytes:
    """The bytes that travel."""
    return f"{SETTINGS_MAGIC} {sealed.key_id} {encode_signature(sealed.signature)}\n".encode() + sealed.content


def unseal_settings(data: bytes) -> Sealed:
    """The parts of `data`. Raises `EventError`."""
    head, newline, content = data.partition(b"\n")
    words = head[: MAX_HEAD_BYTES + 1].decode("ascii", errors="replace").split(" ")
    if not newline or len(words) != 3 or words[0] != SETTINGS_MAGIC or len(data) > MAX_SETTINGS_BYTES:
        raise EventError("no signed settings", where="settings", remedy="update the server")
    return Sealed(words[1], decode_signature(words[2]), content)


def check_remote(settings: object) -> None:
    """Raises `InputError` with a JSON pointer for anything outside `REMOTE`. Values are the gateway's to check."""
    for pointer, section, key, value in _leaves(settings):
        if key not in REMOTE.get(section, ()):
            known = ", ".join(sorted(REMOTE[section])) if section in REMOTE else ", ".join(REMOTE)
            raise InputError(f"{key!r} may not be set from afar", where=pointer, remedy=f"one of: {known}")
        if section == "reader":
            _check_options(value, pointer)


def _check_options(options: object, pointer: str) -> None:
    for name in _table(options, pointer):
        if name not in REMOTE_OPTIONS:
            remedy = f"one of: {', '.join(sorted(REMOTE_OPTIONS))}"
            raise InputError(f"the option {name!r} may not be set from afar", where=f"{pointer}/{name}", remedy=remedy)


def _leaves(settings: object) -> Iterator[tuple[str, str, str, object]]:
    """Pointer, section, key and value of each setting."""
    for section, table in _table(settings, "/settings").items():
        pointer = f"/settings/{section}"
        entries = _table(table, pointer)
        if section not in KEYED:
            entries = {"": entries}
        for name, entry in entries.items():
            place = f"{pointer}/{name}" if name else pointer
            for key, value in _table(entry, place).items():
                yield f"{place}/{key}", section, key, value


def _table(value: object, pointer: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError("a table is needed", where=pointer, remedy="see docs/how-to/manage-a-fleet.md")
    return value
