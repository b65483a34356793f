"""Types, codes, guards and the official fields of commitments. Values in, values out."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path

from trace_core.errors import IdentifierError, InputError, NotAllowed
from trace_core.ids import uscc as codes
from trace_server.commitments.model import (
    Commitment,
    CommitmentEvent,
    CommitmentState,
    CommitmentType,
    Finding,
    Performance,
    Promise,
    Publicity,
)
from trace_server.commitments.states import TRANSITIONS
from trace_server.credit.coding import OBJECTION_FIELD, UNDER_OBJECTION, masked_name, value_text
from trace_server.credit.fields import PERSON, SUBJECT_KINDS

MAX_SERIAL = 999_999
LIMITS = {
    "subject_name": 200, "subject_code": 18, "cause": 512, "content": 4000, "liability": 4000,
    "acceptor_name": 200, "unfulfilled": 4000, "pursued": 4000, "authority_name": 200,
}  # fmt: skip
"""Characters of each required text, by the template."""
MAX_REMARKS = 512
MAX_REASON = 4096
MAX_DOCUMENT = 128


@lru_cache(maxsize=1)
def types() -> dict[str, CommitmentType]:
    """The rows of `types.toml` by name."""
    rows = tomllib.loads((Path(__file__).parent / "types.toml").read_text(encoding="utf-8"))["type"]
    return {row["name"]: CommitmentType(**row) for row in rows}


def made_code(region: str, day: date, serial: int) -> str:
    """承诺编码: region 6 + date 8 + serial 6. Raises `InputError` when the day has no serial left."""
    if serial > MAX_SERIAL:
        raise InputError("this region has no code left for the day", where="made_on")
    return f"{region}{day:%Y%m%d}{serial:06}"


def checked(promise: Promise, today: date) -> Promise:
    """The promise with its codes as GB 32100 writes them. Raises `InputError`, `IdentifierError`."""
    kind = types().get(promise.type)
    if kind is None or promise.made_on < kind.effective_from:
        raise InputError("there is no such type of commitment", where="type", remedy=", ".join(types()))
    if promise.subject_kind not in SUBJECT_KINDS:
        raise InputError("there is no such kind of party", where="subject_kind", remedy=", ".join(SUBJECT_KINDS))
    for name in ("subject_name", "subject_code", "cause", "content", "liability", "acceptor_name"):
        require_text(getattr(promise, name), name, LIMITS[name])
    if len(promise.remarks) > MAX_REMARKS:
        raise InputError(f"at most {MAX_REMARKS} characters", where="remarks")
    if promise.made_on > today:
        raise InputError("it is signed in the future", where="made_on")
    if promise.valid_until is not None and promise.valid_until < promise.made_on:
        raise InputError("it ends before it begins", where="valid_until")
    if kind.links_repair != bool(promise.repair_id):
        remedy = "name the application for repair" if kind.links_repair else "leave it out"
        raise InputError("a commitment for credit repair names its application", where="repair_id", remedy=remedy)
    return promise


def code_of(text: str, where: str) -> str:
    """A unified social credit code. Raises `InputError` naming the field."""
    try:
        return codes.parse(text).code
    except IdentifierError as err:
        raise InputError("this is no unified social credit code", where=where, remedy=str(err)) from err


def require_text(text: str, where: str, most: int = MAX_REASON) -> str:
    """Raises `InputError` for nothing and for too much."""
    if not 1 <= len(text.strip()) <= most:
        raise InputError(f"1 to {most:,} characters are needed", where=where)
    return text.strip()


def require_step(row: Commitment, event: CommitmentEvent, actor: str) -> None:
    """Guards beside the table. Raises `NotAllowed` or `InputError`."""
    is_open = row.promise.publicity is Publicity.OPEN
    if event is CommitmentEvent.PUBLISH:
        if not is_open:
            raise InputError("this commitment is not for the public", where="event", remedy="enter")
        if actor == row.signed_by:
            raise NotAllowed("a second person publishes", where="actor", remedy="ask a colleague")
    if event is CommitmentEvent.ENTER and row.state is CommitmentState.SIGNED and is_open:
        raise InputError("it has to be published first", where="event", remedy="publish")
    if event is CommitmentEvent.RECORD_BREACH and actor == row.determined_by:
        raise NotAllowed("a second person records a breach", where="actor", remedy="ask a colleague")


def checked_finding(performance: Performance, finding: Finding) -> Finding:
    """What was determined; a breach says what was not kept and what follows. Raises `InputError`."""
    if performance is not Performance.FULFILLED:
        for name in ("unfulfilled", "pursued"):
            require_text(getattr(finding, name), name, LIMITS[name])
    return finding


def possible(row: Commitment) -> list[CommitmentEvent]:
    """The steps of the table from here, in its order."""
    return list(TRANSITIONS[row.state])


def shared_name(row: Commitment) -> str:
    """The name as it leaves the register: a person's is masked."""
    name = row.promise.subject_name
    return masked_name(name) if row.promise.subject_kind == PERSON else name


def shared_fields(row: Commitment) -> dict[str, str]:
    """Official name → text of every field that is given, in the official order, fit to leave the register."""
    promise, found = row.promise, row.told_finding
    values = (
        ("承诺编码", row.code),
        ("承诺人名称", promise.subject_name),
        ("承诺人类别", promise.subject_kind),
        ("承诺人代码", promise.subject_code),
        ("承诺类型", promise.type),
        ("承诺事由", promise.cause),
        ("承诺内容", promise.content),
        ("违诺责任", promise.liability),
        ("承诺作出日期", value_text(promise.made_on)),
        ("承诺有效期", value_text(promise.valid_until) if promise.valid_until else ""),
        ("承诺履行状态", found.performance.value),
        ("未履行的承诺内容", found.unfulfilled),
        ("违诺责任追究内容", found.pursued),
        ("履行状态认定日期", value_text(found.determined_on) if found.determined_on else ""),
        ("认定单位", found.authority_name),
        ("认定单位代码", found.authority_code),
        ("承诺受理单位", promise.acceptor_name),
        ("承诺受理单位代码", promise.acceptor_code),
        ("公开类型", promise.publicity.value),
        ("备注", promise.remarks),
        ("关联信用修复", promise.repair_id),
        ("关联处罚记录", row.record_id),
        (OBJECTION_FIELD, UNDER_OBJECTION if row.objection else ""),
    )
    is_person = promise.subject_kind == PERSON
    hidden = masked_name(promise.subject_name)
    return {name: text.replace(promise.subject_name, hidden) if is_person else text for name, text in values if text}
