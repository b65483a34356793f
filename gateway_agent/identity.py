"""Who this gateway is: an Ed25519 key made on the box that never leaves it, and the id the server gave."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway_agent.blocklist import write_durably
from gateway_agent.server_link import ServerLink
from trace_core.errors import ConfigError, Conflict, Refused
from trace_core.release import VERSION
from trace_core.uplink import encode_signature, key_id, signature_input

ENROL_PATH = "/api/v1/gateways/enrol"
KEY_FILE = "key.pem"
PEM = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the 32 bytes of every Ed25519 key (RFC 8410 §7, §10.3). Reading this one kind of key costs
nothing; the library's reader brings RSA, DSA, ECDSA and OpenSSH along, 3 MB on a box that has none of them."""
IDENTITY_FILE = "identity.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the server answered to the enrolment. `state` is as of then; approval may have followed."""

    gateway_id: str
    key_id: str
    state: str
    server: str


@dataclass(frozen=True, slots=True)
class Signer:
    """The box's private key in use."""

    key: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        return key_id(self.public_key)

    def sign(self, payload: bytes) -> str:
        """Signature header for `payload`."""
        return encode_signature(self.key.sign(signature_input(payload)))


def make_or_load_key(folder: Path, name: str = KEY_FILE) -> Signer:
    """The key in `folder`, made when there is none. Raises `ConfigError`."""
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_durably(path, _to_pem(Ed25519PrivateKey.generate()), mode=0o600)
    return load_key(folder, name)


def load_key(folder: Path, name: str = KEY_FILE) -> Signer:
    """Raises `ConfigError` when the key is missing, damaged, or readable for others."""
    path = folder / name
    try:
        pem = path.read_bytes()
        mode = stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116 - Path.stat is the same call
    except OSError as error:
        raise ConfigError(f"cannot read the key: {error.strerror}", where=str(path), remedy="run `enrol`") from error
    if mode & 0o077:
        raise ConfigError(f"others may read the key (mode {mode:o})", where=str(path), remedy=f"chmod 600 {path}")
    try:
        return Signer(_from_pem(pem))
    except ValueError as error:
        raise ConfigError(f"not a key: {error}", where=str(path), remedy="move it away and enrol again") from error


def load_identity(folder: Path) -> Identity:
    """Raises `ConfigError` when the gateway was not enrolled."""
    path = folder / IDENTITY_FILE
    try:
        fields = json.loads(path.read_bytes())
        return Identity(**{name: str(fields[name]) for name in Identity.__slots__})
    except OSError as error:
        raise ConfigError("the gateway is not enrolled", where=str(path), remedy="run `enrol`") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"damaged: {error!r}", where=str(path), remedy="enrol again with a new code") from error


def enrol(folder: Path, link: ServerLink, code: str) -> Identity:
    """Exchange a one-time code for a gateway id. Raises `Refused`, `Retryable` or `Conflict`.

    A crash in between leaves the key, and the next attempt uses it.
    """
    if (folder / IDENTITY_FILE).exists():
        raise Conflict(
            f"already enrolled as {load_identity(folder).gateway_id}",
            where=str(folder / IDENTITY_FILE),
            remedy="move the file away to enrol anew",
        )
    signer = make_or_load_key(folder)
    request = {
        "code": code,
        "public_key": base64.b64encode(signer.public_key).decode(),
        "software": f"suyuan-gateway {VERSION}",
        "hostname": socket.gethostname(),
    }
    reply = link.post(ENROL_PATH, json.dumps(request).encode(), {"Content-Type": "application/json"})
    if reply.status != 201:
        raise Refused(
            f"the server answered {reply.status}: {reply.reason()}", where=ENROL_PATH, remedy="ask for a code"
        )
    fields = reply.json_object()
    identity = Identity(
        gateway_id=str(fields.get("gateway_id", "")),
        key_id=str(fields.get("key_id", "")),
        state=str(fields.get("state", "")),
        server=link.url,
    )
    if not identity.gateway_id or identity.key_id != signer.key_id:
        raise Refused("the answer is not about our key", where=ENROL_PATH, remedy="check [server] url")
    write_durably(folder / IDENTITY_FILE, json.dumps(asdict(identity), indent=2).encode())
    return identity


def _to_pem(key: Ed25519PrivateKey) -> bytes:
    return PEM.format(base64.b64encode(PKCS8 + key.private_bytes_raw()).decode()).encode()


def _from_pem(pem: bytes) -> Ed25519PrivateKey:
    """Raises `ValueError`."""
    head, _, tail = PEM.partition("{}")
    text = pem.decode("ascii").strip()
    if not text.startswith(head.strip()) or not text.endswith(tail.strip()):
        raise ValueError("not a PEM file with one unencrypted PKCS #8 key")
    der = base64.b64decode("".join(text.removeprefix(head.strip()).removesuffix(tail.strip()).split()), validate=True)
    if not der.startswith(PKCS8) or len(der) != len(PKCS8) + 32:
        raise ValueError("not an Ed25519 key")
    return Ed25519PrivateKey.from_private_bytes(der[len(PKCS8) :])
