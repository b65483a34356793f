"""What the public pages say, gathered in one read transaction."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import date

from trace_core.errors import IdentifierError
from trace_core.ids import uscc
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Subject
from trace_server.commitments.model import Commitment
from trace_server.commitments.operations import shown_of
from trace_server.credit import store as credit
from trace_server.credit.grading.model import Reason
from trace_server.credit.model import Archive, ViolationRecord
from trace_server.credit.operations import CheckedGrade, archive, checked_grade
from trace_server.credit.steps import law_day
from trace_server.publicity import store
from trace_server.publicity.rules import for_public
from trace_server.services import Services

MIN_QUERY = 2
"""Characters of a name that is looked up; one character would list half the register."""
MAX_QUERY = 100
MAX_HITS = 20


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """A subject as the register has it (None: not registered here) and its public archive."""

    subject: Subject | None
    archive: Archive
    grade: CheckedGrade | None
    commitments: tuple[Commitment, ...] = ()
    """Those for the public, newest first."""

    @property
    def is_known(self) -> bool:
        return self.subject is not None or bool(self.archive.shown or self.archive.withdrawn or self.commitments)

    @property
    def name(self) -> str:
        """Name in the register, else in the newest decision or commitment shown; empty when there is none."""
        if self.subject is not None:
            return self.subject.name
        records = (*self.archive.shown, *self.archive.withdrawn)
        if records:
            return records[0].decision.subject_name
        return self.commitments[0].promise.subject_name if self.commitments else ""

    def decision_behind(self, record_id: str) -> ViolationRecord | None:
        """The decision behind a line of the grade, when this page shows it; others are not told apart."""
        return next((record for record in self.archive.shown if record.record_id == record_id), None)

    @property
    def green_refusals(self) -> tuple[str, ...]:
        """Conditions of the green channel that are not met; `unshown` for those that would give a record away."""
        if self.grade is None:
            return ()
        unmet = (reason for reason in self.grade.assessment.green.reasons if not reason.met)
        return tuple(dict.fromkeys(reason.condition if self._may_tell(reason) else "unshown" for reason in unmet))

    def _may_tell(self, reason: Reason) -> bool:
        if reason.condition == "years_clean":
            return any(self.decision_behind(ref) for ref in reason.refs)
        if reason.condition == "no_commitment_breach":
            return any(row.code in reason.refs for row in self.commitments)
        return True


@dataclass(frozen=True, slots=True)
class Search:
    """Answer to a search: the one code it names, or the hits by name."""

    query: str
    as_of: date
    code: str | None = None
    hits: tuple[tuple[str, str], ...] = ()
    more: bool = False
    too_short: bool = False


def open_archive(services: Services, code: str) -> ArchivePage:
    """The page of the subject with this code. Raises `IdentifierError` for a text that is no code."""
    parsed = uscc.parse(code).code
    today = law_day(services.clock())
    with services.db.read() as conn:
        found = _masked(archive(conn, parsed, today))
        promises = tuple(shown_of(conn, parsed))
        return ArchivePage(catalog.subject(conn, parsed), found, checked_grade(conn, parsed), promises)


def _masked(found: Archive) -> Archive:
    shown, withdrawn = (tuple(map(for_public, rows)) for rows in (found.shown, found.withdrawn))
    return replace(found, shown=shown, withdrawn=withdrawn)


def search(services: Services, query: str) -> Search:
    """Find subjects by code or by a part of their name, at most `MAX_HITS`."""
    text = unicodedata.normalize("NFKC", query[:MAX_QUERY]).strip()
    today = law_day(services.clock())
    if not text:
        return Search("", today)
    try:
        return Search(text, today, code=uscc.parse(text).code)
    except IdentifierError:
        # Not a code: then it is a name.
        if len(text) < MIN_QUERY:
            return Search(text, today, too_short=True)
    with services.db.read() as conn:
        found = dict(credit.shown_names(conn, text, today, MAX_HITS + 1))
        found |= dict(store.names(conn, text, MAX_HITS + 1))
    hits = sorted(found.items())
    return Search(text, today, hits=tuple(hits[:MAX_HITS]), more=len(hits) > MAX_HITS)
