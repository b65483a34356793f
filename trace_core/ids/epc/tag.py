"""What a tag says, once decoded, and the contracts of binary coding schemes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from trace_core.ids.epc import links

LONGEST_EPC: Final = 62
"""Bytes: 31 words, as many as the length field of the PC word can say."""

Pair: TypeAlias = tuple[str, str]
"""Application identifier and value, the value as text without escapes."""


@dataclass(frozen=True, slots=True)
class Epc:
    """The identifier that a tag's EPC memory holds. All but `uri` is spelt out when it is asked for."""

    scheme: str
    """Binary coding scheme, lower case: `sgtin-96`."""
    filter: int | None
    """Filter value (TDS 10: 1 = point of sale item, 2 = full case …); None where the scheme has none."""
    uri: str
    """Pure identity, `urn:epc:id:sgtin:0614141.812345.6789`; a Digital Link where the scheme has no URN."""

    @property
    def tag_uri(self) -> str | None:
        """Identity, scheme and filter: `urn:epc:tag:sgtin-96:3.0614141.812345.6789`; None without a URN."""
        body = self.uri.split(":", 4)[4]
        head = "" if self.filter is None else f"{self.filter}."
        return f"urn:epc:tag:{self.scheme}:{head}{body}"

    @property
    def digital_link(self) -> str | None:
        """`https://id.gs1.org/01/80614141123458/21/6789`; None for identities that are no GS1 key."""
        return links.digital_link(self.uri)


@dataclass(frozen=True, slots=True)
class PlusEpc(Epc):
    """A tag of TDS 2: element strings instead of a URN. `uri` is a Digital Link without a query."""

    date: Pair | None = None
    """Date that the scheme has in front of the key (dsgtin): ("17", "220630")."""
    data: tuple[Pair, ...] = ()
    """Element strings behind the identifier, in the tag's order: batch, weight, …"""
    rest: str = ""
    """Bits behind those, as 0 and 1 up to the last 1, from the first element string on that we cannot read."""

    @property
    def tag_uri(self) -> str | None:
        """None: these schemes have no tag URI; `encode` takes the whole `PlusEpc`."""
        return None

    @property
    def digital_link(self) -> str | None:
        """`https://id.gs1.org/01/79521141123453/21/32a%2Fb?17=220630`: `uri` with the date."""
        return self.uri if self.date is None else f"{self.uri}?{self.date[0]}={self.date[1]}"

    @property
    def hostname(self) -> str:
        """`id.gs1.org`, or the brand's own in the schemes with `++`."""
        return self.uri.split("/", 3)[2]


class Scheme(Protocol):
    """One binary coding scheme; implementations hold no state, so threads share them."""

    @property
    def name(self) -> str:
        """As in the tag URI: `sgtin-96`."""
        ...

    @property
    def header(self) -> int:
        """First byte of the EPC memory (TDS 14.2)."""
        ...

    def decode(self, epc: bytes) -> Epc:
        """EPC memory from the header on; zero bytes may follow. Raises `IdentifierError`."""
        ...


class UrnScheme(Scheme, Protocol):
    """A scheme whose identities are URNs."""

    def encode(self, fields: str) -> bytes:
        """The part of a tag URI behind `urn:epc:tag:<name>:` as whole 16 bit words. Raises `IdentifierError`."""
        ...
