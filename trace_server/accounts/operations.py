"""Use cases around gateways and clients; each is one transaction with its audit entry."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from trace_core.errors import Conflict, EventError, InputError, NotAllowed, NotFound
from trace_core.fleet import rotation_input
from trace_core.ids import uscc
from trace_core.uplink import decode_signature, key_id
from trace_server import audit
from trace_server.accounts import rules, store
from trace_server.accounts.model import (
    FOR_COMPANY,
    Client,
    Enrolment,
    EnrolmentCode,
    Gateway,
    GatewayEvent,
    GatewayKey,
    GatewayState,
    Role,
)
from trace_server.accounts.states import TRANSITIONS
from trace_server.audit.lifecycle import advance, next_state
from trace_server.db import Connection, Database
from trace_server.problems import NotAuthenticated, TooManyRequests
from trace_server.services import utc_now

PUBLIC_KEY_BYTES = 32
WRONG_CODE = "the enrolment code is unknown, used or expired"
"""One sentence for all three: a guesser learns nothing."""
WRONG_SIGNATURE = "the key is unknown or the signature is not its own"


def add_gateway(
    db: Database,
    now: datetime,
    actor: str,
    *,
    gateway_id: str,
    site: str,
    read_points: tuple[str, ...],
    auto_approve: bool = False,
) -> str:
    """Invite a gateway; returns its one-time code, which is shown now and never again.

    Raises `Conflict` when the id is taken, `InputError` when it is malformed.
    """
    code = rules.new_code()
    invited = Gateway(
        gateway_id=rules.gateway_id(gateway_id),
        site=site,
        read_points=read_points,
        state=GatewayState.INVITED,
        auto_approve=auto_approve,
        software="",
        hostname="",
        created_at=now,
        key_id="",
    )
    with db.begin() as conn:
        if store.gateway_by_id(conn, gateway_id):
            raise Conflict(f"there is a gateway {gateway_id} already", where="gateway_id", remedy="invite it again")
        store.add_gateway(conn, invited)
        _issue_code(conn, now, gateway_id, code)
        detail = {"site": site, "read_points": list(read_points), "auto_approve": auto_approve}
        audit.record(conn, now, actor, "gateway.add", gateway_id, detail)
    return code


def invite_gateway(db: Database, now: datetime, actor: str, gateway_id: str) -> str:
    """A new code for a gateway that is replaced or lost its code; earlier codes are void."""
    code = rules.new_code()
    with db.begin() as conn:
        known = _require_gateway(conn, gateway_id)
        next_state(TRANSITIONS, known.state, GatewayEvent.ENROL)
        _issue_code(conn, now, gateway_id, code)
        audit.record(conn, now, actor, "gateway.invite", gateway_id)
    return code


def enrol(
    db: Database, now: datetime, *, code: str, public_key: bytes, software: str, hostname: str, address: str
) -> Enrolment:
    """Exchange a code for a gateway's identity. The same box may repeat the request when the answer got lost.

    Raises `NotAllowed` for a wrong code, `TooManyRequests` after ten of them from one address, `Conflict` when
    the key belongs to another gateway, `InputError` for a malformed key.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise InputError(f"an Ed25519 public key has {PUBLIC_KEY_BYTES} bytes", where="/public_key")
    window = rules.window_start(now)
    hashed = rules.code_hash(code)
    with db.begin() as conn:
        if store.failures(conn, address, window) >= rules.MAX_FAILURES:
            wait = int((window + rules.FAILURE_WINDOW - now).total_seconds()) + 1
            raise TooManyRequests("too many wrong codes from this address", retry_after_s=wait)
        found = store.code_by_hash(conn, hashed)
        usable = found is not None and found.expires_at > now and found.used_by in ("", key_id(public_key))
        if found is not None and usable:
            key = GatewayKey(key_id(public_key), found.gateway_id, public_key, is_revoked=False)
            return _enrol(conn, now, found, hashed, key, software=software, hostname=hostname)
        # Committed with the refusal: a rolled back count would count nothing.
        store.count_failure(conn, address, window)
    raise NotAllowed(WRONG_CODE, where="/code", remedy="ask for a new one: `trace-server gateway invite`")


def approve_gateway(db: Database, now: datetime, actor: str, gateway_id: str) -> Gateway:
    """Let an enrolled gateway send. Raises `NotFound`, or `Conflict` when it is not waiting for that."""
    return _step(db, now, actor, gateway_id, GatewayEvent.APPROVE)


