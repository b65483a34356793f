"""Vocabulary elements and what may be asked of them (EPCIS 2.0 section 8.2.7.2, SimpleMasterDataQuery)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class VocabularyElement:
    """One element of a vocabulary: `uri` as its sender spells it, attributes in order, children by URI.

    Attribute names are full URIs; a name may come more than once. Structured values are kept as text, as they came.
    """

    vocabulary: str
    """`urn:epcglobal:epcis:vtype:BusinessLocation`, `…:ReadPoint`, `…:EPCClass`, …"""
    uri: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[str, ...] = ()
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MasterDataQuery:
    """Empty members do not narrow. `attribute_names`: which attributes the answer holds, all when empty."""

    vocabularies: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """EQ_name: canonical URIs."""
    below: frozenset[str] = frozenset()
    """WD_name: these and all below them."""
    has_attribute: frozenset[str] = frozenset()
    equal: tuple[tuple[str, frozenset[str]], ...] = ()
    """EQATTR_name: each of these attributes has one of its values."""
    include_attributes: bool = True
    include_children: bool = True
    attribute_names: frozenset[str] = frozenset()
    max_elements: int | None = None
