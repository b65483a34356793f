"""Every statement about gateways, keys, codes and clients."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, delete, func, insert, select, text, update

from trace_server.accounts.model import Client, EnrolmentCode, Gateway, GatewayKey, GatewayState, Role
from trace_server.accounts.tables import client, enrolment_code, enrolment_failure, gateway, gateway_key
from trace_server.db import Connection, UtcDateTime

AnyRow = Row[*tuple[Any, ...]]


def add_gateway(conn: Connection, new: Gateway) -> None:
    conn.execute(
        insert(gateway).values(
            gateway_id=new.gateway_id,
            site=new.site,
            read_points=list(new.read_points),
            state=new.state.value,
            auto_approve=new.auto_approve,
            software=new.software,
            hostname=new.hostname,
            created_at=new.created_at,
        )
    )


def gateway_by_id(conn: Connection, gateway_id: str) -> Gateway | None:
    """The gateway with its key in force, locked for the caller's change."""
    row = conn.execute(_gateways().where(gateway.c.gateway_id == gateway_id).with_for_update(of=gateway)).first()
    return _gateway(row) if row else None


def gateway_of_id(conn: Connection, gateway_id: str) -> Gateway | None:
    """The gateway, read without a lock."""
    row = conn.execute(_gateways().where(gateway.c.gateway_id == gateway_id)).first()
    return _gateway(row) if row else None


def all_gateways(conn: Connection) -> list[Gateway]:
    return [_gateway(row) for row in conn.execute(_gateways().order_by(gateway.c.gateway_id))]


def key_by_id(conn: Connection, key_id: str) -> GatewayKey | None:
    row = conn.execute(select(gateway_key).where(gateway_key.c.key_id == key_id)).first()
    if row is None:
        return None
    return GatewayKey(
        row.key_id,
        row.gateway_id,
        bytes(row.public_key),
        is_revoked=row.revoked_at is not None,
        ends_at=row.ends_at,
    )


def gateway_of_key(conn: Connection, key_id: str) -> Gateway | None:
    """The gateway whose key in force this is; read without a lock, on the hot path."""
    own = and_(gateway_key.c.gateway_id == gateway.c.gateway_id, gateway_key.c.revoked_at.is_(None))
    row = conn.execute(_gateways(own).where(gateway_key.c.key_id == key_id)).first()
    return _gateway(row) if row else None


def gateways_after(conn: Connection, gateway_id: str, limit: int) -> list[Gateway]:
    """At most `limit` gateways behind `gateway_id`, by id."""
    found = _gateways().where(gateway.c.gateway_id > gateway_id).order_by(gateway.c.gateway_id).limit(limit)
    return [_gateway(row) for row in conn.execute(found)]


def end_keys(conn: Connection, gateway_id: str, ends_at: datetime) -> None:
    """Let the keys in force end then; those that another key replaced before keep their earlier end."""
    conn.execute(
        update(gateway_key)
        .where(
            gateway_key.c.gateway_id == gateway_id, gateway_key.c.revoked_at.is_(None), gateway_key.c.ends_at.is_(None)
        )
        .values(ends_at=ends_at)
    )


def ids_in_state(conn: Connection, state: GatewayState) -> list[str]:
    found = select(gateway.c.gateway_id).where(gateway.c.state == state.value).order_by(gateway.c.gateway_id)
    return list(conn.execute(found).scalars())


def read_points_of(conn: Connection, gateway_id: str) -> tuple[str, ...] | None:
    """Read points of a gateway, as they were registered; None when there is no such gateway."""
    row = conn.execute(select(gateway.c.read_points).where(gateway.c.gateway_id == gateway_id)).first()
    return tuple(row.read_points) if row else None


def set_gateway_state(conn: Connection, gateway_id: str, state: GatewayState) -> None:
    conn.execute(update(gateway).where(gateway.c.gateway_id == gateway_id).values(state=state.value))


def describe_gateway(conn: Connection, gateway_id: str, *, software: str, hostname: str) -> None:
    conn.execute(update(gateway).where(gateway.c.gateway_id == gateway_id).values(software=software, hostname=hostname))


def add_key(conn: Connection, key: GatewayKey, now: datetime) -> None:
    conn.execute(
        insert(gateway_key).values(
            key_id=key.key_id, gateway_id=key.gateway_id, public_key=key.public_key, created_at=now
        )
    )


