"""Versions, simulations and comparisons as JSON values and back; API, commands and the store share it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from trace_server.policies.model import (
    Approval,
    Change,
    Comparison,
    LevelShare,
    Load,
    Move,
    PolicyVersion,
    RegionEffect,
    Risk,
    RiskReview,
    Simulation,
)


def version_json(row: PolicyVersion, *, with_text: bool) -> dict[str, Any]:
    """A version as it stands; `with_text`: with its TOML document."""
    review = row.review
    told: dict[str, Any] = {
        "policy_id": row.policy_id,
        "number": row.number,
        "state": row.state.value,
        "rollback_of": row.rollback_of or None,
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
        "simulation": row.run or None,
        "review": None if review is None else review_json(review),
        "approvals": [approval_json(approval) for approval in row.approvals],
        "effective_from": row.effective_from.isoformat() if row.effective_from else None,
        "reason": row.reason,
        "version": row.version,
    }
    return told | {"text": row.text} if with_text else told


def review_json(review: RiskReview) -> dict[str, Any]:
    return {**asdict(review), "reviewed_at": review.reviewed_at.isoformat()}


def review_of(found: dict[str, Any]) -> RiskReview:
    """Inverse of `review_json`."""
    return RiskReview(
        risks=tuple(Risk(**risk) for risk in found["risks"]),
        check_after_days=tuple(found["check_after_days"]),
        reviewed_by=found["reviewed_by"],
        reviewed_at=datetime.fromisoformat(found["reviewed_at"]),
    )


def approval_json(approval: Approval) -> dict[str, Any]:
    return {"actor": approval.actor, "at": approval.at.isoformat(), "note": approval.note}


def approval_of(found: dict[str, Any]) -> Approval:
    """Inverse of `approval_json`."""
    return Approval(found["actor"], datetime.fromisoformat(found["at"]), found["note"])


def simulation_json(simulation: Simulation) -> dict[str, Any]:
    return {
        **asdict(simulation),
        "as_of": simulation.as_of.isoformat(),
        "made_at": simulation.made_at.isoformat(),
    }


def simulation_of(found: dict[str, Any]) -> Simulation:
    """Inverse of `simulation_json`."""
    return Simulation(
        **{
            **found,
            "as_of": date.fromisoformat(found["as_of"]),
            "made_at": datetime.fromisoformat(found["made_at"]),
            "moves": tuple(Move(**move) for move in found["moves"]),
            "regions": tuple(RegionEffect(**effect) for effect in found["regions"]),
            "load_before": Load(**found["load_before"]),
            "load_after": Load(**found["load_after"]),
            "changes": tuple(Change(**change) for change in found["changes"]),
        }
    )


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    return {
        **asdict(comparison),
        "due_on": comparison.due_on.isoformat(),
        "made_at": comparison.made_at.isoformat(),
    }


def comparison_of(found: dict[str, Any]) -> Comparison:
    """Inverse of `comparison_json`."""
    return Comparison(
        **{
            **found,
            "due_on": date.fromisoformat(found["due_on"]),
            "made_at": datetime.fromisoformat(found["made_at"]),
            "shares": tuple(LevelShare(**share) for share in found["shares"]),
            "load_predicted": Load(**found["load_predicted"]),
            "load_observed": Load(**found["load_observed"]),
        }
    )
