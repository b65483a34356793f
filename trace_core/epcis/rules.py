"""Rules of EPCIS that the shape of an event and its JSON schema do not show."""

from __future__ import annotations

from collections.abc import Iterable

from trace_core.epcis.event import (
    Action,
    AggregationEvent,
    AssociationEvent,
    Event,
    ObjectEvent,
    QuantityElement,
    TransactionEvent,
    TransformationEvent,
)
from trace_core.errors import EventError


def check_event(event: Event, where: str = "") -> None:
    """Raises `EventError` where an event breaks a rule of EPCIS 2.0.1 section 7.4.

    `where` is the JSON pointer of the event; the error's starts with it.
    """
    try:
        _check(event)
    except EventError as error:
        raise EventError(error.what, where=f"{where}/{error.where}", remedy=error.remedy) from error


def _check(event: Event) -> None:
    if isinstance(event, ObjectEvent):
        _check_object(event)
        _check_quantities(event.quantity_list, "quantityList")
    elif isinstance(event, AggregationEvent):
        _check_aggregation(event)
        _check_quantities(event.child_quantity_list, "childQuantityList")
    elif isinstance(event, AssociationEvent):
        _check_association(event)
        _check_quantities(event.child_quantity_list, "childQuantityList")
    elif isinstance(event, TransactionEvent):
        _check_transaction(event)
        _check_quantities(event.quantity_list, "quantityList")
    else:
        _check_transformation(event)
        _check_quantities(event.input_quantity_list, "inputQuantityList")
        _check_quantities(event.output_quantity_list, "outputQuantityList")
    _check_dispositions(event)


def _check_object(event: ObjectEvent) -> None:
    if event.epc_list or event.quantity_list:
        return
    if event.sensor_element_list and event.read_point is not None:
        return
    # what a device reports about itself is carried by extensions and concerns the read point only
    if event.read_point is not None and event.extensions and event.action == Action.OBSERVE:
        return
    raise EventError(
        "the event is about nothing",
        where="epcList",
        remedy="name objects or classes; a sensor report without objects needs a readPoint",
    )


def _check_aggregation(event: AggregationEvent) -> None:
    has_children = bool(event.child_epcs or event.child_quantity_list)
    if event.action != Action.OBSERVE and event.parent_id is None:
        raise EventError(
            f"{event.action} without a parent",
            where="parentID",
            remedy="name the container that children enter or leave",
        )
    if not has_children and event.action != Action.DELETE:
        raise EventError(f"{event.action} without children", where="childEPCs", remedy="name the children")
    if event.parent_id is not None and event.parent_id in event.child_epcs:
        raise EventError("the parent is its own child", where="childEPCs", remedy="take the parent out of the children")


def _check_association(event: AssociationEvent) -> None:
    if not (event.child_epcs or event.child_quantity_list) and event.action != Action.DELETE:
        raise EventError(f"{event.action} without children", where="childEPCs", remedy="name the children")
    if event.parent_id in event.child_epcs:
        raise EventError("the parent is its own child", where="childEPCs", remedy="take the parent out of the children")


def _check_transaction(event: TransactionEvent) -> None:
    if not (event.epc_list or event.quantity_list or event.parent_id) and event.action != Action.DELETE:
        raise EventError(
            f"{event.action} without objects", where="epcList", remedy="name what the transaction is about"
        )


def _check_transformation(event: TransformationEvent) -> None:
    has_inputs = bool(event.input_epc_list or event.input_quantity_list)
    has_outputs = bool(event.output_epc_list or event.output_quantity_list)
    if event.transformation_id is None and not (has_inputs and has_outputs):
        missing = "outputEPCList" if has_inputs else "inputEPCList"
        raise EventError(
            "a transformation has inputs and outputs",
            where=missing,
            remedy="name both, or give a transformationID that joins this event to its other half",
        )
    if not (has_inputs or has_outputs):
        raise EventError("the transformation is about nothing", where="inputEPCList", remedy="name inputs or outputs")


def _check_quantities(elements: Iterable[QuantityElement], where: str) -> None:
    for index, element in enumerate(elements):
        if element.quantity is not None and element.quantity < 0:
            raise EventError("a quantity cannot be negative", where=f"{where}/{index}/quantity")
        if element.uom is not None and element.quantity is None:
            raise EventError(
                "a unit without a quantity", where=f"{where}/{index}/uom", remedy="give the quantity or drop the unit"
            )


def _check_dispositions(event: Event) -> None:
    both = event.persistent_disposition
    if both is not None and not set(both.set).isdisjoint(both.unset):
        raise EventError("a disposition is both set and unset", where="persistentDisposition", remedy="keep one")