def revoke_gateway(db: Database, now: datetime, actor: str, gateway_id: str, reason: str = "") -> Gateway:
    """Shut a gateway out at once, for good; `reason` goes into the audit log.

    Raises `NotFound`, or `Conflict` when that is done already.
    """
    return _step(db, now, actor, gateway_id, GatewayEvent.REVOKE, reason)


def list_gateways(db: Database) -> list[Gateway]:
    """All gateways by id."""
    with db.read() as conn:
        return store.all_gateways(conn)


def rotate_key(
    db: Database, now: datetime, signer: Gateway, old_key_id: str, public_key: bytes, proof: str
) -> datetime:
    """Put another key in the place of the one that signed this request; both are good for a while.

    `proof`: the new key's signature over `rotation_input`, base64. Returns when the old key ends. The same request
    again changes nothing, so a lost answer can be asked for. Raises `NotAllowed` for a proof that is not the new
    key's, `Conflict` for a key that was enrolled before.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise InputError(f"an Ed25519 public key has {PUBLIC_KEY_BYTES} bytes", where="/public_key")
    new = GatewayKey(key_id(public_key), signer.gateway_id, public_key, is_revoked=False)
    try:
        raw = decode_signature(proof)
    except EventError as error:
        raise InputError(error.what, where="/proof") from error
    if not rules.is_signed_by(public_key, raw, rotation_input(signer.gateway_id, old_key_id)):
        raise NotAllowed("the proof is not of the new key", where="/proof")
    with db.begin() as conn:
        _require_gateway(conn, signer.gateway_id)  # locked
        known, old = store.key_by_id(conn, new.key_id), store.key_by_id(conn, old_key_id)
        if known is not None:
            if known.gateway_id == signer.gateway_id and not known.is_revoked and known.ends_at is None:
                return old.ends_at if old is not None and old.ends_at is not None else now
            raise Conflict("this key has been enrolled before", where="/public_key", remedy="make a new key")
        if old is None or old.is_revoked or old.ends_at is not None:
            raise Conflict("another key has taken this one's place", where="/public_key", remedy="enrol again")
        store.end_keys(conn, signer.gateway_id, now + rules.KEY_OVERLAP)
        store.add_key(conn, new, now)
        detail = {"old_key_id": old_key_id, "key_id": new.key_id}
        audit.record(conn, now, f"gateway:{signer.gateway_id}", "gateway.rotate-key", signer.gateway_id, detail)
    return now + rules.KEY_OVERLAP


def revoked_gateways(db: Database) -> list[str]:
    """Ids of all gateways that were shut out."""
    with db.read() as conn:
        return store.ids_in_state(conn, GatewayState.REVOKED)


def verify_signed(
    conn: Connection, key_id: str, signature: str, payload: bytes, now: datetime | None = None
) -> Gateway:
    """The active gateway that signed `payload`; `key_id` and `signature` (base64) are the headers' text.

    `now` decides whether a replaced key has ended; absent: this host's time.

    Call it in the transaction that takes the payload: a revocation committed before is seen. Raises
    `NotAuthenticated` (401) for an unknown key or wrong signature, `NotAllowed` (403) for a gateway that is
    revoked or waits for its approval.
    """
    key = store.key_by_id(conn, key_id)
    try:
        raw = decode_signature(signature)
    except EventError as error:
        raise NotAuthenticated(WRONG_SIGNATURE) from error
    if key is None or not rules.is_signed_by(key.public_key, raw, payload):
        raise NotAuthenticated(WRONG_SIGNATURE, remedy="enrol the gateway")
    if key.is_revoked:
        raise NotAllowed("this key is revoked", remedy="enrol the gateway with a new code")
    if key.ends_at is not None and key.ends_at <= (now or utc_now()):
        raise NotAllowed("this key has ended, another took its place", remedy="use the new key, or enrol again")
    gateway = store.gateway_of_key(conn, key_id)
    if gateway is None or gateway.state is not GatewayState.ACTIVE:
        raise NotAllowed("the gateway waits for its approval", remedy="`trace-server gateway approve`")
    return gateway


def add_client(
    db: Database, now: datetime, actor: str, *, name: str, role: Role, subject: str = ""
) -> tuple[Client, str]:
    """A client and its bearer token, which is shown now and never again.

    A producer or a platform acts for one `subject` (USCC). Raises `Conflict` when the name is taken, `InputError`
    for an empty name or a missing subject, `IdentifierError` for a wrong one.
    """
    if not name.strip():
        raise InputError("a client needs a name", where="name")
    if role in FOR_COMPANY:
        if not subject:
            raise InputError(f"a {role} acts for a company", where="subject", remedy="give its USCC (--subject)")
        subject = uscc.parse(subject).code
    token = rules.new_token()
    made = Client(rules.new_client_id(), name, role, subject, now, is_revoked=False)
    with db.begin() as conn:
        if store.client_by_name(conn, name):
            raise Conflict(f"there is a client {name!r} already", where="name")
        store.add_client(conn, made, rules.token_hash(token))
        detail = {"name": name, "role": role.value, "subject": subject}
        audit.record(conn, now, actor, "client.add", made.client_id, detail)
    return made, token


def revoke_client(db: Database, now: datetime, actor: str, name: str) -> Client:
    """End a client's token at once; `name` may be its id. Raises `NotFound` or `Conflict`."""
    with db.begin() as conn:
        known = store.client_by_name(conn, name)
        if known is None:
            raise NotFound(f"there is no client {name!r}", where="name")
        if known.is_revoked:
            raise Conflict(f"the client {name!r} is revoked already", where="name")
        store.revoke_client(conn, known.client_id, now)
        audit.record(conn, now, actor, "client.revoke", known.client_id, {"name": known.name})
    return dataclasses.replace(known, is_revoked=True)


