"""What a heartbeat may say, and what it says about the health of its gateway. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from trace_core.errors import InputError
from trace_core.fleet import HEARTBEAT_S, RESULTS
from trace_server.accounts.model import Gateway, GatewayState
from trace_server.accounts.rules import KEY_DUE, KEY_LIFE
from trace_server.fleet.model import Health, Heartbeat, SettingsVersion

MAX_HEARTBEAT_BYTES = 65_536
MAX_NUMBER = 1e15
"""A larger one measures nothing."""
MAX_VERSION = 2**31
SILENT_AFTER = timedelta(seconds=2 * HEARTBEAT_S)
LIST_STALE_S = 24 * 3600.0
"""The server renews its list every six hours; a list of a day has missed some."""
MAX_SKEW_S = 60.0
MIN_SPOOL_HOURS = 24.0
OLD_EVENT_S = 900.0
ONLINE = "online"


def read_heartbeat(gateway_id: str, body: bytes, now: datetime) -> Heartbeat:
    """Raises `InputError` for a body that is no heartbeat."""
    try:
        fields = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError("a heartbeat is a JSON object", where="/") from error
    if not isinstance(fields, dict) or fields.get("kind") != "heartbeat":
        raise InputError("a heartbeat says so: kind = heartbeat", where="/kind")
    boot_id, monotonic = fields.get("boot_id"), fields.get("monotonic")
    if not isinstance(boot_id, str) or not 0 < len(boot_id) <= 64:
        raise InputError("the boot id is missing", where="/boot_id")
    if not isinstance(monotonic, int | float) or isinstance(monotonic, bool) or not abs(monotonic) < MAX_NUMBER:
        raise InputError("seconds since boot are missing", where="/monotonic")
    report = fields.get("report")
    if not isinstance(report, dict):
        raise InputError("the report is missing", where="/report")
    require_storable(fields, "/")
    return Heartbeat(gateway_id, now, boot_id, float(monotonic), report)


def require_storable(value: object, where: str) -> None:
    """Raises `InputError` for text that a database does not keep: NUL, halves of characters."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError("text with half a character", where=where) from error
    if "\\u0000" in text:
        raise InputError("text with a NUL character", where=where)


def outcome(report: Mapping[str, Any]) -> tuple[int, str, str] | None:
    """Version, result and reason of the last settings that the gateway tried; None when it says none."""
    told = table(report, "settings").get("outcome")
    if not isinstance(told, Mapping) or told.get("result") not in RESULTS or not isinstance(told.get("version"), int):
        return None
    if not 0 < told["version"] < MAX_VERSION:
        return None
    return int(told["version"]), str(told["result"]), str(told.get("reason", ""))[:500]


def is_rotation_due(gateway: Gateway, now: datetime) -> bool:
    return gateway.key_made_at is not None and now - gateway.key_made_at >= KEY_DUE


def judge(
    gateway: Gateway, beat: Heartbeat | None, newest: SettingsVersion | None, now: datetime
) -> tuple[Health, tuple[str, ...]]:
    """Health and, unless it is well, why: a sentence each."""
    if gateway.state is GatewayState.REVOKED:
        return Health.REVOKED, ("It was revoked.",)
    if gateway.state is not GatewayState.ACTIVE:
        return Health.WAITING, (f"It is {gateway.state}, not approved.",)
    reasons = list(_key_reasons(gateway, now))
    if beat is None:
        return Health.NEVER, ("No heartbeat has come yet.", *reasons)
    reasons += _settings_reasons(newest)
    reasons += _reasons(beat.report)
    silent_s = (now - beat.received_at).total_seconds()
    if now - beat.received_at > SILENT_AFTER:
        return Health.SILENT, (f"Silent for {silent_s:.0f} s.", *reasons)
    return (Health.ATTENTION if reasons else Health.WELL), tuple(reasons)


def table(report: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a report; a gateway of another version may leave it out."""
    found = report.get(name)
    return found if isinstance(found, Mapping) else {}


def number(part: Mapping[str, Any], name: str) -> float | None:
    value = part.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MAX_NUMBER:
        return None
    return float(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _key_reasons(gateway: Gateway, now: datetime) -> Iterator[str]:
    if gateway.key_made_at is not None and now - gateway.key_made_at >= KEY_LIFE:
        yield f"Its key is older than {KEY_LIFE.days} days."


def _settings_reasons(newest: SettingsVersion | None) -> list[str]:
    if newest is None or newest.result == "kept":
        return []
    if not newest.result:
        return [f"Settings {newest.version} have not been taken yet."]
    return [f"Settings {newest.version} were {newest.result.replace('_', ' ')}: {newest.reason}"]


def _reasons(report: Mapping[str, Any]) -> Iterator[str]:
    unsent, age_s = number(report, "unsent"), number(report, "oldest_unsent_age_s")
    if unsent and age_s is not None and age_s > OLD_EVENT_S:
        yield f"{unsent:.0f} events unsent, the oldest for {age_s:.0f} s."
    hours = number(report, "free_hours")
    if hours is not None and hours < MIN_SPOOL_HOURS:
        yield f"Storage lasts {hours:.1f} h."
    if report.get("level") == "full":
        yield "Storage is full: reads are counted, not taken."
    listed = table(report, "block_list")
    list_age = number(listed, "age_s")
    if not listed.get("version"):
        yield "It has no block list."
    elif list_age is not None and list_age > LIST_STALE_S:
        yield f"Its block list is {list_age / 3600:.0f} h old."
    clock = table(report, "clock")
    skew = number(clock, "offset_s")
    if clock.get("state") not in (None, "synchronised") or (skew is not None and abs(skew) > MAX_SKEW_S):
        yield f"Its clock is {clock.get('state')}" + (f", {skew:+.0f} s off." if skew is not None else ".")
    readers = report.get("readers")
    for reader in readers if isinstance(readers, list) else ():
        if isinstance(reader, Mapping) and reader.get("state") != ONLINE:
            yield f"Reader {reader.get('name')} is {reader.get('state')}."
