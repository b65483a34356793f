"""Settings of the server over those of the file; what comes out is checked as any file is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trace_core.fleet import KEYED


def overlay(data: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The file with `settings` over it. Entries of read points and readers that the file lacks are refused later."""
    merged = dict(data)
    for section, values in settings.items():
        if section in KEYED:
            merged[section] = [_over(entry, values, KEYED[section]) for entry in data.get(section, [])]
        else:
            merged[section] = {**data.get(section, {}), **values}
    return merged


def unknown_names(data: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Read points and readers that the settings name and the file does not have."""
    return [
        f"{section} {name}"
        for section, key in KEYED.items()
        for name in settings.get(section, {})
        if name not in [entry.get(key) for entry in data.get(section, [])]
    ]


def _over(entry: Mapping[str, Any], values: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, Any]:
    new = values.get(str(entry.get(key)), {})
    options = {**entry.get("options", {}), **new.get("options", {})}
    return {**entry, **new, **({"options": options} if options else {})}
