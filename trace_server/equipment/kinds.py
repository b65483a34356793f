"""The dated data of `kinds.toml`: kinds of equipment and the periods that pre-fill forms."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from trace_server.equipment.model import Kind


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, Kind]:
    """Name → kind."""
    rows = [
        Kind(
            name=row["name"],
            title=row["title"],
            title_en=row["title_en"],
            codes=tuple(row["codes"]),
            is_filled=row.get("filled", False),
            inspection_months=row.get("inspection_months"),
            life_years=row.get("life_years"),
            maintenance_days=row.get("maintenance_days"),
            basis=row["basis"],
            effective_from=row["effective_from"],
            is_confirmed=row["confirmed"],
        )
        for row in _document()["kind"]
    ]
    return {row.name: row for row in rows}


def kind_of(device_code: str) -> str:
    """The kind whose beginning fits best; empty when none does."""
    found = [(len(code), row.name) for row in kinds().values() for code in row.codes if device_code.startswith(code)]
    return max(found, default=(0, ""))[1]


@lru_cache(maxsize=1)
def due_soon_days() -> int:
    """Days before the last day of use from which a thing is `due_soon`."""
    days: int = _document()["due_soon"]["days"]
    return days


@lru_cache(maxsize=1)
def _document() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / "kinds.toml").read_text(encoding="utf-8"))
