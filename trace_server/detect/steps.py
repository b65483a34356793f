"""What the business steps and dispositions of CBV 2.0 mean to the rules."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from trace_core.epcis.cbv import BizStep, Disposition
from trace_server.ingest.model import ActionCode, LinkRole
from trace_server.ingest.store.parts import Part

LEGAL_TIME = ZoneInfo("Asia/Shanghai")
"""A day ends at midnight there (domain.md rule 10)."""
SALE = frozenset(step.uri for step in (BizStep.RETAIL_SELLING, BizStep.DISPENSING))
RECEIPT = frozenset(step.uri for step in (BizStep.RECEIVING, BizStep.ACCEPTING))
OUTBOUND = frozenset(
    step.uri
    for step in (BizStep.SHIPPING, BizStep.DEPARTING, BizStep.STAGING_OUTBOUND, BizStep.LOADING, BizStep.CONSIGNING)
)
CUSTODY = (
    SALE
    | RECEIPT
    | OUTBOUND
    | frozenset(
        step.uri
        for step in (BizStep.ARRIVING, BizStep.STOCKING, BizStep.STORING, BizStep.TRANSPORTING, BizStep.UNLOADING)
    )
)
"""Somebody holds the goods, hands them on or takes them over."""
DISPOSAL = frozenset(step.uri for step in (BizStep.DESTROYING, BizStep.DECOMMISSIONING, BizStep.REMOVING))
END_STATES = frozenset(
    state.uri for state in (Disposition.RETAIL_SOLD, Disposition.DISPENSED, Disposition.DESTROYED, Disposition.DISPOSED)
)
DISPOSAL_STATES = frozenset(
    state.uri for state in (Disposition.DESTROYED, Disposition.DISPOSED, Disposition.EXPIRED, Disposition.RECALLED)
)
RETURNED = Disposition.RETURNED.uri


def is_leaving(biz_step: str | None, disposition: str | None) -> bool:
    """Goods of such an event are on the way to return or destruction, or there."""
    return biz_step in DISPOSAL or disposition in DISPOSAL_STATES or disposition == RETURNED


def is_leaving_trade(part: Part) -> bool:
    """On the way to return or destruction, or there."""
    return is_leaving(part.biz_step, part.disposition)


def makes(part: Part) -> bool:
    """The object comes into being: commissioned, made by a transformation, or a container that is packed."""
    if part.role is LinkRole.OUTPUT:
        return True
    return part.role in (LinkRole.OBJECT, LinkRole.PARENT) and part.action is ActionCode.ADD


def is_observed(part: Part) -> bool:
    return part.role is LinkRole.OBJECT and part.action is ActionCode.OBSERVE
