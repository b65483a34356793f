"""Observation + answer → the bytes of one EPCIS 2.0 ObjectEvent (JSON-LD, UTF-8, compact)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timezone

from gateway_agent.answering import Answer, Identity
from gateway_agent.observing import Observation
from gateway_agent.outbox_gaps import GapRecord
from trace_core.epcis.document import event_to_json
from trace_core.epcis.event import SUYUAN_NAMESPACE, Action, ExtensionValue, ObjectEvent
from trace_core.uplink import ClockState

CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"suyuan": SUYUAN_NAMESPACE}]
PREFIXES = {"suyuan": SUYUAN_NAMESPACE}


@dataclass(frozen=True, slots=True)
class Origin:
    """What all events of one run of the gateway share."""

    gateway: str
    boot_id: str
    utc_offset: timezone


@dataclass(frozen=True, slots=True)
class Place:
    """Where the event stands in the outbox."""

    epoch: str
    seq: int


def event_body(
    observation: Observation,
    identity: Identity,
    answer: Answer,
    *,
    origin: Origin,
    place: Place,
    clock: ClockState,
    extra: Mapping[str, ExtensionValue] | None = None,
) -> bytes:
    """The event as it is stored, chained and sent. The order is `(epoch, seq)`, never the time in it.

    `extra`: further fields of our namespace, by local name.
    """
    point = observation.point
    # A reader clock may run ahead; nothing was seen later than its bytes came in.
    wall = min(observation.seen.wall, observation.received.wall).astimezone(origin.utc_offset)
    event = ObjectEvent(
        event_time=_milliseconds(wall),
        event_time_zone_offset=wall.isoformat()[-6:],
        action=Action.OBSERVE,
        biz_step=point.biz_step or None,
        read_point=point.id,
        biz_location=point.biz_location or None,
        epc_list=(identity.uri,),
        extensions=_named({**_extensions(observation, answer, origin, place, clock), **(extra or {})}),
    )
    return _encoded(event)


def gap_body(record: GapRecord, read_point: str, *, origin: Origin, place: Place, clock: ClockState) -> bytes:
    """What was at the gate and could not be stored, as an event about the read point (ADR 0008).

    It names no goods: which ones passed is what nobody knows.
    """
    wall = record.end.astimezone(origin.utc_offset)
    event = ObjectEvent(
        event_time=_milliseconds(wall),
        event_time_zone_offset=wall.isoformat()[-6:],
        action=Action.OBSERVE,
        read_point=read_point,
        epc_list=(),
        extensions=_named(
            {
                "gateway": origin.gateway,
                "epoch": place.epoch,
                "seq": place.seq,
                "clockState": clock.value,
                "bootId": origin.boot_id,
                "gapFrom": _text(record.start),
                "gapTo": _text(record.end),
                "gapCount": record.count,
                "gapReason": record.reason,
            }
        ),
    )
    return _encoded(event)


def _encoded(event: ObjectEvent) -> bytes:
    fields = {"@context": CONTEXT, **event_to_json(event, PREFIXES)}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _extensions(
    observation: Observation, answer: Answer, origin: Origin, place: Place, clock: ClockState
) -> dict[str, ExtensionValue]:
    read = observation.read
    again, weak, ghosts = observation.untold
    return {
        "gateway": origin.gateway,
        "epoch": place.epoch,
        "seq": place.seq,
        "device": read.reader or observation.reader,
        "readPointAntenna": read.antenna,
        "tid": read.tid.hex().upper() if read.tid else None,
        "rssiDbm": read.rssi_dbm,
        "rawEpc": read.epc.hex().upper() or None,
        "clockState": clock.value,
        "bootId": origin.boot_id,
        "monotonic": round(observation.seen.monotonic, 3),
        "answer": answer.verdict.value,
        "reason": answer.reason,
        "readsAgain": again or None,
        "readsWeak": weak or None,
        "readsGhost": ghosts or None,
        "listAgeSeconds": None if answer.list_age_s is None else round(answer.list_age_s),
    }


def _named(fields: Mapping[str, ExtensionValue]) -> dict[str, ExtensionValue]:
    """Expanded names; what is not known is absent, never empty."""
    return {f"{{{SUYUAN_NAMESPACE}}}{name}": value for name, value in fields.items() if value is not None}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
