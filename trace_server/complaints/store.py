"""SQL of reports and complaints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, or_, select, update

from trace_server.complaints.model import Complaint, Deed, Entry, Kind, Reward, RewardState, State
from trace_server.complaints.tables import (
    complaint,
    complaint_draft,
    complaint_entry,
    complaint_photo,
    complaint_reward,
)
from trace_server.db import Connection, Dialect
from trace_server.sealed.model import SealedId


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones; empty members do not narrow. `regions` and `categories` are the reader's own."""

    kind: str = ""
    state: str = ""
    regions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    department: str = ""
    """The reader's own: reports of retaliation are shown to the department they went to, and to nobody else."""


def put_draft(conn: Connection, dialect: Dialect, key: bytes, *, sealed: bytes, until: datetime) -> None:
    """Write a draft over its last version."""
    row = {"draft_key": key, "sealed": sealed, "until": until}
    dialect.upsert(conn, complaint_draft, [row], key=["draft_key"], update=["sealed", "until"])


def draft(conn: Connection, key: bytes, now: datetime) -> bytes | None:
    """A draft whose time is not over."""
    table = complaint_draft
    found = conn.execute(select(table.c.sealed).where(table.c.draft_key == key, table.c.until > now)).scalar()
    return bytes(found) if found is not None else None


def drop_draft(conn: Connection, key: bytes) -> bool:
    """Forget a draft; False when there was none: somebody sent it already."""
    return conn.execute(delete(complaint_draft).where(complaint_draft.c.draft_key == key)).rowcount == 1


def drop_old_drafts(conn: Connection, now: datetime) -> int:
    """Forget what was never sent."""
    return conn.execute(delete(complaint_draft).where(complaint_draft.c.until <= now)).rowcount


def add(conn: Connection, row: Complaint, token_hash: bytes, photo: bytes) -> None:
    """A new one, with its photo if it has any."""
    conn.execute(insert(complaint).values(**asdict(row), token_hash=token_hash))
    if photo:
        conn.execute(insert(complaint_photo).values(complaint_id=row.complaint_id, jpeg=photo))


def save(conn: Connection, row: Complaint, *, was: int) -> bool:
    """Write over version `was`; False when somebody else wrote first."""
    table = complaint
    query = update(table).where(table.c.complaint_id == row.complaint_id, table.c.version == was)
    return conn.execute(query.values(**asdict(row))).rowcount == 1


def by_id(conn: Connection, complaint_id: str, wanted: Wanted) -> Complaint | None:
    """One, when it is in the reader's scope."""
    query = _scoped(select(complaint), wanted).where(complaint.c.complaint_id == complaint_id)
    row = conn.execute(query).one_or_none()
    return _complaint(row) if row else None


def by_token(conn: Connection, token_hash: bytes) -> Complaint | None:
    """The one that a token belongs to, held until the transaction ends."""
    row = conn.execute(select(complaint).where(complaint.c.token_hash == token_hash).with_for_update()).one_or_none()
    return _complaint(row) if row else None


def complaints(conn: Connection, wanted: Wanted, *, after: tuple[datetime, str] | None, limit: int) -> list[Complaint]:
    """In the order of their hours."""
    table = complaint
    query = _scoped(select(table), wanted).order_by(table.c.received_hour, table.c.complaint_id).limit(limit)
    if wanted.kind:
        query = query.where(table.c.kind == wanted.kind)
    if wanted.state:
        query = query.where(table.c.state == wanted.state)
    if after is not None:
        moment, complaint_id = after
        same = (table.c.received_hour == moment) & (table.c.complaint_id > complaint_id)
        query = query.where((table.c.received_hour > moment) | same)
    return [_complaint(row) for row in conn.execute(query)]


def counts(conn: Connection, wanted: Wanted) -> dict[tuple[str, str], int]:
    """How many of each (kind, state) in the reader's scope."""
    table = complaint
    query = _scoped(select(table.c.kind, table.c.state, func.count()), wanted).group_by(table.c.kind, table.c.state)
    return {(kind, state): int(count) for kind, state, count in conn.execute(query)}


def photo(conn: Connection, complaint_id: str) -> bytes | None:
    """The cleaned photo."""
    found = conn.execute(
        select(complaint_photo.c.jpeg).where(complaint_photo.c.complaint_id == complaint_id)
    ).scalar_one_or_none()
    return bytes(found) if found is not None else None


def add_entry(conn: Connection, row: Entry) -> None:
    """One more line."""
    conn.execute(insert(complaint_entry).values(**asdict(row)))


def entries(conn: Connection, complaint_id: str) -> list[Entry]:
    """All lines, oldest first."""
    table = complaint_entry
    query = select(table).where(table.c.complaint_id == complaint_id).order_by(table.c.number)
    return [Entry(**row._mapping) for row in conn.execute(query)]


def add_reward(conn: Connection, row: Reward) -> None:
    """A reward is assessed."""
    conn.execute(insert(complaint_reward).values(**_reward_values(row)))


def save_reward(conn: Connection, row: Reward, *, was: RewardState) -> bool:
    """Write over state `was`; False when somebody else wrote first."""
    table = complaint_reward
    query = update(table).where(table.c.complaint_id == row.complaint_id, table.c.state == was)
    return conn.execute(query.values(**_reward_values(row))).rowcount == 1


def reward(conn: Connection, complaint_id: str) -> Reward | None:
    """The reward of one report."""
    table = complaint_reward
    row = conn.execute(select(table).where(table.c.complaint_id == complaint_id)).one_or_none()
    return _reward(row) if row else None


def unclaimed(conn: Connection, now: datetime, limit: int) -> list[Reward]:
    """Approved rewards whose time to be claimed is over."""
    table = complaint_reward
    query = select(table).where(table.c.state == RewardState.APPROVED, table.c.claim_until <= now).limit(limit)
    return [_reward(row) for row in conn.execute(query)]


def _scoped(query: Select[Any], wanted: Wanted) -> Select[Any]:
    # What nobody could place yet is everybody's, so that it is nobody's excuse.
    table = complaint
    if wanted.regions:
        within = (table.c.region.startswith(one.rstrip("0")) for one in wanted.regions)
        query = query.where(or_(table.c.region == "", *within))
    if wanted.categories:
        query = query.where(or_(table.c.category.in_(wanted.categories), table.c.category == ""))
    return query.where(or_(table.c.kind != Kind.RETALIATION, table.c.department == wanted.department))


def _complaint(row: Row[Any]) -> Complaint:
    facts = {name: value for name, value in row._mapping.items() if name != "token_hash"}
    return Complaint(
        **{**facts, "kind": Kind(row.kind), "state": State(row.state), "sealed_id": SealedId(row.sealed_id)}
    )


def _reward_values(row: Reward) -> dict[str, Any]:
    return {**asdict(row), "deed": asdict(row.deed), "steps": list(row.steps)}


def _reward(row: Row[Any]) -> Reward:
    return Reward(
        **{**row._mapping, "state": RewardState(row.state), "deed": Deed(**row.deed), "steps": tuple(row.steps)}
    )
