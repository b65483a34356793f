"""Use cases of the base registers: persons, names, old codes, premises, papers, judgments. Audited, one transaction
each; `…_within` work in the caller's.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_core.ids import uscc as codes
from trace_server import audit
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Subject
from trace_server.catalog.operations import SHANGHAI
from trace_server.config import Settings
from trace_server.db import Connection, Dialect
from trace_server.registers.parties import CodeScheme, Judgment, OldCode, Paper, Person, Premises, SubjectName
from trace_server.registers.store import parties as store
from trace_server.sealed import operations as sealed
from trace_server.sealed.model import Purpose
from trace_server.services import Services

PERSON_ID = re.compile(r"p[0-9a-f]{16}")
"""What stands in tables where the number of an identity document stood; as long as a code may be."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REGION = re.compile(r"[0-9]{6}")
MAX_DEGREES = (90, 180)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as a paper names it: name, kind and number of the identity document."""

    name: str
    document_kind: str
    document_no: str
    source: str


@dataclass(frozen=True, slots=True)
class SubjectView:
    """All that the registers say of a subject."""

    uscc: str
    subject: Subject | None
    names: tuple[SubjectName, ...]
    old_codes: tuple[OldCode, ...]
    premises: tuple[Premises, ...]
    papers: tuple[Paper, ...]
    judgments: tuple[Judgment, ...]


def seal_person_within(
    settings: Settings, conn: Connection, dialect: Dialect, now: datetime, actor: str, who: Identity
) -> Person:
    """The person with this document, sealed and added when it is new. Raises `ConfigError` without the sealing key."""
    number = who.document_no.strip().upper()
    text = f"{who.document_kind}\n{number}"
    lookup = sealed.index_of(settings, Purpose.NATURAL_PERSON, text)[:16]
    known = store.person_by_lookup(conn, lookup)
    if known is not None:
        return known
    fields = {"name": who.name, "document_kind": who.document_kind, "document_no": number}
    row = Person(
        person_id=f"p{secrets.token_hex(8)}",
        masked_name=masked_name(who.name),
        document_kind=who.document_kind,
        sealed_id=sealed.seal(settings, conn, now, Purpose.NATURAL_PERSON, fields),
        source=who.source,
        added_by=actor,
        added_at=now,
    )
    if not store.add_person(conn, dialect, row, lookup):
        raise Conflict("the same person is being added", where="document_no", remedy="send it again")
    audit.record(conn, now, actor, "registers.person", row.person_id, {"source": who.source})
    return row


def masked_name(name: str) -> str:
    """A natural person's name as others may see it: 张三丰 becomes 张某某."""
    return name[:1] + "某" * min(max(len(name) - 1, 1), 2)


def note_name_within(conn: Connection, dialect: Dialect, uscc: str, name: str, day: date, source: str) -> None:
    """A register told this name of the subject on `day`."""
    store.note_name(conn, dialect, SubjectName(uscc, name, day, day, source))


def note_code_within(
    conn: Connection, dialect: Dialect, now: datetime, actor: str, code: str, scheme: CodeScheme, uscc: str, source: str
) -> bool:
    """A register told that the subject had this old code; True when it is new.

    Raises `Conflict` when it is another subject's: then a person merges.
    """
    row = OldCode(clean_code(code), scheme, codes.parse(uscc).code, source, actor, now)
    if store.add_code(conn, dialect, row):
        detail = {"scheme": scheme.value, "uscc": row.uscc}
        audit.record(conn, now, actor, "registers.code", row.code, detail)
        return True
    known = next(one for one in store.codes(conn, row.code) if one.scheme is scheme)
    if known.uscc != row.uscc:
        raise Conflict("this old code is another subject's", where=scheme.value, remedy="merge by hand, with a reason")
    return False


def clean_code(code: str) -> str:
    """An old code without blanks and hyphens, upper case. Raises `InputError`."""
    found = re.sub(r"[\s\-]", "", code).upper()
    if not (1 <= len(found) <= 50 and found.isascii() and found.isalnum()):
        raise InputError("an old code is 1 to 50 letters and digits", where="code")
    return found


def merge_code(services: Services, actor: str, code: str, scheme: CodeScheme, uscc: str, reason: str) -> OldCode:
    """Say by hand whose an old code is, whatever a register told. Raises `InputError` without a reason."""
    why, now = reason.strip(), services.clock()
    if not 1 <= len(why) <= 1000:
        raise InputError("say why, in up to 1,000 characters", where="reason")
    wanted, target = clean_code(code), codes.parse(uscc).code
    with services.db.begin() as conn:
        known = next((one for one in store.codes(conn, wanted, lock=True) if one.scheme is scheme), None)
        row = OldCode(wanted, scheme, target, "人工核对", actor, now)
        if known is None:
            store.add_code(conn, services.db.dialect, row)
        else:
            store.move_code(conn, wanted, scheme, target)
        detail = {"scheme": scheme.value, "uscc": target, "was": known.uscc if known else "", "reason": why}
        audit.record(conn, now, actor, "registers.merge", wanted, detail)
    return replace(known, uscc=target) if known else row


