"""The register as JSON: what everybody sees, and what the office does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from trace_server.indications.model import AuthorisedUser, Indication


def public_json(one: Indication) -> dict[str, Any]:
    """Without quantities: those are the trade's secret (domain.md §3.9)."""
    return {
        "gi_id": one.gi_id,
        "name": one.name,
        "name_en": one.name_en,
        "area": [[list(corner) for corner in ring] for ring in one.area],
        "counties": list(one.counties),
        "seasons": [
            {"year": season.year, "opens": season.opens.isoformat(), "closes": season.closes.isoformat()}
            for season in one.seasons
        ],
        "gtins": list(one.gtins),
        "source": one.source,
        "as_of": one.as_of.isoformat(),
    }


def users_json(users: Iterable[AuthorisedUser], today: date) -> list[dict[str, Any]]:
    """Who may use the mark, and whether today."""
    return [
        {
            "uscc": one.uscc,
            "valid_from": one.valid_from.isoformat(),
            "valid_to": one.valid_to.isoformat() if one.valid_to else None,
            "is_in_force": one.in_force(today),
            "source": one.source,
            "as_of": one.as_of.isoformat(),
        }
        for one in users
    ]


def office_json(one: Indication, users: Iterable[AuthorisedUser], today: date) -> dict[str, Any]:
    """With ceilings and quotas."""
    own = tuple(users)
    told = [
        row | {"quotas": {str(year): marks for year, marks in user.quotas.items()}}
        for row, user in zip(users_json(own, today), own, strict=True)
    ]
    ceilings = {str(year): marks for year, marks in one.ceilings.items()}
    return public_json(one) | {"ceilings": ceilings, "users": told}
