"""Routes of webhooks: make, list, change the secret, end, deliveries, replay; and the server's public key."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts.access import current_client, permission
from trace_server.credit.model import CATEGORIES, Filter, Op
from trace_server.credit.store import head_seq
from trace_server.exchange import hooks, rules, signing
from trace_server.exchange.api._blueprint import blueprint
from trace_server.exchange.cursor import read_cursor
from trace_server.exchange.model import Delivery, DeliveryState, Hook, HookState, NoSuchHook, Suite
from trace_server.services import services
from trace_server.subscriptions.addresses import parse_hosts, read_target
from trace_server.users.rules import seal

OPS = tuple(op.value for op in Op)


class HookIn(BaseModel):
    """Where changes go, which ones, and how they are signed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dest: str = Field(min_length=1, max_length=2000, description="https address")
    suite: Literal["hmac-sha256", "ed25519"] = "hmac-sha256"
    secret: str = Field(default="", max_length=256, description="For HMAC: at least 16 characters")
    ops: list[Literal[OPS]] = Field(default=[], max_length=7)  # type: ignore[valid-type]
    kind: str = Field(default="", max_length=64, description=f"Of {', '.join(rules.KINDS)}, joined by commas")
    region: str = Field(default="", pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})?$")
    category: Literal["", *CATEGORIES] = Field(default="")  # type: ignore[valid-type]
    department: str = Field(default="", max_length=18)
    cursor: str = Field(default="", max_length=128, description="Go on from here (same filter); empty: from now on")
    from_start: bool = Field(default=False, description="Send every change since the beginning")


class SecretIn(BaseModel):
    """The new secret; the old one signs beside it for 24 hours."""

    model_config = ConfigDict(extra="forbid", strict=True)

    secret: str = Field(min_length=16, max_length=256)


class ReplayIn(BaseModel):
    """One change, or everything that was given up."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seq: int | None = Field(default=None, ge=1)


class DeliveriesIn(BaseModel):
    """Which deliveries, and where to go on."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["", "waiting", "held", "dead", "delivered"] = ""
    after: int = Field(default=0, ge=0, le=2**62, description="`seq` of the last one seen")
    limit: int = Field(default=50, ge=1, le=500)


class HookOut(BaseModel):
    """A webhook. Its secret is never shown."""

    hook_id: str
    dest: str
    suite: str
    key_ids: list[str] = Field(description="Of the keys that sign now")
    ops: list[str]
    kinds: list[str]
    region: str
    category: str
    department: str
    place: int = Field(description="Every change up to this one was looked at")
    failures: int
    last_failure: str
    last_delivered_at: datetime | None
    next_due: datetime


class HooksOut(BaseModel):
    """One's own webhooks."""

    items: list[HookOut]


class DeliveryOut(BaseModel):
    """One change on its way, or arrived there."""

    seq: int
    record_id: str
    version: int
    op: str
    state: str
    failures: int
    failure: str
    next_due: datetime
    delivered_at: datetime | None
    receipt: str


class DeliveriesOut(BaseModel):
    """Deliveries in the order of the log."""

    items: list[DeliveryOut]
    has_more: bool


class ReplayOut(BaseModel):
    """How many changes will be tried again."""

    changes: int


class KeyOut(BaseModel):
    """The server's Ed25519 key."""

    suite: str
    key_id: str
    public_key: str = Field(description="32 bytes in base64")


@blueprint.get("/hooks/key")
@permission("credit:read")
@blueprint.output(KeyOut)
@blueprint.doc(summary="The public key of Ed25519 signatures", responses=[429])
def hook_key() -> dict[str, Any]:
    """Fetch it when a delivery names a key id that is not known."""
    public = signing.public_key(services().settings)
    return {
        "suite": Suite.ED25519.value,
        "key_id": signing.key_id(public),
        "public_key": base64.b64encode(public).decode(),
    }


