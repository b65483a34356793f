"""What a tag says, once decoded, and the contract of one binary coding scheme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Epc:
    """The identifier that a tag's EPC memory holds, in the spellings that others use for it."""

    scheme: str
    """Binary coding scheme, lower case: `sgtin-96`."""
    filter: int | None
    """Filter value 0–7 (TDS 10: 1 = point of sale item, 2 = full case …); None where the scheme has none."""
    uri: str
    """Pure identity: `urn:epc:id:sgtin:0614141.812345.6789`."""
    digital_link: str | None
    """`https://id.gs1.org/01/80614141123458/21/6789`; None for identities that are no GS1 key (GID)."""

    @property
    def tag_uri(self) -> str:
        """Identity, scheme and filter: `urn:epc:tag:sgtin-96:3.0614141.812345.6789`."""
        body = self.uri.split(":", 4)[4]
        head = "" if self.filter is None else f"{self.filter}."
        return f"urn:epc:tag:{self.scheme}:{head}{body}"


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

    def encode(self, fields: str) -> bytes:
        """The part of a tag URI behind `urn:epc:tag:<name>:` as whole 16 bit words. Raises `IdentifierError`."""
        ...
