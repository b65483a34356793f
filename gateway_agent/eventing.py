"""Observation + answer → the bytes of one EPCIS 2.0 ObjectEvent (JSON-LD, UTF-8, compact)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timezone
from functools import lru_cache
from math import isfinite

from gateway_agent.answering import Answer, Identity
from gateway_agent.observing import Observation
from gateway_agent.outbox_gaps import GapRecord
from trace_core.epcis.event import SUYUAN_NAMESPACE, Action, ExtensionValue, ObjectEvent
from trace_core.epcis.json_writer import event_to_json
from trace_core.uplink import ClockState

CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"suyuan": SUYUAN_NAMESPACE}]
PREFIXES = {"suyuan": SUYUAN_NAMESPACE}
_PREFIX = "suyuan:"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_quoted = json.encoder.encode_basestring
_SAMPLE_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_SAMPLE_EPC = "urn:epc:id:sgtin:0614141.812345.1"


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
    wall = min(observation.seen.wall, observation.received.wall)
    frame = _frame(point.biz_step, point.id, point.biz_location, origin)
    told = _told(observation, answer, clock)
    if extra:
        fields = {_PREFIX + name: value for name, value in extra.items() if value is not None}
        told += "," + _ENCODER.encode(fields)[1:-1] if fields else ""
    return (
        f'{frame.head}"{_event_time(wall)}"{frame.to_epc}{_quoted(identity.uri)}{frame.to_place}'
        f'"suyuan:epoch":"{place.epoch}","suyuan:seq":{place.seq},{told}}}'
    ).encode()


@dataclass(frozen=True, slots=True)
class _Frame:
    """The text of every event at one read point, cut open where events differ: a writer of general events needs
    five times as long, and a read point sees thousands an hour."""

    head: str
    to_epc: str
    to_place: str
    """Up to and with what all events of one run share; the place in the outbox follows."""


@lru_cache(maxsize=256)
def _frame(biz_step: str, read_point: str, biz_location: str, origin: Origin) -> _Frame:
    """Cut from what the general writer makes of a sample."""
    event = ObjectEvent(
        event_time=_SAMPLE_TIME,
        event_time_zone_offset=_offset(origin.utc_offset),
        action=Action.OBSERVE,
        biz_step=biz_step or None,
        read_point=read_point,
        biz_location=biz_location or None,
        epc_list=(_SAMPLE_EPC,),
        extensions=_named({"gateway": origin.gateway, "bootId": origin.boot_id}),
    )
    text = _encoded(event).decode()
    head, time, rest = text.partition(f'"{_event_time(_SAMPLE_TIME)}"')
    to_epc, uri, to_place = rest.partition(_quoted(_SAMPLE_EPC))
    if not time or not uri:
        raise ValueError(f"not the text of an event: {text}")
    return _Frame(head, to_epc, to_place.removesuffix("}") + ",")


def gap_body(record: GapRecord, read_point: str, *, origin: Origin, place: Place, clock: ClockState) -> bytes:
    """What was at the gate and could not be stored, as an event about the read point (ADR 0008).

    It names no goods: which ones passed is what nobody knows.
    """
    event = ObjectEvent(
        event_time=_milliseconds(record.end),
        event_time_zone_offset=_offset(origin.utc_offset),
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
    return _ENCODER.encode({"@context": CONTEXT, **event_to_json(event, PREFIXES)}).encode()


def _told(observation: Observation, answer: Answer, clock: ClockState) -> str:
    """The members of our namespace that differ from event to event; what is not known is absent, never empty."""
    read = observation.read
    again, weak, ghosts = observation.untold
    text = f'"suyuan:device":{_quoted(read.reader or observation.reader)}'
    if read.antenna is not None:
        text += f',"suyuan:readPointAntenna":{read.antenna}'
    if read.tid:
        text += f',"suyuan:tid":"{read.tid.hex().upper()}"'
    if read.rssi_dbm is not None and isfinite(read.rssi_dbm):
        text += f',"suyuan:rssiDbm":{read.rssi_dbm!r}'  # as the encoder writes it, in a tenth of the time
    if read.epc:
        text += f',"suyuan:rawEpc":"{read.epc.hex().upper()}"'
    text += (
        f',"suyuan:clockState":"{clock.value}","suyuan:monotonic":{round(observation.seen.monotonic, 3)!r}'
        f',"suyuan:answer":"{answer.verdict.value}","suyuan:reason":{_quoted(answer.reason)}'
    )
    if again:
        text += f',"suyuan:readsAgain":{again}'
    if weak:
        text += f',"suyuan:readsWeak":{weak}'
    if ghosts:
        text += f',"suyuan:readsGhost":{ghosts}'
    if answer.list_age_s is not None:
        text += f',"suyuan:listAgeSeconds":{round(answer.list_age_s)}'
    return text


def _named(fields: Mapping[str, ExtensionValue]) -> dict[str, ExtensionValue]:
    """Expanded names; what is not known is absent, never empty."""
    return {f"{{{SUYUAN_NAMESPACE}}}{name}": value for name, value in fields.items() if value is not None}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event_time(moment: datetime) -> str:
    """As the general writer writes it."""
    return f"{_milliseconds(moment).astimezone(UTC).isoformat()[:-6]}Z"


def _offset(offset: timezone) -> str:
    return datetime(2000, 1, 1, tzinfo=offset).isoformat()[-6:]


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
