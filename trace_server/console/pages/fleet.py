"""The fleet of gateways: by health, with what each said last; approving and shutting out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flask import Blueprint, Response, request

from trace_core.errors import InputError, NotFound, TraceError
from trace_server.accounts import operations as accounts
from trace_server.accounts.rules import KEY_LIFE
from trace_server.audit import store as audit
from trace_server.console.fleet_words import ACTIONS, HEALTH, SENTENCES, WORST_FIRST
from trace_server.console.pages._answers import go, words
from trace_server.console.rules import facets
from trace_server.faces.rendering import FieldError, translate
from trace_server.fleet import operations
from trace_server.fleet.model import Standing
from trace_server.fleet.rules import LIST_STALE_S, MAX_SKEW_S, number, table
from trace_server.services import services
from trace_server.users.access import chosen_language, console, current_person, page

blueprint = Blueprint("fleet", __name__)

PATH = "/console/fleet"
MOST = 2000
"""Gateways that the page sorts by health; a city has some hundreds."""
MIN_REASON = 4
MOST_ACTIONS = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """One gateway and the numbers of its last heartbeat; None: it did not say."""

    standing: Standing
    unsent: float | None
    clock_s: float | None
    list_age_s: float | None
    rejected: float | None
    software: str
    readers: tuple[tuple[str, str], ...]
    """(name, state) as the gateway told them."""


@blueprint.get("/console/fleet")
@console("gateways:read")
def list_gateways() -> Response:
    """The worst first; the choice of a health is in the address."""
    outside = services()
    found = operations.list_standings(outside.db, outside.clock(), "", MOST)
    chosen = request.args.get("health", "")
    counts = Counter(one.health.value for one in found)
    rows = [one for one in found if chosen not in HEALTH or one.health.value == chosen]
    rows.sort(key=lambda one: (WORST_FIRST.index(one.health.value), one.gateway.gateway_id))
    return page(
        "fleet", rows=[_shown(one) for one in rows], health=words(HEALTH), limits=(MAX_SKEW_S, LIST_STALE_S),
        key_life=KEY_LIFE,
        facets=facets(PATH, {"health": chosen}, "health", dict(counts), words(HEALTH)),
        more=len(found) == MOST,
    )  # fmt: skip


@blueprint.get("/console/fleet/<gateway_id>")
@console("gateways:read")
def gateway_page(gateway_id: str) -> Response:
    """One gateway: why it is judged so, its last numbers, its key and settings."""
    return _one(gateway_id)


@blueprint.post("/console/fleet/<gateway_id>/steps")
@console("gateways:manage", confirm_at="/console/fleet/{gateway_id}")
def take_step(gateway_id: str) -> Response:
    """Approve an enrolled gateway, or shut one out for good with a reason."""
    outside, form, actor = services(), request.form, current_person().user.actor
    try:
        if form.get("step") == "approve":
            accounts.approve_gateway(outside.db, outside.clock(), actor, gateway_id)
        elif form.get("step") == "revoke":
            reason = form.get("reason", "").strip()[:500]
            if len(reason) < MIN_REASON:
                raise InputError("say why", where="reason")
            accounts.revoke_gateway(outside.db, outside.clock(), actor, gateway_id, reason)
        else:
            raise InputError("choose a step", where="reason")
    except NotFound:
        raise
    except TraceError as error:
        sentence = SENTENCES.get(error.what, SENTENCES["not possible"])
        return _one(gateway_id, 400, (FieldError("reason", translate(sentence, chosen_language())),))
    return go(f"{PATH}/{gateway_id}?done={form['step']}")


def _one(gateway_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, user = services(), current_person().user
    standing = operations.standing(outside.db, outside.clock(), gateway_id)
    with outside.db.read() as conn:
        actions = list(audit.entries(conn, about=gateway_id))[-MOST_ACTIONS:]
    return page(
        "gateway",
        status,
        errors=errors,
        one=_shown(standing),
        limits=(MAX_SKEW_S, LIST_STALE_S),
        key_life=KEY_LIFE,
        versions=operations.list_settings(outside.db, gateway_id)[:20],
        actions=actions,
        action_words=words(ACTIONS),
        health=words(HEALTH),
        may_manage="gateways:manage" in user.permissions,
        done=request.args.get("done", "") if not errors else "",
        typed=request.form,
    )


def _shown(one: Standing) -> Shown:
    report = one.heartbeat.report if one.heartbeat else {}
    readers = report.get("readers")
    return Shown(
        standing=one,
        unsent=number(report, "unsent"),
        clock_s=number(table(report, "clock"), "offset_s"),
        list_age_s=number(table(report, "block_list"), "age_s"),
        rejected=number(report, "quarantined"),
        software=str(report.get("software") or one.gateway.software),
        readers=tuple(
            (str(reader.get("name", "")), str(reader.get("state", "")))
            for reader in (readers if isinstance(readers, list) else ())
            if isinstance(reader, dict)
        ),
    )
