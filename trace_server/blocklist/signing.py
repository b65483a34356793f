"""The key that signs the list. Gateways pin its public half, so that nobody between here and there can forge one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from trace_core.block_list import SignedList, seal, signature_input
from trace_core.errors import ConfigError, NotFound
from trace_core.uplink import key_id
from trace_server.blocklist.model import BlockList
from trace_server.config import Settings

DERIVATION = b"suyuan block list key v1"
"""Keeps the derived key apart from every other use of the secret."""


@dataclass(frozen=True, slots=True)
class ListSigner:
    """The private key in use."""

    key: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        """32 raw bytes."""
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def key_id(self) -> str:
        return key_id(self.public_key)

    def sealed(self, published: BlockList) -> bytes:
        """The list as it travels. The same version gives the same bytes."""
        document = {
            "version": published.version,
            "issued_at": published.issued_at.isoformat(),
            "entries": [dict(line) for line in published.entries],
        }
        content = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        return seal(SignedList(self.key_id, self.key.sign(signature_input(content)), content))


def list_signer(settings: Settings) -> ListSigner:
    """The key of `block_list_key_file`, else one derived from `code_secret`.

    Raises `ConfigError` for a file that holds no key, `NotFound` when there is nothing to make one of.
    """
    if settings.block_list_key_file:
        return ListSigner(_load(Path(settings.block_list_key_file)))
    if not settings.code_secret:
        raise NotFound("this server has no key to sign a block list with", remedy="set block_list_key_file")
    seed = settings.derived_key(DERIVATION)
    return ListSigner(Ed25519PrivateKey.from_private_bytes(seed))


def _load(path: Path) -> Ed25519PrivateKey:
    remedy = "make one with `openssl genpkey -algorithm ed25519`"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(f"cannot read the key: {error.strerror}", where=str(path), remedy=remedy) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"not a key: {error}", where=str(path), remedy=remedy) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("not an Ed25519 key", where=str(path), remedy=remedy)
    return key
