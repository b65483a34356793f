"""Steps of the world → EPCIS events, as a producer's own system would write them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from firmware_sim.world import BatchQuantity, Commission, Pack, Place, Ship, Transform
from trace_core.epcis.cbv import BizStep
from trace_core.epcis.document import document
from trace_core.epcis.event import (
    Action,
    AggregationEvent,
    BizTransaction,
    Destination,
    Event,
    ObjectEvent,
    QuantityElement,
    Source,
    TransformationEvent,
)

OFFSET = "+08:00"
LOT = "{urn:epcglobal:cbv:mda:}lotNumber"
EXPIRY = "{urn:epcglobal:cbv:mda:}itemExpirationDate"
CBV = "https://ref.gs1.org/cbv/"
NAMESPACE = uuid.UUID("6f1c6f7e-3a54-5c3e-9d3b-0d2f8a0f4c11")
"""Event ids follow from the step, so that a document posted again is the same document."""


def event_of(step: Commission | Transform | Pack | Ship) -> Event:
    """The event that tells of one step of a producer."""
    if isinstance(step, Commission):
        return _commission(step)
    if isinstance(step, Transform):
        return _transform(step)
    if isinstance(step, Pack):
        return _pack(step)
    return _ship(step)


def epcis_document(events: Iterable[Event]) -> dict[str, Any]:
    """An EPCIS 2.0 document ready to be posted."""
    return dict(document(list(events), {}))


def _common(step: Commission | Transform | Pack | Ship, step_name: BizStep, what: str) -> dict[str, Any]:
    place: Place = step.place
    return {
        "event_time": step.at,
        "event_time_zone_offset": OFFSET,
        "event_id": f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{step_name}|{what}')}",
        "biz_step": f"{CBV}BizStep-{step_name}",
        "read_point": place.uri,
        "biz_location": place.uri,
    }


def _commission(step: Commission) -> ObjectEvent:
    batch = step.batch
    whole = QuantityElement(batch.class_uri, float(batch.quantity), batch.uom or None)
    return ObjectEvent(
        **_common(step, BizStep.COMMISSIONING, batch.class_uri),
        action=Action.ADD,
        epc_list=tuple(item.uri for item in step.items),
        quantity_list=(whole,),
        disposition=f"{CBV}Disp-active",
        ilmd={LOT: batch.lot, EXPIRY: batch.expiry_date.isoformat()},
    )


def _transform(step: Transform) -> TransformationEvent:
    return TransformationEvent(
        **_common(step, BizStep.CREATING_CLASS_INSTANCE, "|".join(o.batch.class_uri for o in step.outputs)),
        input_quantity_list=_quantities(step.inputs),
        output_quantity_list=_quantities(step.outputs),
    )


def _pack(step: Pack) -> AggregationEvent:
    return AggregationEvent(
        **_common(step, BizStep.PACKING, step.case.uri),
        action=Action.ADD,
        parent_id=step.case.uri,
        child_epcs=tuple(item.uri for item in step.items),
        child_quantity_list=_quantities(step.bulk),
    )


def _ship(step: Ship) -> ObjectEvent:
    party = f"{CBV}SDT-possessing_party"
    return ObjectEvent(
        **_common(step, BizStep.SHIPPING, step.despatch_no + "|".join(case.uri for case in step.cases)),
        action=Action.OBSERVE,
        epc_list=tuple(case.uri for case in step.cases),
        disposition=f"{CBV}Disp-in_transit",
        biz_transaction_list=(
            BizTransaction(f"urn:epcglobal:cbv:bt:{step.place.gln}:{step.despatch_no}", f"{CBV}BTT-desadv"),
        ),
        source_list=(Source(party, f"https://id.gs1.org/417/{step.place.gln}"),),
        destination_list=(Destination(party, f"https://id.gs1.org/417/{step.destination.gln}"),),
    )


def _quantities(parts: Iterable[BatchQuantity]) -> tuple[QuantityElement, ...]:
    return tuple(QuantityElement(p.batch.class_uri, float(p.quantity), p.uom or None) for p in parts)
