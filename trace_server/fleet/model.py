"""Heartbeats, settings versions and the health of a gateway as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from trace_server.accounts.model import Gateway


class Health(StrEnum):
    """One word for the list; the reasons say more."""

    WELL = "well"
    ATTENTION = "attention"
    SILENT = "silent"
    """Nothing heard for longer than two heartbeats (D91)."""
    NEVER = "never"
    """Active, but nothing was ever heard."""
    WAITING = "waiting"
    """Invited or enrolled; not approved yet."""
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a gateway said of itself. `report`: the numbers of `trace_core.fleet`, JSON values."""

    gateway_id: str
    received_at: datetime
    boot_id: str
    monotonic: float
    """Seconds since that boot."""
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """One issued document and what the gateway made of it; `result` is empty until it said so."""

    gateway_id: str
    version: int
    issued_at: datetime
    issued_by: str
    settings: Mapping[str, Any]
    result: str = ""
    reason: str = ""
    result_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A gateway of the list."""

    gateway: Gateway
    health: Health
    reasons: tuple[str, ...]
    heartbeat: Heartbeat | None
    settings_version: int
    """Newest version issued for it, 0 for none."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the server tells a gateway in answer to its heartbeat."""

    server_time: datetime
    config_version: int
    block_list_version: int
    rotate_key: bool
