"""One spelling for every GS1 identifier: the canonical Digital Link URI."""

from __future__ import annotations


def canonical_uri(uri: str) -> str:
    """`https://id.gs1.org/…` for an EPC URN, class URN or Digital Link; any other URI unchanged."""
    raise NotImplementedError


def object_key(uri: str) -> bytes:
    """First 16 bytes of SHA-256 of the canonical URI."""
    raise NotImplementedError