@blueprint.post("/hooks")
@permission("credit:read")
@blueprint.input(HookIn)
@blueprint.output(HookOut, status_code=201)
@blueprint.doc(summary="Have changes pushed to an address of yours", responses=[409, 429, 503])
def add_hook(json_data: HookIn) -> dict[str, Any]:
    """Each change is one POST of the same item as in the feed, in the order of each record."""
    outside, given, now = services(), json_data, services().clock()
    settings = outside.settings
    read_target(given.dest, parse_hosts(settings.webhook_hosts))
    suite = Suite(given.suite)
    if suite is Suite.HMAC_SHA256 and len(given.secret) < 16:
        raise InputError("HMAC needs a secret of at least 16 characters", where="secret")
    if suite is Suite.ED25519 and given.secret:
        raise InputError("Ed25519 is signed with the server's key: no secret", where="secret")
    wanted = Filter(given.region, given.category, given.department, rules.kinds_of(given.kind))
    sealed = seal(given.secret, settings.derived_key(signing.TOKEN_PURPOSE)) if given.secret else ""
    with outside.db.read() as conn:
        place = 0 if given.from_start else head_seq(conn)
    if given.cursor:
        place = read_cursor(given.cursor, wanted, settings.oldest_secret)
    new = Hook(
        hook_key=secrets.token_bytes(16), owner=_owner(), created_at=now, dest=given.dest, suite=suite,
        sealed_token=sealed, old_sealed_token="", old_until=None, ops=tuple(sorted(set(given.ops))),
        kinds=wanted.kinds, region=wanted.region, category=wanted.category, department=wanted.department,
        state=HookState.ACTIVE, place=place, failures=0, last_failure="", last_delivered_at=None, next_due=now,
    )  # fmt: skip
    return _json(hooks.make(outside.db, now, new))


@blueprint.get("/hooks")
@permission("credit:read")
@blueprint.output(HooksOut)
@blueprint.doc(summary="One's own webhooks", responses=[429])
def list_hooks() -> dict[str, Any]:
    """At most 20."""
    return {"items": [_json(hook) for hook in hooks.list_of(services().db, _owner())]}


@blueprint.post("/hooks/<hook_id>/secret")
@permission("credit:read")
@blueprint.input(SecretIn)
@blueprint.output(HookOut)
@blueprint.doc(summary="Change the secret of HMAC", responses=[404, 409, 429, 503])
def change_secret(hook_id: str, json_data: SecretIn) -> dict[str, Any]:
    """For a day both secrets sign: the receiver changes over at its own time."""
    outside = services()
    sealed = seal(json_data.secret, outside.settings.derived_key(signing.TOKEN_PURPOSE))
    return _json(hooks.change_secret(outside.db, outside.clock(), _owner(), _key(hook_id), sealed))


@blueprint.delete("/hooks/<hook_id>")
@permission("credit:read")
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="End a webhook", responses=[404, 429, 503])
def end_hook(hook_id: str) -> str:
    """A delivery under way may still arrive."""
    outside = services()
    hooks.end(outside.db, outside.clock(), _owner(), _key(hook_id))
    return ""


@blueprint.get("/hooks/<hook_id>/deliveries")
@permission("credit:read")
@blueprint.input(DeliveriesIn, location="query")
@blueprint.output(DeliveriesOut)
@blueprint.doc(summary="What arrived, what waits, what was given up", responses=[404, 429])
def list_deliveries(hook_id: str, query_data: DeliveriesIn) -> dict[str, Any]:
    """With the receiver's answer to each."""
    state = DeliveryState(query_data.state) if query_data.state else None
    found = hooks.deliveries(
        services().db, _owner(), _key(hook_id), state, after=query_data.after, limit=query_data.limit + 1
    )
    page = found[: query_data.limit]
    return {"items": [_delivery_json(one) for one in page], "has_more": len(found) > len(page)}


@blueprint.post("/hooks/<hook_id>/replay")
@permission("credit:read")
@blueprint.input(ReplayIn)
@blueprint.output(ReplayOut)
@blueprint.doc(summary="Try again what was given up", responses=[404, 429, 503])
def replay(hook_id: str, json_data: ReplayIn) -> dict[str, Any]:
    """What waits behind it follows in order."""
    outside, owner = services(), _owner()
    count = hooks.replay(outside.db, outside.clock(), owner, owner, _key(hook_id), json_data.seq)
    return {"changes": count}


def _owner() -> str:
    return f"client:{current_client().client_id}"


def _key(text: Annotated[str, "UUID"]) -> bytes:
    try:
        return UUID(text).bytes
    except ValueError as error:
        raise NoSuchHook("there is no such webhook", where="hook_id") from error


def _json(hook: Hook) -> dict[str, Any]:
    outside = services()
    return {
        "hook_id": hook.id,
        "dest": hook.dest,
        "suite": hook.suite.value,
        "key_ids": [key.key_id for key in signing.signers(hook, outside.settings, outside.clock())],
        "ops": list(hook.ops),
        "kinds": list(hook.kinds),
        "region": hook.region,
        "category": hook.category,
        "department": hook.department,
        "place": hook.place,
        "failures": hook.failures,
        "last_failure": hook.last_failure,
        "last_delivered_at": hook.last_delivered_at,
        "next_due": hook.next_due,
    }


def _delivery_json(one: Delivery) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "record_id": one.record_id,
        "version": one.version,
        "op": one.op,
        "state": one.state.value,
        "failures": one.failures,
        "failure": one.failure,
        "next_due": one.next_due,
        "delivered_at": one.delivered_at,
        "receipt": one.receipt,
    }
