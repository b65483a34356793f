"""Settings from the server: which are in force, which are on trial, and what became of the last.

One file holds all of it and is replaced as a whole, so that a power cut leaves the state before or after a step. A
version that was tried is never tried again, and none comes back: the server must issue a higher one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway_agent.blocklist import write_durably
from gateway_agent.killpoints import reach
from trace_core.errors import EventError, Refused
from trace_core.fleet import SettingsDocument, decode_settings, settings_input, unseal_settings
from trace_core.uplink import key_id

log = logging.getLogger(__name__)

FILE = "settings.json"
MAX_ATTEMPTS = 2
"""A trial that a power cut ended is begun once more; after that the candidate is blamed."""


@dataclass(frozen=True, slots=True)
class _State:
    """The file. Documents as they travelled, "" for none; they are checked again at each load."""

    in_force: str = ""
    candidate: str = ""
    attempts: int = 0
    before: Sequence[str] = ()
    """Readers that were online when the candidate was first tried; a second try must find them too."""
    highest: int = 0
    """Highest version ever taken as a candidate."""
    tried: int = 0
    result: str = ""
    reason: str = ""


class RemoteSettings:
    """`settings.json` in the state folder; `offer` is called by the sender, the rest by the main thread."""

    def __init__(self, folder: Path, key: bytes | None, gateway_id: str) -> None:
        """`key`: the pinned list key (32 raw bytes); without one nothing is taken."""
        self._path = folder / FILE
        self._key = key
        self._gateway_id = gateway_id
        self._state = _read(self._path)
        self.problem = ""

    @property
    def folder(self) -> Path:
        return self._path.parent

    @property
    def before(self) -> Collection[str]:
        """Readers that were online before the candidate."""
        return self._state.before

    @property
    def highest(self) -> int:
        """Versions up to this one were taken or tried before."""
        return self._state.highest

    @property
    def has_candidate(self) -> bool:
        return bool(self._state.candidate)

    def fields(self) -> dict[str, object]:
        """For the heartbeat: the version in force and what became of the last one tried."""
        state = self._state
        outcome = {"version": state.tried, "result": state.result, "reason": state.reason} if state.tried else None
        force = self._document(state.in_force)
        return {"version": force.version if force else 0, "outcome": outcome, "problem": self.problem}

    def offer(self, data: bytes) -> None:
        """Take a document as the next candidate. Raises `EventError` or `Refused`: unsigned, forged, foreign, older."""
        document = self._checked(data)
        if document.version <= self._state.highest:
            raise Refused(f"version {document.version} is not above {self._state.highest}", where="settings")
        self._store(replace(self._state, candidate=data.decode(), attempts=0, before=(), highest=document.version))
        reach("settings-candidate")

    def in_force(self) -> Mapping[str, Any]:
        """The settings that stand over the file; empty for none."""
        document = self._document(self._state.in_force)
        return document.settings if document else {}

    def begin_trial(self, online: Collection[str]) -> SettingsDocument | None:
        """The candidate to try now, None for none. A candidate that ended the program twice is rolled back.

        `online`: readers that are well; kept as `before` unless the candidate was begun earlier.
        """
        document = self._document(self._state.candidate)
        if document is None:
            return None
        if self._state.attempts >= MAX_ATTEMPTS:
            self.conclude("rolled_back", f"the program ended {MAX_ATTEMPTS} times during the trial")
            return None
        before = self._state.before if self._state.attempts else sorted(online)
        self._store(replace(self._state, attempts=self._state.attempts + 1, before=before))
        reach("settings-trial")
        return document

    def interrupted(self) -> None:
        """Somebody stopped the program during the trial: no fault of the candidate, which is tried again."""
        self._store(replace(self._state, attempts=max(0, self._state.attempts - 1)))

    def conclude(self, result: str, reason: str = "") -> None:
        """End the trial: `kept`, or `rolled_back` or `refused` with the reason."""
        state = self._state
        document = self._document(state.candidate)
        in_force = state.candidate if result == "kept" else state.in_force
        tried = document.version if document else state.tried
        self._store(
            replace(
                state,
                in_force=in_force,
                candidate="",
                attempts=0,
                before=(),
                tried=tried,
                result=result,
                reason=reason,
            )
        )
        reach("settings-judged")
        log.warning("settings %d: %s %s", tried, result, reason)

    def drop(self, reason: str) -> None:
        """The settings in force no longer fit the file: go on with the file alone and say so."""
        document = self._document(self._state.in_force)
        tried = document.version if document else 0
        self._store(replace(self._state, in_force="", tried=tried, result="rolled_back", reason=reason))
        log.error("ALARM settings %d dropped: %s", tried, reason)

    def _document(self, text: str) -> SettingsDocument | None:
        if not text:
            return None
        try:
            return self._checked(text.encode())
        except (EventError, Refused) as error:
            self.problem = f"stored settings are unusable: {error}"
            log.error("%s", self.problem)  # noqa: TRY400 - said in one line
            return None

    def _checked(self, data: bytes) -> SettingsDocument:
        if self._key is None:
            raise Refused("no key is pinned", where="settings", remedy="run `gateway-agent pin-list-key`")
        sealed = unseal_settings(data)
        if sealed.key_id != key_id(self._key):
            raise Refused(f"signed by key {sealed.key_id}, pinned is {key_id(self._key)}", where="settings")
        try:
            Ed25519PublicKey.from_public_bytes(self._key).verify(sealed.signature, settings_input(sealed.content))
        except InvalidSignature as error:
            raise Refused("the signature does not fit: forged or damaged", where="settings") from error
        document = decode_settings(sealed.content)
        if document.gateway_id != self._gateway_id:
            raise Refused(f"they are for {document.gateway_id}", where="settings")
        return document

    def _store(self, state: _State) -> None:
        write_durably(self._path, json.dumps(asdict(state)).encode(), mode=0o600)
        self._state = state


def _read(path: Path) -> _State:
    """A damaged file protects nothing and is said; the gateway goes on with its own settings."""
    try:
        return _State(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return _State()
    except (OSError, ValueError, TypeError) as error:
        log.error("%s is damaged, going on without it: %s", path, error)  # noqa: TRY400 - said in one line
        return _State()