def revoke_keys(conn: Connection, gateway_id: str, now: datetime) -> None:
    """Take all keys of a gateway out of force."""
    conn.execute(
        update(gateway_key)
        .where(gateway_key.c.gateway_id == gateway_id, gateway_key.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def add_code(conn: Connection, hashed: bytes, code: EnrolmentCode) -> None:
    """Store a code; earlier ones of the same gateway are void."""
    conn.execute(delete(enrolment_code).where(enrolment_code.c.gateway_id == code.gateway_id))
    conn.execute(
        insert(enrolment_code).values(
            code_hash=hashed, gateway_id=code.gateway_id, expires_at=code.expires_at, used_by=code.used_by
        )
    )


def drop_codes(conn: Connection, gateway_id: str) -> None:
    conn.execute(delete(enrolment_code).where(enrolment_code.c.gateway_id == gateway_id))


def code_by_hash(conn: Connection, hashed: bytes) -> EnrolmentCode | None:
    """The code, locked: two boxes with the same code are served one after the other."""
    row = conn.execute(select(enrolment_code).where(enrolment_code.c.code_hash == hashed).with_for_update()).first()
    return EnrolmentCode(row.gateway_id, row.expires_at, row.used_by) if row else None


def use_code(conn: Connection, hashed: bytes, key_id: str) -> None:
    conn.execute(update(enrolment_code).where(enrolment_code.c.code_hash == hashed).values(used_by=key_id))


def failures(conn: Connection, address: str, window: datetime) -> int:
    """Wrong codes from `address` since `window` began."""
    statement = select(enrolment_failure.c.failures).where(
        enrolment_failure.c.address == address, enrolment_failure.c.window_start == window
    )
    return conn.execute(statement).scalar() or 0


def count_failure(conn: Connection, address: str, window: datetime) -> None:
    """Add one; windows of the past are forgotten."""
    conn.execute(delete(enrolment_failure).where(enrolment_failure.c.window_start < window))
    statement = text(
        "INSERT INTO enrolment_failure (address, window_start, failures) VALUES (:address, :window, 1) "
        "ON CONFLICT (address, window_start) DO UPDATE SET failures = enrolment_failure.failures + 1"
    )
    typed = statement.bindparams(bindparam("window", type_=UtcDateTime))
    conn.execute(typed, {"address": address, "window": window})


def add_client(conn: Connection, new: Client, hashed: bytes) -> None:
    conn.execute(
        insert(client).values(
            client_id=new.client_id,
            name=new.name,
            role=new.role.value,
            subject=new.subject,
            token_hash=hashed,
            created_at=new.created_at,
        )
    )


def client_by_token(conn: Connection, hashed: bytes) -> Client | None:
    row = conn.execute(select(client).where(client.c.token_hash == hashed)).first()
    return _client(row) if row else None


def client_by_id(conn: Connection, client_id: str) -> Client | None:
    """The client with this id, revoked or not; read without a lock."""
    row = conn.execute(select(client).where(client.c.client_id == client_id)).first()
    return _client(row) if row else None


def subjects_of(conn: Connection, client_ids: Collection[str]) -> dict[str, str]:
    """Client id → USCC that the client acts for, "" for none. A page's worth of ids."""
    rows = conn.execute(select(client.c.client_id, client.c.subject).where(client.c.client_id.in_(client_ids)))
    return {row.client_id: row.subject for row in rows}


def client_by_name(conn: Connection, name: str) -> Client | None:
    """By name or id, locked for the caller's change."""
    row = conn.execute(
        select(client).where((client.c.name == name) | (client.c.client_id == name)).with_for_update()
    ).first()
    return _client(row) if row else None


def all_clients(conn: Connection) -> list[Client]:
    return [_client(row) for row in conn.execute(select(client).order_by(client.c.name))]


def clients_of(conn: Connection, subject: str) -> list[Client]:
    """All clients that act for a company."""
    return [_client(row) for row in conn.execute(select(client).where(client.c.subject == subject))]


def own_client(conn: Connection, subject: str, client_id: str) -> Client | None:
    """The client with this id when it acts for `subject`, locked for the caller's change."""
    mine = (client.c.client_id == client_id) & (client.c.subject == subject)
    row = conn.execute(select(client).where(mine).with_for_update()).first()
    return _client(row) if row else None


def set_token(conn: Connection, client_id: str, hashed: bytes) -> None:
    """Another token; the one before is unknown from then on."""
    conn.execute(update(client).where(client.c.client_id == client_id).values(token_hash=hashed))


def touch_client(conn: Connection, client_id: str, now: datetime) -> None:
    """Its token was shown."""
    conn.execute(update(client).where(client.c.client_id == client_id).values(used_at=now))


def revoke_client(conn: Connection, client_id: str, now: datetime) -> None:
    conn.execute(update(client).where(client.c.client_id == client_id).values(revoked_at=now))


def count_gateways(conn: Connection) -> dict[str, int]:
    """State → number of gateways."""
    rows = conn.execute(select(gateway.c.state, func.count()).group_by(gateway.c.state))
    return {row[0]: row[1] for row in rows}


_NEWEST_KEY = and_(
    gateway_key.c.gateway_id == gateway.c.gateway_id,
    gateway_key.c.revoked_at.is_(None),
    gateway_key.c.ends_at.is_(None),
)


def _gateways(keys: ColumnElement[bool] = _NEWEST_KEY) -> Select[*tuple[Any, ...]]:
    made = gateway_key.c.created_at.label("key_made_at")
    return select(gateway, gateway_key.c.key_id, made).select_from(gateway.outerjoin(gateway_key, keys))


def _gateway(row: AnyRow) -> Gateway:
    return Gateway(
        gateway_id=row.gateway_id,
        site=row.site,
        read_points=tuple(row.read_points),
        state=GatewayState(row.state),
        auto_approve=bool(row.auto_approve),
        software=row.software,
        hostname=row.hostname,
        created_at=row.created_at,
        key_id=row.key_id or "",
        key_made_at=row.key_made_at,
    )


def _client(row: AnyRow) -> Client:
    return Client(
        client_id=row.client_id,
        name=row.name,
        role=Role(row.role),
        subject=row.subject,
        created_at=row.created_at,
        is_revoked=row.revoked_at is not None,
        used_at=row.used_at,
    )
