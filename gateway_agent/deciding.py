"""What one happening at the gate means: its answer, its event, and what the box has to remember of it.

The only place where list, ledger and read point come together. No I/O; the writer commits what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway_agent.answering import Answer, Identity, Question, answer, identify, identify_code
from gateway_agent.blocklist import BlockListFile, Verdict
from gateway_agent.checkpoints import Report, Role
from gateway_agent.clock import ClockJudge, Moment
from gateway_agent.config import Config
from gateway_agent.eventing import Origin, Place, event_body
from gateway_agent.leaving import Departure
from gateway_agent.ledger import Ledger
from gateway_agent.observing import Observation, Shown
from gateway_agent.points import ReadPoint
from gateway_agent.requests import Kind, Request
from trace_core.epcis.cbv import BIZ_STEPS
from trace_core.epcis.event import ExtensionValue
from trace_core.errors import ConfigError
from trace_core.readers._base import TagRead

OPERATOR = "operator"
"""Stands for the reader in events that a person reported."""
INSPECTING = BIZ_STEPS.uri("inspecting") or ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One event and its answer. `asked_anew`: a thing whose standing answers at filling points hold no longer."""

    body: bytes
    shown: Shown
    asked_anew: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    answer: Answer
    extra: Mapping[str, ExtensionValue] = field(default_factory=dict)


