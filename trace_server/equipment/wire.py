"""Equipment as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from trace_server.equipment.kinds import kinds
from trace_server.equipment.model import Asset, Inspection, Kind, State
from trace_server.equipment.operations import Record


def asset_json(row: Asset, state: State) -> dict[str, Any]:
    """One row of the register with its state on the day of the answer."""
    return {
        "uri": row.uri,
        "device_code": row.device_code,
        "kind": row.kind,
        "state": state.value,
        "registration_no": row.registration_no,
        "registered_on": _day(row.registered_on),
        "owner": row.owner,
        "maintainer": row.maintainer,
        "medium": row.medium,
        "tid": row.tid,
        "fill_limit_kg": row.fill_limit_kg,
        "made_on": _day(row.made_on),
        "in_use_on": _day(row.in_use_on),
        "inspection_due": _day(row.inspection_due),
        "scrap_on": _day(row.scrap_on),
        "source": row.source,
        "as_of": row.as_of.isoformat(),
        "version": row.revision,
    }


def record_json(record: Record) -> dict[str, Any]:
    """With its inspections, newest first."""
    return asset_json(record.asset, record.state) | {
        "inspections": [_inspection_json(row) for row in record.inspections]
    }


def kind_json(row: Kind) -> Mapping[str, Any]:
    """A kind with the periods that pre-fill forms."""
    return {
        "name": row.name,
        "title": row.title,
        "title_en": row.title_en,
        "codes": list(row.codes),
        "inspection_months": row.inspection_months,
        "life_years": row.life_years,
        "maintenance_days": row.maintenance_days,
        "basis": row.basis,
        "effective_from": row.effective_from.isoformat(),
        "confirmed": row.is_confirmed,
    }


def kinds_json() -> list[Mapping[str, Any]]:
    return [kind_json(row) for row in kinds().values()]


def _inspection_json(row: Inspection) -> dict[str, Any]:
    return {
        "inspected_on": row.inspected_on.isoformat(),
        "certificate_no": row.certificate_no,
        "body": row.body,
        "passed": row.passed,
        "next_due": _day(row.next_due),
        "recorded_at": row.recorded_at.isoformat(),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
