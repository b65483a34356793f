"""From alerts to cases, decisions and violation records: what the market offices do in the year."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from trace_server.cases import operations as cases
from trace_server.cases.model import Actor, Case, CaseEvent, Verdict
from trace_server.credit import operations as credit
from trace_server.credit import publication
from trace_server.credit.document import read_document
from trace_server.credit.model import Circumstances, PenaltyDecision, State, ViolationRecord
from trace_server.credit.steps import Paper, law_day
from trace_server.detect import operations as detect
from trace_server.detect.detector import SubjectKind
from trace_server.detect.model import Alert, AlertState
from trace_server.sample import words
from trace_server.sample.agenda import Agenda, Story
from trace_server.sample.city import office_code
from trace_server.sample.model import LEGAL_TIME, City, Company, County, Trade
from trace_server.services import Services

PUBLISHERS = ("sample:credit-1", "sample:credit-2")
"""Who checks a record for secrets, and who publishes it."""
EARLIER = (
    (5.6, "fine"),
    (4.9, "warning"),
    (3.9, "fine"),
    (3.2, "huge"),
    (2.7, "fine"),
    (2.1, "licence"),
    (1.6, "fine"),
    (0.7, "fine"),
    (0.4, "fine"),
    (0.02, "fine"),
)
"""Years before the city's moment, and what was decided: under every regime since the measures of 2013. The last one
waits to be published."""
FIRST_RULES = date(2021, 7, 15)
"""Before it the classes of severity have no rows; what is older is a fine."""
WAITING_DAYS = 14
ARCHIVE_SINCE = date(2021, 9, 2)
"""Older decisions came into the archive then: the measures of 2013 name no periods of display."""


@dataclass(slots=True)
class Enforcement:
    """What the stories share: the city, its services, its dice, and what was decided so far."""

    services: Services
    city: City
    agenda: Agenda
    dice: random.Random
    numbers: int = 0
    opened: int = 0
    records: list[ViolationRecord] = field(default_factory=list)
    applied: set[str] = field(default_factory=set)
    """Records that somebody applied to repair."""

    def number(self, kind: str) -> str:
        """A 文号 of the made-up office; `kind` in one or two characters."""
        self.numbers += 1
        return f"盐市监示{kind}〔{law_day(self.services.clock()).year}〕{self.numbers:03}号"

    def current(self, record: ViolationRecord) -> ViolationRecord:
        """The record as it is now."""
        return publication.read(self.services, record.record_id)[0]

    def decision(
        self, company: Company, category: str, kind: str, decided: date | None = None
    ) -> tuple[PenaltyDecision, Circumstances]:
        """A decision against a company, of today or `decided`; `kind`: fine, huge, warning or licence."""
        today = decided or law_day(self.services.clock())
        named = words.CASE_CATEGORY.get(category, category)
        violation, facts, basis = self.dice.choice(words.VIOLATIONS.get(named, words.VIOLATIONS["food"]))
        fine = {"fine": self.dice.choice(("0.5", "1", "2", "5")), "huge": "120", "licence": "3"}.get(kind, "")
        penalties = {"warning": "警告", "licence": "罚款;暂扣或者吊销许可证、暂扣或者吊销执照"}.get(kind, "罚款")
        fields: dict[str, Any] = {
            "CF_XDR_MC": company.name,
            "CF_XDR_LB": "法人及非法人组织",
            "CF_XDR_SHXYM": company.uscc,
            "CF_FRDB": "示例法定代表人",
            "CF_WSH": self.number("罚字"),
            "CF_WFXW": violation,
            "CF_SY": f"示例数据:{facts}。",
            "CF_YJ": basis,
            "CF_CFLB": penalties,
            "CF_NR": "警告,责令改正。" if kind == "warning" else f"罚款人民币{fine}万元,责令改正。",
            "CF_JDRQ": f"{today:%Y/%m/%d}",
            "CF_YXQ": f"{today + timedelta(days=365):%Y/%m/%d}",
            "CF_CFJG": words.OFFICE,
            "CF_CFJGDM": office_code(),
            "CF_SJLY": words.OFFICE,
            "CF_SJLYDM": office_code(),
        }
        if fine:
            fields["CF_NR_FK"] = fine
        if kind == "licence":
            fields["CF_NR_ZKDX"] = "吊销许可证(示例编号)"
        return read_document({"decision": fields, "category": named}, today=today)

    def publish(self, record: ViolationRecord) -> Story:
        """A second person checks, another one publishes; what was decided in the last days waits for it still."""
        at = self.services.clock()
        yield at + timedelta(days=1)
        note = "已核对:不含国家秘密、商业秘密和个人隐私"
        publication.review(self.services, record.record_id, PUBLISHERS[0], note, version=record.version)
        if (self.city.as_of - at).days < WAITING_DAYS:
            return
        yield at + timedelta(days=2)
        paper = Paper(PUBLISHERS[1], "依法公示")
        publication.publish_reviewed(self.services, record.record_id, paper, version=record.version)

    def earlier(self) -> None:
        """Decisions that other registers hand in, most of them from earlier years."""
        makers = [one for one in self.city.companies if one.trade in (Trade.FACTORY, Trade.SHOP)]
        rounds = max(1, len(makers) // 40)
        for turn in range(rounds):
            for place, (years, kind) in enumerate(EARLIER):
                company = makers[(turn * len(EARLIER) + place) % len(makers)]
                at = self.city.as_of - timedelta(days=years * 365 + turn * 9)
                self.agenda.add(self._earlier(company, at, kind))

    def _earlier(self, company: Company, at: datetime, kind: str) -> Story:
        yield max(at, datetime.combine(ARCHIVE_SINCE, time(10), LEGAL_TIME))
        wanted = kind if law_day(at) >= FIRST_RULES else "fine"
        decision, around = self.decision(company, company.category or "food", wanted, law_day(at))
        recorded = credit.record_decision(self.services, decision, around, actor="sample:archive")
        self.records.append(recorded.record)
        self.agenda.add(self.publish(recorded.record))

    def look_at_alerts(self) -> None:
        """Sort the alerts that nobody has looked at: cases for some, the others are told apart."""
        opened = list(detect.stream_alerts(self.services.db, AlertState.OPEN))
        sorted_out = cases.triage_of(self.services, [one.alert_key for one in opened])
        found = [one for one in opened if one.alert_key not in sorted_out]
        for place, alert in enumerate(sorted(found, key=lambda one: (one.rule_id, one.group_key))):
            if alert.subject_kind is not SubjectKind.ENTERPRISE:
                if place % 2:
                    self._close(alert, Verdict.FALSE_DATA, "设备已校时,属数据问题(示例)")
            elif place % 6 == 5:
                self._close(alert, Verdict.BENIGN, "企业已说明并提供凭证(示例)")
            elif self.opened < self.city.scale.cases and place % 3 != 2:
                self.opened += 1
                self.agenda.add(self._case(alert, self.opened))

    def _close(self, alert: Alert, verdict: Verdict, why: str) -> None:
        inspector, _ = people(self.city.counties[0])
        cases.triage(self.services, inspector, [alert.alert_key], verdict, why)

    def _company(self, alert: Alert) -> Company:
        """Whom the alert is about: by code or place, else somebody of the trade."""
        known = {one.uscc: one for one in self.city.companies} | {one.place: one for one in self.city.companies}
        known |= {gate.read_point: gate.owner for gate in self.city.checkpoints}
        if alert.subject in known:
            return known[alert.subject]
        return self.dice.choice(self.city.of(Trade.FACTORY))

    def _case(self, alert: Alert, number: int) -> Story:
        company = self._company(alert)
        inspector, reviewer = people(company.county if number % 4 else None)
        category = company.category or "food"
        title = f"{company.name.removesuffix('(示例数据)')}涉嫌违法({alert.rule_id})"
        yield self.services.clock() + timedelta(hours=3 + number % 40)
        named = words.CASE_CATEGORY.get(category, category)
        new = cases.NewCase(title, named, company.county.code, company.uscc, (alert.alert_key,), "规则告警,需核查")
        if alert.alert_key in cases.triage_of(self.services, [alert.alert_key]):
            return
        case = cases.open_case(self.services, inspector, new)
        yield from self._investigate(case, inspector, reviewer, company, number)

    def _investigate(self, case: Case, inspector: Actor, reviewer: Actor, company: Company, number: int) -> Story:
        if number % 9 == 8:
            yield self._after(2)
            to = people(next(one for one in self.city.counties if one != company.county))[0]
            case = cases.transfer(self.services, inspector, case.case_id, to_department=to.department,
                                  is_outside=False, reason="主要行为地在贵局辖区", version=case.version)  # fmt: skip
            yield self._after(5)
            case = cases.answer_transfer(
                self.services, to, case.case_id, accept=number % 2 == 0, answer="已收到材料", version=case.version
            )
            return
        yield self._after(3)
        case = self._step(inspector, case, CaseEvent.FILE, "经核查符合立案条件", "立")
        yield self._after(2)
        case = self._step(inspector, case, CaseEvent.INVESTIGATE, "现场检查并抽样")
        case = cases.add_note(self.services, inspector, case.case_id, "现场笔录和抽样单已归档(示例)", self.number("检"))
        yield self._after(14)
        if number % 7 == 6:
            self._step(inspector, case, CaseEvent.DISMISS, "首次违法且危害后果轻微并及时改正", "不罚")
            return
        case = self._step(inspector, case, CaseEvent.PROPOSE, "建议给予行政处罚")
        yield self._after(4)
        case = self._step(reviewer, case, CaseEvent.NOTICE, "告知拟处罚内容和听证权利", "罚告")
        yield self._after(8)
        kind = ("fine", "warning", "fine", "huge", "fine", "licence")[number % 6]
        decision, around = self.decision(company, company.category or "food", kind)
        case, record = cases.decide(self.services, reviewer, case.case_id, decision, around, version=case.version)
        self.records.append(record)
        self.agenda.add(self.publish(record))
        yield self._after(10)
        case = self._step(inspector, case, CaseEvent.EXECUTE, "罚款已缴纳,整改完成")
        yield self._after(5)
        self._step(inspector, case, CaseEvent.CLOSE, "结案归档", "结")

    def _step(self, actor: Actor, case: Case, event: CaseEvent, text: str, kind: str = "") -> Case:
        step = cases.Step(event, case.version, text, self.number(kind) if kind else "")
        return cases.take_step(self.services, actor, case.case_id, step)

    def _after(self, days: int) -> datetime:
        return self.services.clock() + timedelta(days=days, hours=self.dice.randrange(1, 8))


def people(county: County | None) -> tuple[Actor, Actor]:
    """Inspector and reviewer of a county's office; None: of the city's."""
    if county is None:
        return (
            Actor("sample:320900-inspector", words.CITY_DEPARTMENT),
            Actor("sample:320900-reviewer", words.CITY_DEPARTMENT),
        )
    return (
        Actor(f"sample:{county.code}-inspector", county.department),
        Actor(f"sample:{county.code}-reviewer", county.department),
    )


def published(enforcement: Enforcement) -> list[ViolationRecord]:
    """Records that the public sees now, oldest decision first."""
    now = [enforcement.current(one) for one in enforcement.records]
    return [one for one in now if one.state is State.PUBLISHED]