class Decider:
    """Used by the writer's thread only."""

    def __init__(self, config: Config, origin: Origin, *, judge: ClockJudge, block_list: BlockListFile) -> None:
        self._policy = config.answer.policy
        self._origin = origin
        self._judge = judge
        self._block_list = block_list
        self._points = {point.id: point for point in config.read_points}
        self._asked_points = {point.act_of for point in config.read_points} | {
            point.id for point in config.read_points if point.role is Role.FILLING
        }
        self.ledger = Ledger(origin.boot_id)

    def observed(self, observation: Observation, place: Place) -> Decision:
        """A presence began."""
        point, identity = observation.point, identify(observation.read.epc)
        if point.role is Role.ACT:
            said = self._act(point.act_of, identity, observation)
        else:
            said = _Said(self._ask(identity, observation))
        self._remember(point, identity, said.answer, observation.received, place)
        if point.report is Report.BOTH:
            said = replace(said, extra={**said.extra, "presence": "arrived"})
        anew = ""
        if point.role is Role.PRE_CHECK:
            passed = said.answer.verdict is not Verdict.REFUSE
            self.ledger.record_check(identity.key, observation.received, passed=passed)
            anew = identity.key
            said = replace(said, extra={**said.extra, "check": _word(passed=passed), "checkStage": "pre"})
        return self._decision(observation, identity, said, place, anew)

    def departed(self, departure: Departure, place: Place) -> Decision:
        """A presence ended. Where its beginning was an event the end is no second question at the gate."""
        point, at = departure.point, Moment(departure.left_wall, departure.left)
        observation = Observation(
            departure.presence, point, TagRead(epc=departure.epc), point.reader, at, at, departure.reads
        )
        role = point.role if point.report is Report.DEPART else Role.GATE
        identity = identify(departure.epc)
        extra: dict[str, ExtensionValue] = {
            "presence": "departed",
            "reads": departure.reads,
            "stayedSeconds": round(departure.left - departure.arrived, 1),
            "direction": departure.direction or None,
        }
        return self._decision(observation, identity, _Said(self._ask(identity, observation, role), extra), place, "")

    def unanswered(self, observation: Observation, place: Place) -> Shown:
        """A presence that becomes an event only when it ends."""
        return Shown("", "", None, identify(observation.read.epc).uri, place.epoch, 0)

    def requested(self, request: Request, at: Moment, place: Place) -> Decision:
        """A person reported something. Raises `ConfigError` or `IdentifierError` when it cannot be placed."""
        point = self._points.get(request.read_point)
        if point is None:
            raise ConfigError(f"no read point {request.read_point!r}", where="request", remedy="see [[read_point]]")
        identity = identify_code(request.code)
        seen = Moment(min(request.said_at, at.wall), at.monotonic)
        step = point.biz_step if request.kind is Kind.ACT else INSPECTING
        observation = Observation(0, replace(point, biz_step=step), TagRead(epc=b""), OPERATOR, seen, at, 0)
        anew = ""
        if request.kind is Kind.ACT:
            said = self._act(point.act_of or point.id, identity, observation)
        else:
            said = self._check(request, identity, observation)
        if request.kind is Kind.PRE_CHECK:
            self.ledger.record_check(identity.key, at, passed=request.passed)
            anew = identity.key
        if request.weight_kg is not None:
            said = self._weigh(point, request.weight_kg, said)
        return self._decision(observation, identity, said, place, anew)

    def _ask(self, identity: Identity, observation: Observation, role: Role | None = None) -> Answer:
        point, wall = observation.point, observation.received.wall
        valid_s = self._policy.pre_check_valid_s
        question = Question(
            identity=identity,
            wall=wall,
            tid=observation.read.tid,
            role=role or point.role,
            medium=point.medium,
            check=self.ledger.check(identity.key, observation.received, valid_s),
        )
        return answer(question, self._block_list.current, self._policy)

    def _check(self, request: Request, identity: Identity, observation: Observation) -> _Said:
        stage = "pre" if request.kind is Kind.PRE_CHECK else "post"
        said = self._ask(identity, observation, Role.PRE_CHECK)
        if not request.passed:
            said = Answer(Verdict.REFUSE, f"{stage}-check-failed", said.list_age_s)
        return _Said(said, {"check": _word(passed=request.passed), "checkStage": stage})

    def _weigh(self, point: ReadPoint, weight_kg: float, said: _Said) -> _Said:
        """Rule D52: too much was filled in. A refusal for another reason keeps it; the limit is told all the same."""
        extra = {**said.extra, "weightKg": weight_kg}
        limit_kg = self._points.get(point.act_of, point).fill_limit_kg
        if limit_kg is None or weight_kg <= limit_kg:
            return replace(said, extra=extra)
        found = said.answer
        if found.verdict is not Verdict.REFUSE:
            found = Answer(Verdict.REFUSE, "overfilled", found.list_age_s)
        return _Said(found, {**extra, "fillLimitKg": limit_kg})

    def _act(self, asked_at: str, identity: Identity, observation: Observation) -> _Said:
        """The thing asked about was done. After a refusal that is an alarm of its own (architecture §3.3)."""
        said = self._ask(identity, observation, Role.GATE)
        self.ledger.use_check(identity.key)
        refusal = self.ledger.refusal(asked_at, identity.key, observation.received)
        asked, done = self._points.get(asked_at), {"actOf": asked_at}
        if asked is not None and asked.role is Role.FILLING:
            done |= {"act": "filling", "medium": asked.medium}
        if refusal is None:
            return _Said(said, done)
        extra: dict[str, ExtensionValue] = {
            **done,
            "refusedAct": refusal.reason,
            "refusedEpoch": refusal.epoch,
            "refusedSeq": refusal.seq,
        }
        return _Said(Answer(Verdict.REFUSE, "refused-act", said.list_age_s), extra)

    def _remember(self, point: ReadPoint, identity: Identity, said: Answer, at: Moment, place: Place) -> None:
        if point.id not in self._asked_points:
            return
        if said.verdict is Verdict.REFUSE:
            self.ledger.refuse(point.id, identity.key, at, reason=said.reason, epoch=place.epoch, seq=place.seq)
        else:
            self.ledger.lift(point.id, identity.key)

    def _decision(self, observation: Observation, identity: Identity, said: _Said, place: Place, anew: str) -> Decision:
        shown = Shown(
            answer=said.answer.verdict.value,
            reason=said.answer.reason,
            list_age_s=said.answer.list_age_s,
            uri=identity.uri,
            epoch=place.epoch,
            seq=place.seq,
        )
        body = event_body(
            observation,
            identity,
            said.answer,
            origin=self._origin,
            place=place,
            clock=self._judge.state(observation.received.wall),
            extra=said.extra,
        )
        return Decision(body, shown, anew)


def _word(*, passed: bool) -> str:
    return "passed" if passed else "failed"
