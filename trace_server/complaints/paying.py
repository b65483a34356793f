"""The reward of a verified report: one person assesses, another approves, the reporter claims it or it is forfeited."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.cases.model import Actor
from trace_server.complaints import rewarding, rules, store
from trace_server.complaints.model import Deed, Kind, Reward, RewardEvent, RewardState, State
from trace_server.complaints.operations import owned
from trace_server.complaints.states import REWARD_TRANSITIONS
from trace_server.db import Connection
from trace_server.services import Job, Services
from trace_server.workdays.model import Period, Unit
from trace_server.workdays.operations import calendar
from trace_server.workdays.rules import deadline

WORKER = "worker"


def assess(services: Services, actor: Actor, complaint_id: str, deed: Deed) -> Reward:
    """Compute the reward of a verified report. Raises `Conflict`, `InputError` for what the rule excludes."""
    now = services.clock()
    policy = rewarding.policy_on(rules.law_day(now))
    with services.db.begin() as conn:
        row = owned(conn, actor, complaint_id)
        if row.kind is not Kind.REPORT or row.state not in (State.VERIFIED, State.CLOSED):
            raise Conflict("a reward is for a verified report", where="state")
        if store.reward(conn, complaint_id) is not None:
            raise Conflict("its reward is assessed already", where="state")
        found = rewarding.assess(policy, deed)
        reward = Reward(
            complaint_id=complaint_id,
            state=RewardState.ASSESSED,
            deed=deed,
            amount_yuan=found.amount_yuan,
            needs_finance=found.needs_finance,
            steps=found.steps,
            legal_basis=policy.legal_basis,
            assessed_by=actor.name,
            assessed_at=now,
            decided_by="",
            decided_at=None,
            decision="",
            finance_no="",
            claim_until=None,
        )
        store.add_reward(conn, reward)
        audit.record(conn, now, actor.name, "reward.assess", complaint_id, {"yuan": found.amount_yuan})
    return reward


def decide(
    services: Services, actor: Actor, complaint_id: str, *, approve: bool, text: str, finance_no: str = ""
) -> Reward:
    """Approve or refuse what another person assessed.

    Raises `NotAllowed` for one's own, `InputError` without the finance department's paper where the rule wants it.
    """
    now = services.clock()
    with services.db.begin() as conn:
        reward = _require(conn, actor, complaint_id)
        if actor.name == reward.assessed_by:
            raise NotAllowed("a second person decides", where="actor", remedy="ask a colleague")
        if approve and reward.needs_finance and not finance_no.strip():
            raise InputError("the finance department's paper is needed", where="finance_no")
        policy = rewarding.policy_on(rules.law_day(reward.assessed_at))
        until = deadline(calendar(conn), now, Period(policy.claim_working_days, Unit.WORKING_DAYS)).at
        changed = replace(
            reward,
            decided_by=actor.name,
            decided_at=now,
            decision=rules.require_text(text, "text"),
            finance_no=finance_no.strip()[:128],
            claim_until=until if approve else None,
        )
        return _step(conn, now, actor.name, changed, RewardEvent.APPROVE if approve else RewardEvent.REFUSE)


def claim(services: Services, actor: Actor, complaint_id: str, token: str) -> Reward:
    """The reporter has come with the token and was paid; his name is not needed. Raises `InputError`, `Conflict`."""
    now = services.clock()
    with services.db.begin() as conn:
        reward = _require(conn, actor, complaint_id)
        holder = store.by_token(conn, rules.token_hash(token)) if rules.read_token(token) else None
        if holder is None or holder.complaint_id != complaint_id:
            raise InputError("this is not the token of this report", where="token")
        if reward.claim_until is not None and now >= reward.claim_until:
            raise Conflict("the time to claim it is over", where="state")
        return _step(conn, now, actor.name, reward, RewardEvent.CLAIM)


def forfeit(services: Services) -> int:
    """The periodic job: end what was not claimed in time, forget drafts that were not sent; returns how many ended."""
    now = services.clock()
    with services.db.begin() as conn:
        store.drop_old_drafts(conn, now)
        late = store.unclaimed(conn, now, 100)
        for reward in late:
            _step(conn, now, WORKER, reward, RewardEvent.FORFEIT)
    return len(late)


def _require(conn: Connection, actor: Actor, complaint_id: str) -> Reward:
    owned(conn, actor, complaint_id)
    reward = store.reward(conn, complaint_id)
    if reward is None:
        raise NotFound("no reward is assessed", where="complaint_id")
    return reward


def _step(conn: Connection, now: datetime, actor: str, reward: Reward, event: RewardEvent) -> Reward:
    state = advance(
        conn, now, table=REWARD_TRANSITIONS, state=reward.state, event=event, actor=actor,
        object=reward.complaint_id, action=f"reward.{event}", detail={"yuan": reward.amount_yuan},
    )  # fmt: skip
    changed = replace(reward, state=state)
    if not store.save_reward(conn, changed, was=reward.state):
        raise Conflict("somebody else changed it meanwhile", where="state", remedy="reload it")
    return changed


jobs: list[Job] = [Job("complaints", 600.0, forfeit)]
