"""Online sellers as JSON, and the cursor of the notices."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from trace_core.errors import InputError
from trace_server.shops.model import Notice, Shop
from trace_server.shops.operations import Shown
from trace_server.shops.rules import keep_until


def shop_json(row: Shop) -> dict[str, Any]:
    """For the office."""
    return {
        "mark": row.mark,
        "uscc": row.uscc,
        "person_ref": row.person_ref,
        "name": row.name,
        "platform": row.platform,
        "platform_name": row.platform_name,
        "url": row.url,
        "licence_no": row.licence_no,
        "state": row.state.value,
        "requested_at": row.requested_at.isoformat(),
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "reason": row.reason,
        "version": row.version,
    }


def shown_json(shown: Shown) -> dict[str, Any]:
    """For everybody: of a person nothing but that the platform knows who it is."""
    row = shown.shop
    return {
        "mark": row.mark,
        "standing": shown.standing.value,
        "name": row.name,
        "seller": shown.subject.name if shown.subject else "",
        "uscc": row.uscc,
        "is_person": not row.uscc,
        "platform_name": row.platform_name,
        "url": row.url,
        "licence_no": row.licence_no,
        "as_of": shown.as_of.isoformat(),
    }


def notice_json(row: Notice) -> dict[str, Any]:
    """A takedown notice; `keep_until`: the last day on which the platform's report of it is kept for sure."""
    return {
        "notice_id": row.notice_id,
        "platform": row.platform,
        "listing_no": row.listing_no,
        "gtin": row.gtin,
        "lot": row.lot,
        "cause": row.cause,
        "basis": row.basis,
        "issued_at": row.issued_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "state": row.state.value,
        "outcome": row.outcome,
        "answer": row.answer,
        "answered_at": row.answered_at.isoformat() if row.answered_at else None,
        "keep_until": keep_until(row.answered_at or row.issued_at).isoformat(),
    }


def write_place(row: Notice) -> str:
    """Opaque text for "behind this notice"."""
    return base64.urlsafe_b64encode(f"{row.issued_at.isoformat()} {row.notice_id}".encode()).decode()


def read_place(text: str) -> tuple[datetime, str] | None:
    """What `write_place` wrote, None for "". Raises `InputError` for any other text."""
    if not text:
        return None
    try:
        moment, _, notice_id = (
            base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True).decode().partition(" ")
        )
        when = datetime.fromisoformat(moment)
    except ValueError as error:
        raise InputError("this is no cursor", where="cursor", remedy="use next_cursor as it was given") from error
    if when.tzinfo is None or "\0" in notice_id:
        raise InputError("this is no cursor", where="cursor", remedy="use next_cursor as it was given")
    return when, notice_id
