"""What may be asked for, how numbers look, and how long a report is good."""

from __future__ import annotations

import re
import secrets
import tomllib
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from trace_core.errors import InputError, NotAllowed
from trace_core.ids import uscc
from trace_server.reports.model import Asker, Kind, Report, Wish

MAX_PURPOSE: Final = 200
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U: numbers are read out and typed."""
_NUMBER: Final = re.compile(r"R\d{8}-[0-9A-HJKMNP-TV-Z]{12}\Z")

_STEPS: Final = {
    "mark": "objection", "expire": "expire", "revoke": "withdraw", "cure": "repair", "remove_early": "repair",
    "remedy": "repair", "withdraw": "withdraw",
}  # fmt: skip


def new_number(today: date) -> str:
    """`R<day>-<12 letters>`: 60 random bits, so that nobody finds reports by counting."""
    return f"R{today:%Y%m%d}-{''.join(secrets.choice(_LETTERS) for _ in range(12))}"


def typed_number(text: str) -> str:
    """A number as somebody typed it, in its one spelling; "" for what can be none."""
    letters = "".join(text[:64].split()).upper().replace("O", "0").replace("I", "1").replace("L", "1")
    return letters if _NUMBER.match(letters) else ""


def checked(wish: Wish, kind: Kind, asker: Asker) -> Wish:
    """The wish in its canonical spelling. Raises `InputError`, `NotAllowed`, `IdentifierError`."""
    purpose = " ".join(wish.purpose.split())
    if not 2 <= len(purpose) <= MAX_PURPOSE:
        raise InputError("say what the report is for", where="purpose", remedy=f"2 to {MAX_PURPOSE} characters")
    usccs = tuple(dict.fromkeys(uscc.parse(code).code for code in wish.usccs))
    if not 1 <= len(usccs) <= kind.most_subjects:
        raise InputError(f"this report is about 1 to {kind.most_subjects} subjects", where="usccs")
    if asker.subject and (kind.needs_authority or usccs != (asker.subject,)):
        raise NotAllowed("a company asks for reports on itself only", where="usccs")
    if bool(wish.uri) != kind.needs_goods:
        raise InputError("name the goods, for a diligence pack alone", where="uri")
    authorisation = wish.authorisation.strip()
    if kind.needs_authorisation and not authorisation:
        raise InputError("this report needs a written authorisation", where="authorisation", remedy="give its number")
    return Wish(wish.kind, usccs, purpose, wish.uri.strip(), authorisation)


def is_open_to(report: Report, asker: Asker) -> bool:
    """An authority sees every report, a company those that it asked for."""
    return not asker.subject or report.asker.subject == asker.subject


def valid_to(today: date) -> date:
    """The last day on which a report made `today` may be relied on."""
    rows = [row for row in _validity() if row["effective_from"] <= today]
    return today + timedelta(days=int(max(rows, key=lambda row: row["effective_from"])["days"]))


def why_of(op: str, *, has_objection: bool) -> str:
    """Why a report is superseded, from the op of the entry behind it."""
    return "objection" if has_objection and op in ("upsert", "correct") else "change" if op == "upsert" else op


def why_of_step(action: str) -> str:
    """The same, from the audit entry of a list membership or a commitment."""
    verb = action.partition(".")[2]
    return _STEPS.get(verb, "change")


@lru_cache(maxsize=1)
def _validity() -> tuple[dict[str, Any], ...]:
    text = (Path(__file__).parent / "validity.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["validity"])
