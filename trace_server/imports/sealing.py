"""Takes identity documents out of a row before anything of it is stored.

A number becomes the id of the person in the sealed register, a person's name is masked in every cell, and a number
that stands in an open text is a fault: the row is refused and the number blotted out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from trace_server.config import Settings
from trace_server.credit.fields import DOCUMENT_KINDS, PERSON
from trace_server.db import Connection, Dialect
from trace_server.imports.model import Fault, IdentityCells, ImportKind
from trace_server.registers import keeping
from trace_server.registers.keeping import PERSON_ID, Identity
from trace_server.sealed.operations import can_seal

BLOT = "＊＊＊"
MIN_NUMBER = 6
"""Shorter document numbers would turn up in text by chance."""
MAX_NUMBER = 64
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx](?![0-9A-Za-z])")
"""A Chinese identity number in text (GB 11643)."""


class Sealer:
    """Seals the rows of one file in the transaction that stores them."""

    def __init__(
        self, settings: Settings, conn: Connection, dialect: Dialect, now: datetime, actor: str, source: str
    ) -> None:
        self._settings = settings
        self._conn = conn
        self._dialect = dialect
        self._now = now
        self._actor = actor
        self._source = source
        self._known: dict[tuple[str, str], str] = {}

    def row(self, kind: ImportKind, cells: Mapping[str, str]) -> tuple[dict[str, str], tuple[Fault, ...]]:
        """The row as it may be stored, and what is wrong with it already."""
        safe, faults = dict(cells), list[Fault]()
        numbers: list[str] = []
        for identity in kind.identities:
            number = safe.get(identity.number, "").strip()
            is_party = bool(identity.party_kind)
            is_person = _is_person(identity, safe, number)
            if number and (is_person or not is_party):
                numbers.append(number)
                safe[identity.number] = self._sealed(identity, safe, number, faults)
            name = safe.get(identity.name, "").strip()
            if is_party and is_person and name:
                masked = keeping.masked_name(name)
                safe = {code: text.replace(name, masked) for code, text in safe.items()}
        self._blot(kind, safe, numbers, faults)
        return safe, tuple(faults)

    def _sealed(self, identity: IdentityCells, cells: Mapping[str, str], number: str, faults: list[Fault]) -> str:
        if PERSON_ID.fullmatch(number):  # from a corrected file of ours
            return number
        if not can_seal(self._settings) or len(number) > MAX_NUMBER:
            faults.append(Fault(identity.number, "cannot-seal"))
            return ""
        document = cells.get(identity.document_kind, "").strip() or DOCUMENT_KINDS[0]
        key = document, number
        if key not in self._known:
            who = Identity(cells.get(identity.name, "").strip(), document, number, self._source)
            person = keeping.seal_person_within(self._settings, self._conn, self._dialect, self._now, self._actor, who)
            self._known[key] = person.person_id
        return self._known[key]

    def _blot(self, kind: ImportKind, cells: dict[str, str], numbers: list[str], faults: list[Fault]) -> None:
        own = {identity.number for identity in kind.identities}
        secrets = [
            re.escape(number) for number in numbers if len(number) >= MIN_NUMBER and not PERSON_ID.fullmatch(number)
        ]
        pattern = re.compile("|".join([_IDENTITY.pattern, *secrets]), re.IGNORECASE)
        for code, text in cells.items():
            if code in own and PERSON_ID.fullmatch(text):
                continue
            blotted = pattern.sub(BLOT, text)
            if blotted != text:
                cells[code] = blotted
                faults.append(Fault(code, "identity-in-text"))


def _is_person(identity: IdentityCells, cells: Mapping[str, str], number: str) -> bool:
    if identity.party_kind not in cells:
        return bool(number) and not identity.is_code
    return cells[identity.party_kind].strip() == PERSON
