"""The five event types of EPCIS 2.0 as values. An event that exists is well formed; what it claims is `check_event`'s.

Vocabulary values (bizStep, disposition, types) are always full URIs here, never short names: one spelling inside,
translation only in `document.py`. Identifiers keep the spelling of the sender; `trace_core.ids.canonical` unifies.
Source: EPCIS 2.0.1 section 7.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, TypeAlias

from trace_core.epcis.checks import (
    Extensions,
    ExtensionValue,
    require_aware,
    require_names,
    require_number,
    require_uri,
    require_uris,
)
from trace_core.epcis.sensor import SensorElement, SensorMetadata, SensorReport
from trace_core.errors import EventError

__all__ = [
    "EVENT_TYPES",
    "SUYUAN_NAMESPACE",
    "Action",
    "AggregationEvent",
    "AssociationEvent",
    "BizTransaction",
    "Destination",
    "ErrorDeclaration",
    "Event",
    "ExtensionValue",
    "Extensions",
    "ObjectEvent",
    "PersistentDisposition",
    "QuantityElement",
    "SensorElement",
    "SensorMetadata",
    "SensorReport",
    "Source",
    "TransactionEvent",
    "TransformationEvent",
]

SUYUAN_NAMESPACE = "urn:suyuan:epcis:"
"""Our own extension fields; prefix `suyuan` in JSON."""

_OFFSET = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)\Z")
_UOM = re.compile(r"[A-Z0-9]{2,3}\Z")


class Action(StrEnum):
    """What the event did to the life of the objects or of the relation (EPCIS 7.3.2)."""

    ADD = "ADD"
    OBSERVE = "OBSERVE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class QuantityElement:
    """So much of a class of objects. Without `uom` the quantity is a count; without a quantity it is unknown."""

    epc_class: str
    quantity: float | None = None
    uom: str | None = None
    """UN/CEFACT Recommendation 20 code, such as KGM."""

    def __post_init__(self) -> None:
        require_uri(self.epc_class, "epcClass")
        require_number(self.quantity, "quantity")
        if self.uom is not None and not _UOM.match(self.uom):
            raise EventError(
                f"{self.uom!r} is no unit code", where="uom", remedy="use a UN/CEFACT Rec. 20 code such as KGM"
            )


@dataclass(frozen=True, slots=True)
class BizTransaction:
    """A business document that the event belongs to."""

    biz_transaction: str
    type: str | None = None

    def __post_init__(self) -> None:
        require_uri(self.biz_transaction, "bizTransaction")
        require_uri(self.type, "type")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a transfer starts: a party or a place."""

    type: str
    source: str

    def __post_init__(self) -> None:
        require_uri(self.type, "type")
        require_uri(self.source, "source")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a transfer is to end."""

    type: str
    destination: str

    def __post_init__(self) -> None:
        require_uri(self.type, "type")
        require_uri(self.destination, "destination")


@dataclass(frozen=True, slots=True)
class PersistentDisposition:
    """Conditions that last beyond the event: which now hold and which no longer do."""

    set: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_uris(self.set, "set")
        require_uris(self.unset, "unset")
        if not self.set and not self.unset:
            raise EventError("persistentDisposition says nothing", remedy="give set or unset, or leave it out")


@dataclass(frozen=True, slots=True)
class ErrorDeclaration:
    """States that an earlier event of the same eventID was wrong. Never part of the event hash."""

    declaration_time: datetime
    reason: str | None = None
    corrective_event_ids: tuple[str, ...] = ()
    extensions: Extensions = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_aware(self.declaration_time, "declarationTime")
        require_uri(self.reason, "reason")
        require_uris(self.corrective_event_ids, "correctiveEventIDs")
        require_names(self.extensions, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _EventFields:
    """What all five types share. Times are aware; `event_time_zone_offset` is `+hh:mm` where the event happened."""

    type: ClassVar[str]
    event_time: datetime
    event_time_zone_offset: str
    record_time: datetime | None = None
    event_id: str | None = None
    error_declaration: ErrorDeclaration | None = None
    certification_info: tuple[str, ...] = ()
    biz_step: str | None = None
    disposition: str | None = None
    persistent_disposition: PersistentDisposition | None = None
    read_point: str | None = None
    read_point_extensions: Extensions = field(default_factory=dict)
    biz_location: str | None = None
    biz_location_extensions: Extensions = field(default_factory=dict)
    biz_transaction_list: tuple[BizTransaction, ...] = ()
    source_list: tuple[Source, ...] = ()
    destination_list: tuple[Destination, ...] = ()
    sensor_element_list: tuple[SensorElement, ...] = ()
    extensions: Extensions = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEvent(_EventFields):
    """Something happened to objects (7.4.2)."""

    type: ClassVar[str] = "ObjectEvent"
    action: Action
    epc_list: tuple[str, ...] = ()
    quantity_list: tuple[QuantityElement, ...] = ()
    ilmd: Extensions = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_common(self)
        _require_action(self.action)
        require_uris(self.epc_list, "epcList")
        if self.ilmd and self.action != Action.ADD:
            raise EventError(
                "instance or lot master data is given when objects come into being, not later",
                where="ilmd",
                remedy="use action ADD or leave ilmd out",
            )
        require_names(self.ilmd, "ilmd")


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregationEvent(_EventFields):
    """Children are in (or on) a parent, until they are taken out (7.4.3)."""

    type: ClassVar[str] = "AggregationEvent"
    action: Action
    parent_id: str | None = None
    child_epcs: tuple[str, ...] = ()
    child_quantity_list: tuple[QuantityElement, ...] = ()

    def __post_init__(self) -> None:
        _require_common(self)
        _require_action(self.action)
        require_uri(self.parent_id, "parentID")
        require_uris(self.child_epcs, "childEPCs")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionEvent(_EventFields):
    """Objects become, are or cease to be part of a business transaction (7.4.4)."""

    type: ClassVar[str] = "TransactionEvent"
    action: Action
    parent_id: str | None = None
    epc_list: tuple[str, ...] = ()
    quantity_list: tuple[QuantityElement, ...] = ()

    def __post_init__(self) -> None:
        _require_common(self)
        _require_action(self.action)
        require_uri(self.parent_id, "parentID")
        require_uris(self.epc_list, "epcList")
        if not self.biz_transaction_list:
            raise EventError("a TransactionEvent names at least one transaction", where="bizTransactionList")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformationEvent(_EventFields):
    """Inputs are used up, outputs come into being (7.4.5). It has no action."""

    type: ClassVar[str] = "TransformationEvent"
    input_epc_list: tuple[str, ...] = ()
    input_quantity_list: tuple[QuantityElement, ...] = ()
    output_epc_list: tuple[str, ...] = ()
    output_quantity_list: tuple[QuantityElement, ...] = ()
    transformation_id: str | None = None
    ilmd: Extensions = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_common(self)
        require_uris(self.input_epc_list, "inputEPCList")
        require_uris(self.output_epc_list, "outputEPCList")
        require_uri(self.transformation_id, "transformationID")
        require_names(self.ilmd, "ilmd")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationEvent(_EventFields):
    """Children are attached to an asset or a place for longer (7.4.6)."""

    type: ClassVar[str] = "AssociationEvent"
    action: Action
    parent_id: str
    child_epcs: tuple[str, ...] = ()
    child_quantity_list: tuple[QuantityElement, ...] = ()

    def __post_init__(self) -> None:
        _require_common(self)
        _require_action(self.action)
        require_uri(self.parent_id, "parentID")
        require_uris(self.child_epcs, "childEPCs")


Event: TypeAlias = ObjectEvent | AggregationEvent | TransactionEvent | TransformationEvent | AssociationEvent

EVENT_TYPES: Mapping[str, type[Event]] = {
    kind.type: kind for kind in (ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, AssociationEvent)
}


def _require_action(action: Action) -> None:
    if not isinstance(action, Action):
        raise EventError(f"{action!r:.200} is no action", where="action", remedy="use ADD, OBSERVE or DELETE")


def _require_common(event: _EventFields) -> None:
    require_aware(event.event_time, "eventTime")
    require_aware(event.record_time, "recordTime")
    if not isinstance(event.event_time_zone_offset, str) or not _OFFSET.match(event.event_time_zone_offset):
        raise EventError(
            f"{event.event_time_zone_offset!r:.200} is no time zone offset",
            where="eventTimeZoneOffset",
            remedy="write ±hh:mm, from -14:00 to +14:00",
        )
    require_uri(event.event_id, "eventID")
    require_uris(event.certification_info, "certificationInfo")
    require_uri(event.biz_step, "bizStep")
    require_uri(event.disposition, "disposition")
    require_uri(event.read_point, "readPoint/id")
    require_uri(event.biz_location, "bizLocation/id")
    require_names(event.extensions, "")