def list_clients(db: Database) -> list[Client]:
    """All clients by name."""
    with db.read() as conn:
        return store.all_clients(conn)


def authenticate(db: Database, token: str, now: datetime | None = None) -> Client:
    """The client of a bearer token. Raises `NotAuthenticated`; says the same for unknown and revoked.

    With `now` the use is written down, once an hour: requests must not queue for a clock.
    """
    with db.read() as conn:
        found = store.client_by_token(conn, rules.token_hash(token))
    if found is None or found.is_revoked:
        raise NotAuthenticated("the token is unknown or revoked", remedy="ask the operator for a new one")
    if now is not None and (found.used_at is None or now - found.used_at >= rules.USE_NOTED):
        with db.begin() as conn:
            store.touch_client(conn, found.client_id, now)
    return found


def _issue_code(conn: Connection, now: datetime, gateway_id: str, code: str) -> None:
    issued = EnrolmentCode(gateway_id, expires_at=now + rules.CODE_LIFE, used_by="")
    store.add_code(conn, rules.code_hash(code), issued)


def _enrol(
    conn: Connection,
    now: datetime,
    code: EnrolmentCode,
    hashed: bytes,
    key: GatewayKey,
    *,
    software: str,
    hostname: str,
) -> Enrolment:
    gateway = _require_gateway(conn, code.gateway_id)
    if code.used_by == key.key_id:  # the answer got lost; the box asks again
        return Enrolment(gateway.gateway_id, key.key_id, gateway.state)
    if store.key_by_id(conn, key.key_id):
        raise Conflict("this key has been enrolled before", where="/public_key", remedy="make a new key")
    event = GatewayEvent.ENROL_APPROVED if gateway.auto_approve else GatewayEvent.ENROL
    after = advance(
        conn,
        now,
        table=TRANSITIONS,
        state=gateway.state,
        event=event,
        actor=f"gateway:{gateway.gateway_id}",
        object=gateway.gateway_id,
        action="gateway.enrol",
        detail={"key_id": key.key_id, "software": software, "hostname": hostname},
    )
    store.revoke_keys(conn, gateway.gateway_id, now)
    store.add_key(conn, key, now)
    store.use_code(conn, hashed, key.key_id)
    store.describe_gateway(conn, gateway.gateway_id, software=software, hostname=hostname)
    store.set_gateway_state(conn, gateway.gateway_id, after)
    return Enrolment(gateway.gateway_id, key.key_id, after)


def _step(db: Database, now: datetime, actor: str, gateway_id: str, event: GatewayEvent, reason: str = "") -> Gateway:
    with db.begin() as conn:
        known = _require_gateway(conn, gateway_id)
        after = advance(
            conn,
            now,
            table=TRANSITIONS,
            state=known.state,
            event=event,
            actor=actor,
            object=gateway_id,
            action=f"gateway.{event}",
            detail={"reason": reason} if reason else None,
        )
        store.set_gateway_state(conn, gateway_id, after)
        if after is GatewayState.REVOKED:
            store.revoke_keys(conn, gateway_id, now)
            store.drop_codes(conn, gateway_id)
    return dataclasses.replace(known, state=after)


def _require_gateway(conn: Connection, gateway_id: str) -> Gateway:
    known = store.gateway_by_id(conn, gateway_id)
    if known is None:
        raise NotFound(f"there is no gateway {gateway_id!r}", where="gateway_id")
    return known
