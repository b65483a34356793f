"""The gateway's key in use, and how another takes its place without a moment in which neither is good.

`key.next.pem` exists from before the server hears of the new key until it is in use: wherever the program ends, the
next one asks again, and the server gives the same answer. A file `rotate-key` asks for a change.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from gateway_agent import identity
from gateway_agent.blocklist import write_durably
from gateway_agent.identity import Signer
from gateway_agent.killpoints import reach
from gateway_agent.server_link import Reply
from trace_core.errors import Refused
from trace_core.fleet import ROTATE_PATH, rotation_input
from trace_core.uplink import KEY_ID_HEADER, SIGNATURE_HEADER

log = logging.getLogger(__name__)

NEXT_FILE = "key.next.pem"
REQUEST_FILE = "rotate-key"


class Keyring:
    """Signs like a `Signer`; used by the sender's thread alone. Raises `ConfigError` when there is no usable key."""

    def __init__(self, folder: Path, gateway_id: str) -> None:
        self._folder = folder
        self._gateway_id = gateway_id
        self._current = identity.load_key(folder)

    @property
    def key_id(self) -> str:
        return self._current.key_id

    def sign(self, payload: bytes) -> str:
        """Signature header for `payload`, by the key in use."""
        return self._current.sign(payload)

    @property
    def is_rotation_asked(self) -> bool:
        """A person asked, or an earlier change is not finished."""
        return (self._folder / REQUEST_FILE).exists() or (self._folder / NEXT_FILE).exists()

    def rotate(self, post: Callable[[str, bytes, Mapping[str, str]], Reply]) -> None:
        """Make a key, let the server take it, use it. Raises `Retryable`, or `Refused` when the server will not."""
        path = self._folder / NEXT_FILE
        new = identity.make_or_load_key(self._folder, NEXT_FILE)
        reach("key-made")
        if new.key_id != self.key_id:
            reply = self._ask(post, self._current, new)
            if reply.status in (401, 403):  # it took the new key long ago, and the old one has ended since
                again = self._ask(post, new, new)
                reply = again if again.status == 200 else reply
            if reply.status != 200:
                raise Refused(f"the server answered {reply.status}: {reply.reason()}", where=ROTATE_PATH)
            reach("key-accepted")
            write_durably(self._folder / identity.KEY_FILE, path.read_bytes(), mode=0o600)
            reach("key-swapped")
            log.info("key %s took the place of %s", new.key_id, self.key_id)
        self._current = new
        path.unlink()
        (self._folder / REQUEST_FILE).unlink(missing_ok=True)

    def _ask(self, post: Callable[[str, bytes, Mapping[str, str]], Reply], signer: Signer, new: Signer) -> Reply:
        proof = new.sign(rotation_input(self._gateway_id, signer.key_id))
        fields = {
            "kind": "key-rotation",
            "public_key": base64.b64encode(new.public_key).decode(),
            "proof": proof,
        }
        body = json.dumps(fields).encode()
        return post(ROTATE_PATH, body, {KEY_ID_HEADER: signer.key_id, SIGNATURE_HEADER: signer.sign(body)})


def ask_rotation(folder: Path) -> Path:
    """Ask the gateway that runs, or the next one, for another key. The file is gone when it is in use."""
    path = folder / REQUEST_FILE
    path.touch(mode=0o600)
    return path
