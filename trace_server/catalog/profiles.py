"""Category profiles: what a kind of goods shows, needs and fears, as dated data with its legal basis.

A new category is one file in `trace_server/categories/`; nothing else changes.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from trace_core.errors import ConfigError

CATEGORIES = Path(__file__).resolve().parent.parent / "categories"
PUBLIC_FIELDS = frozenset({"ingredients", "standard", "storage", "origin", "approval_no"})
"""Columns of `product` that a category may show to everybody."""


@dataclass(frozen=True, slots=True)
class CertificateRule:
    """A document that goods of the category must or may carry from `starts` on, and why."""

    kind: str
    title: str
    title_en: str
    required: bool
    basis: str
    starts: date


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """When a date is near (the smaller of days and per cent of the shelf life) and what to tell a consumer."""

    near_days: int
    near_percent: int
    basis: str
    starts: date
    expired_advice: str
    expired_advice_en: str
    near_advice: str
    near_advice_en: str


@dataclass(frozen=True, slots=True)
class CategoryProfile:
    """One product category (domain.md §3.3–3.7)."""

    name: str
    title: str
    title_en: str
    public_fields: tuple[str, ...]
    detectors: tuple[str, ...]
    expiry: ExpiryRule
    certificates: tuple[CertificateRule, ...]


def load_profiles(folder: Path = CATEGORIES) -> dict[str, CategoryProfile]:
    """Name → profile of every file in `folder`. Raises `ConfigError` with file and member on the first fault."""
    profiles = [_profile(path) for path in sorted(folder.glob("*.toml"))]
    return {profile.name: profile for profile in profiles}


def _profile(path: Path) -> CategoryProfile:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        profile = CategoryProfile(
            name=data["name"],
            title=data["title"],
            title_en=data["title_en"],
            public_fields=tuple(data["public_fields"]),
            detectors=tuple(data["detectors"]),
            expiry=_expiry(data["expiry"]),
            certificates=tuple(_certificate(entry) for entry in data["certificate"]),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigError(
            f"the profile is incomplete: {error}", where=path.name, remedy="compare with food.toml"
        ) from error
    if profile.name != path.stem:
        raise ConfigError(f"the profile is named {profile.name!r}", where=path.name, remedy="name it like its file")
    unknown = set(profile.public_fields) - PUBLIC_FIELDS
    if unknown:
        raise ConfigError(f"no such public field: {', '.join(sorted(unknown))}", where=f"{path.name} public_fields")
    return profile


def _expiry(entry: dict[str, Any]) -> ExpiryRule:
    return ExpiryRule(
        near_days=int(entry["near_days"]),
        near_percent=int(entry["near_percent"]),
        basis=entry["basis"],
        starts=_day(entry["from"]),
        expired_advice=entry["expired_advice"],
        expired_advice_en=entry["expired_advice_en"],
        near_advice=entry["near_advice"],
        near_advice_en=entry["near_advice_en"],
    )


def _certificate(entry: dict[str, Any]) -> CertificateRule:
    return CertificateRule(
        kind=entry["kind"],
        title=entry["title"],
        title_en=entry["title_en"],
        required=bool(entry["required"]),
        basis=entry["basis"],
        starts=_day(entry["from"]),
    )


def _day(value: object) -> date:
    if type(value) is not date:
        raise TypeError(f"{value!r} is no date")
    return value
