"""Geographical indications as values (domain.md §3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

Ring: TypeAlias = tuple[tuple[float, float], ...]
"""Corners of a polygon as (longitude, latitude), WGS 84 degrees; the last is joined to the first."""


@dataclass(frozen=True, slots=True)
class Season:
    """Goods of `year` may come to market from `opens` on; what is made until `closes` is of that season."""

    year: int
    opens: date
    closes: date


@dataclass(frozen=True, slots=True)
class Indication:
    """A protected product name. `gtins`: the products that carry it, 14 digits each.

    `counties`: administrative codes of 6 digits that the notice names. `ceilings`: year → marks that all users
    together may give out; a year that is missing has no ceiling.
    """

    gi_id: str
    name: str
    name_en: str
    area: tuple[Ring, ...]
    counties: tuple[str, ...]
    seasons: tuple[Season, ...]
    ceilings: Mapping[int, int]
    gtins: tuple[str, ...]
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class AuthorisedUser:
    """Who may use the mark (合法使用人), from when to when; `valid_to` is the last day, None: no end.

    `quotas`: year → marks; a year that is missing has no quota.
    """

    gi_id: str
    uscc: str
    valid_from: date
    valid_to: date | None
    quotas: Mapping[int, int]
    source: str
    as_of: date

    def in_force(self, day: date) -> bool:
        """Whether the mark may be used on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Register:
    """The whole register: tens of indications, some hundred users."""

    indications: tuple[Indication, ...]
    users: tuple[AuthorisedUser, ...]

    def of_product(self) -> Mapping[str, Indication]:
        """GTIN → the indication that the product carries."""
        return {gtin: one for one in self.indications for gtin in one.gtins}

    def users_of(self, gi_id: str, uscc: str = "") -> tuple[AuthorisedUser, ...]:
        """Authorisations of an indication; `uscc` "": of everybody."""
        return tuple(one for one in self.users if one.gi_id == gi_id and uscc in ("", one.uscc))