def find_code(services: Services, code: str) -> list[OldCode]:
    """Whose an old code is."""
    with services.db.read() as conn:
        return store.codes(conn, clean_code(code))


def view(services: Services, uscc: str) -> SubjectView:
    """All that the registers say of a subject. Raises `IdentifierError`."""
    code = codes.parse(uscc).code
    with services.db.read() as conn:
        return SubjectView(
            uscc=code,
            subject=catalog.subject(conn, code),
            names=tuple(store.names(conn, code)),
            old_codes=tuple(store.codes_of(conn, code)),
            premises=tuple(store.premises_of(conn, code)),
            papers=tuple(store.papers_of(conn, code)),
            judgments=tuple(store.judgments_of(conn, code)),
        )


def list_persons(services: Services, *, after: str = "", limit: int) -> list[Person]:
    """Persons by id, with masked names."""
    with services.db.read() as conn:
        return store.persons(conn, after=after, limit=limit)


def save_premises(services: Services, actor: str, row: Premises) -> Premises:
    """Register where a subject works, or what has changed of it. Raises `InputError`."""
    now = services.clock()
    checked = replace(
        row, uscc=codes.parse(row.uscc).code, premises_id=row.premises_id or f"site-{secrets.token_hex(6)}"
    )
    if not 1 <= len(row.address.strip()) <= 400:
        raise InputError("give the address in up to 400 characters", where="address")
    if not _REGION.fullmatch(row.region):
        raise InputError("a region is six digits of GB/T 2260", where="region")
    places = (row.latitude, row.longitude)
    if (places[0] is None) != (places[1] is None):
        raise InputError("give latitude and longitude, or neither", where="latitude")
    for value, most, where in zip(places, MAX_DEGREES, ("latitude", "longitude"), strict=True):
        if value is not None and not -most <= value <= most:
            raise InputError(f"degrees from -{most} to {most} are expected", where=where)
    with services.db.begin() as conn:
        _require_subject(conn, checked.uscc)
        store.save_premises(conn, services.db.dialect, checked)
        detail = {"uscc": checked.uscc, "region": checked.region}
        audit.record(conn, now, actor, "registers.premises", checked.premises_id, detail)
    return checked


def add_paper(services: Services, actor: str, row: Paper) -> Paper:
    """Register a document of a subject, not verified yet. Raises `InputError`."""
    now = services.clock()
    for where, most in (("type", 64), ("number", 128), ("issuer", 200)):
        if not 1 <= len(getattr(row, where).strip()) <= most:
            raise InputError(f"1 to {most} characters are needed", where=where)
    if not _SHA256.fullmatch(row.sha256):
        raise InputError("the digest of the file is 64 hexadecimal digits", where="sha256")
    if row.valid_to is not None and row.valid_to < row.issued_on:
        raise InputError("it ends before it begins", where="valid_to")
    made = replace(
        row, uscc=codes.parse(row.uscc).code, document_id=f"doc-{secrets.token_hex(6)}", verified_by="",
        verified_at=None, added_by=actor, added_at=now,
    )  # fmt: skip
    with services.db.begin() as conn:
        _require_subject(conn, made.uscc)
        store.add_paper(conn, made)
        audit.record(conn, now, actor, "registers.document", made.document_id, {"uscc": made.uscc, "type": made.type})
    return made


def verify_paper(services: Services, actor: str, uscc: str, document_id: str) -> Paper:
    """A second person has compared the document with its issuer's register. Raises `NotAllowed`, `NotFound`."""
    now = services.clock()
    with services.db.begin() as conn:
        row = store.paper(conn, codes.parse(uscc).code, document_id)
        if row is None:
            raise NotFound("there is no such document", where="document_id")
        if row.added_by == actor:
            raise NotAllowed("a second person verifies", where="actor", remedy="ask a colleague")
        moved = replace(row, verified_by=actor, verified_at=now)
        store.save_paper(conn, moved)
        audit.record(conn, now, actor, "registers.verify", document_id, {"uscc": row.uscc})
    return moved


def judgment_id(court: str, case_no: str, party: str) -> str:
    """One party of one case at one court."""
    return "jud-" + hashlib.sha256("\n".join((court, case_no, party)).encode()).hexdigest()[:24]


def record_judgment_within(conn: Connection, dialect: Dialect, now: datetime, actor: str, row: Judgment) -> bool:
    """What a court told, new or changed; False when it was known so."""
    known = store.judgment(conn, row.judgment_id)
    if known is not None and replace(known, recorded_by=row.recorded_by, recorded_at=row.recorded_at) == row:
        return False
    store.save_judgment(conn, dialect, row)
    detail = {"case": row.case_no, "court": row.court, "uscc": row.uscc}
    audit.record(conn, now, actor, "registers.judgment", row.judgment_id, detail)
    return True


def today(now: datetime) -> date:
    """The day of law."""
    return now.astimezone(SHANGHAI).date()


def _require_subject(conn: Connection, uscc: str) -> None:
    if catalog.subject(conn, uscc) is None:
        raise InputError("the subject is not registered", where="uscc", remedy="import it first")
