"""Repairs, lists, measures, commitments and objections: what the credit office and the companies do in the year."""

from __future__ import annotations

from datetime import timedelta

from trace_server.commitments import operations as commitments
from trace_server.commitments.model import CommitmentEvent, Finding, Promise, Publicity
from trace_server.credit import operations as credit
from trace_server.credit.model import State, ViolationRecord
from trace_server.credit.steps import Paper, law_day
from trace_server.lists import operations as lists
from trace_server.lists.model import ListEvent
from trace_server.objections import operations as objections
from trace_server.objections.model import ObjectionEvent, Remedy, TargetKind
from trace_server.repairs import operations as repairs
from trace_server.repairs.model import RepairEvent
from trace_server.sample import words
from trace_server.sample.agenda import Story
from trace_server.sample.city import office_code
from trace_server.sample.enforcement import Enforcement, published
from trace_server.sample.faults import listed
from trace_server.sample.model import Company, Trade

FIRST, SECOND = "sample:office-1", "sample:office-2"
"""Two persons of the credit office."""
_TYPES = ("主动型", "容缺受理型", "证明事项型", "审批替代型", "行业自律型")


def begin(enforcement: Enforcement) -> None:
    """Add every story of this kind."""
    city, agenda = enforcement.city, enforcement.agenda
    makers = [one for one in city.of(Trade.FACTORY) if one.status == "active"]
    for place in range(max(4, len(makers) // 3)):
        agenda.add(_commitment(enforcement, makers[place % len(makers)], place))
    for place, one in enumerate(one for one in city.companies if one.status == "abnormal"):
        agenda.add(_abnormal(enforcement, one, place))
    for place, one in enumerate(makers[1 : 1 + max(2, len(makers) // 12)]):
        agenda.add(_red(enforcement, one, place))
    bad = listed(city)
    agenda.add(_serious(enforcement, bad, "serious", 100))
    agenda.add(_serious(enforcement, bad, "industry_black", 60))
    agenda.add(_serious(enforcement, makers[0], "serious", 6))
    for days in (240, 120, 30):
        agenda.add(_repairs(enforcement, days))
    agenda.add(_objections(enforcement, 20))
    agenda.add(_suspension(enforcement, 25))


def _commitment(enforcement: Enforcement, company: Company, place: int) -> Story:
    """Kept, partly kept, broken, made good, or still running."""
    services = enforcement.services
    yield enforcement.city.as_of - timedelta(days=340 - (place * 7) % 320)
    today = law_day(services.clock())
    promise = Promise(
        subject_name=company.name,
        subject_kind="法人及非法人组织",
        subject_code=company.uscc,
        type=_TYPES[place % len(_TYPES)],
        cause="申请生产经营许可告知承诺(示例)",
        content="产品全部赋码并如实上传追溯数据,按期自查。",
        liability="违反承诺的,按规定记入信用档案并依法处理。",
        made_on=today,
        valid_until=today + timedelta(days=365),
        acceptor_name=words.OFFICE,
        acceptor_code=office_code(),
        publicity=Publicity.LIMITED if place % 5 == 4 else Publicity.OPEN,
    )
    row = commitments.sign(services, FIRST, promise, owner=None)
    code = row.code
    yield services.clock() + timedelta(days=2)
    events = [CommitmentEvent.ENTER] if place % 5 == 4 else [CommitmentEvent.PUBLISH, CommitmentEvent.ENTER]
    for event in events:
        row = commitments.take_step(services, SECOND, code, commitments.Step(event, row.version, "材料齐全"))
    if place % 4 == 3:
        return
    yield services.clock() + timedelta(days=60)
    kept = place % 3 != 1
    event = CommitmentEvent.FULFIL if kept else CommitmentEvent.FIND_PARTLY
    finding = Finding(
        unfulfilled="" if kept else "三个批次未上传追溯数据",
        pursued="" if kept else "约谈并责令限期补传",
        determined_on=law_day(services.clock()),
        authority_name=words.OFFICE,
        authority_code=office_code(),
    )
    step = commitments.Step(event, row.version, "现场核查", enforcement.number("核"), finding)
    row = commitments.take_step(services, FIRST, code, step)
    if kept:
        return
    yield services.clock() + timedelta(days=5)
    step = commitments.Step(CommitmentEvent.RECORD_BREACH, row.version, "复核属实", enforcement.number("违诺"))
    row = commitments.take_step(services, SECOND, code, step)
    if place % 2:
        yield services.clock() + timedelta(days=40)
        step = commitments.Step(CommitmentEvent.REMEDY, row.version, "已补传并整改", enforcement.number("改"))
        commitments.take_step(services, FIRST, code, step)


def _abnormal(enforcement: Enforcement, company: Company, place: int) -> Story:
    services = enforcement.services
    yield enforcement.city.as_of - timedelta(days=130 - place * 5)
    proposal = lists.Proposal("abnormal", company.uscc, "未按期公示年度报告", enforcement.number("异"), words.OFFICE)
    row = lists.propose(services, FIRST, proposal)
    yield services.clock() + timedelta(days=1)
    row = lists.take_step(services, SECOND, row.membership_id, ListEvent.LIST, version=row.version, reason="核实无误")
    lists.report_application(
        services, FIRST, company.uscc, "procurement-abnormal", words.CITY_DEPARTMENT, "采购资格审查时已提示"
    )
    if place % 2:
        yield services.clock() + timedelta(days=50)
        lists.take_step(services, SECOND, row.membership_id, ListEvent.CURE, version=row.version, reason="已补报并公示")


def _red(enforcement: Enforcement, company: Company, place: int) -> Story:
    services = enforcement.services
    yield enforcement.city.as_of - timedelta(days=200 - place * 8)
    proposal = lists.Proposal("red", company.uscc, "追溯数据全年完整(示例)", enforcement.number("红"), "市信用办(示例)")
    row = lists.propose(services, FIRST, proposal)
    yield services.clock() + timedelta(days=3)
    lists.take_step(services, SECOND, row.membership_id, ListEvent.LIST, version=row.version, reason="公示无异议")


def _serious(enforcement: Enforcement, company: Company, list_id: str, days: int) -> Story:
    """Notified, heard, listed; what began only days ago still waits."""
    services = enforcement.services
    yield enforcement.city.as_of - timedelta(days=days)
    proposal = lists.Proposal(
        list_id, company.uscc, "受到较重行政处罚,情节严重(示例)", enforcement.number("列"), words.OFFICE
    )
    row = lists.propose(services, FIRST, proposal)
    yield services.clock() + timedelta(days=1)
    row = lists.take_step(
        services, FIRST, row.membership_id, ListEvent.NOTICE, version=row.version, reason="告知书已送达"
    )
    yield services.clock() + timedelta(days=21)
    lists.take_step(services, SECOND, row.membership_id, ListEvent.LIST, version=row.version, reason="逾期未陈述申辩")
    if list_id == "serious":
        lists.report_application(
            services, SECOND, company.uscc, "procurement-serious", words.CITY_DEPARTMENT, "已取消投标资格一次"
        )


def _repairs(enforcement: Enforcement, days: int) -> Story:
    """Of what can be repaired on a day: one granted, one refused, one returned, one under review, one new."""
    yield enforcement.city.as_of - timedelta(days=days)
    today = law_day(enforcement.services.clock())
    ready = [
        one for one in published(enforcement)
        if one.window_min_end <= today <= one.window_max_end and not one.objection
        and one.record_id not in enforcement.applied
    ]  # fmt: skip
    for place, record in enumerate(ready[:5]):
        enforcement.applied.add(record.record_id)
        enforcement.agenda.add(_repair(enforcement, record, place))


def _repair(enforcement: Enforcement, record: ViolationRecord, place: int) -> Story:
    services = enforcement.services
    yield services.clock() + timedelta(days=place)
    if enforcement.current(record).state is not State.PUBLISHED:
        return
    row = repairs.apply(
        services, "sample:company", record.record_id, owner=None, correction="罚款已缴纳,问题已整改",
        promise="承诺所提交材料真实有效", papers=("缴款凭证(示例)", "整改报告(示例)"),
    )  # fmt: skip
    if place == 4:
        return
    yield services.clock() + timedelta(days=2)
    event = RepairEvent.RETURN if place == 2 else RepairEvent.ACCEPT
    reason = "缺少整改后的检验报告" if place == 2 else "材料齐全"
    row = repairs.decide(services, FIRST, row.application_id, event, reason=reason, document_no="", version=row.version)
    if place in (2, 3):
        return
    yield services.clock() + timedelta(days=6)
    if enforcement.current(record).state is not State.PUBLISHED:
        return
    event = RepairEvent.GRANT if place == 0 else RepairEvent.REFUSE
    reason = "符合修复条件" if place == 0 else "整改未完成"
    repairs.decide(
        services, SECOND, row.application_id, event, reason=reason,
        document_no=enforcement.number("修"), version=row.version,
    )  # fmt: skip


def _objections(enforcement: Enforcement, days: int) -> Story:
    """One raised, one proposed, one upheld with a correction, one rejected."""
    yield enforcement.city.as_of - timedelta(days=days)
    shown = [one for one in reversed(published(enforcement)) if not one.objection]
    for place, record in enumerate(shown[:4]):
        enforcement.agenda.add(_objection(enforcement, record, place))


def _objection(enforcement: Enforcement, record: ViolationRecord, place: int) -> Story:
    services = enforcement.services
    yield services.clock() + timedelta(days=place)
    if enforcement.current(record).state is not State.PUBLISHED or enforcement.current(record).objection:
        return
    claim = objections.Claim(
        TargetKind.RECORD, record.record_id, "公示的处罚内容与决定书不一致", ("处罚决定书复印件(示例)",), "示例代理人"
    )
    row = objections.raise_objection(services, "sample:company", claim, owner=None)
    if place == 0:
        return
    yield services.clock() + timedelta(days=1)
    if place == 3:
        step = objections.Step(ObjectionEvent.REJECT, row.version, "与决定书一致", enforcement.number("异复"))
        objections.take_step(services, FIRST, row.objection_id, step)
        return
    changes = {"CF_NR": "罚款,责令改正(已按决定书更正)。"}
    step = objections.Step(ObjectionEvent.PROPOSE, row.version, "经核对应更正", remedy=Remedy.CORRECT, changes=changes)
    row = objections.take_step(services, FIRST, row.objection_id, step)
    if place == 1:
        return
    yield services.clock() + timedelta(days=2)
    step = objections.Step(ObjectionEvent.UPHOLD, row.version, "同意更正", enforcement.number("异复"))
    objections.take_step(services, SECOND, row.objection_id, step)


def _suspension(enforcement: Enforcement, days: int) -> Story:
    """A court orders one record off the pages, and one decision is annulled."""
    yield enforcement.city.as_of - timedelta(days=days)
    shown = published(enforcement)
    for place, record in enumerate(shown[:2] if len(shown) > 6 else ()):
        if record.objection:
            continue
        if place == 0:
            credit.suspend(enforcement.services, record.record_id, Paper(FIRST, "行政诉讼期间停止执行", "示例行初1号"))
        else:
            credit.withdraw(enforcement.services, record.record_id, Paper(FIRST, "处罚决定被撤销", "示例复议1号"))
