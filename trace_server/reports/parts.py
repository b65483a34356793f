"""The numbered parts that kinds are put together from (domain rules §6). Alerts and cases are in none of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from trace_server.commitments.model import Commitment
from trace_server.credit.grading.facts import FactKind
from trace_server.credit.grading.scoring import display
from trace_server.credit.model import Severity, ViolationRecord
from trace_server.lists import rules as lists
from trace_server.lists.model import Membership
from trace_server.reports.model import Facts, Held, Part
from trace_server.workdays.rules import LEGAL_TIME

RED = "red"
SEVERITY = {Severity.MINOR: "轻微", Severity.GENERAL: "一般", Severity.SERIOUS: "严重"}
STATUS = {"active": "存续", "abnormal": "经营异常", "revoked": "已吊销", "closed": "已注销"}
KINDS = {"legal_person": "法人及非法人组织", "sole_trader": "个体工商户"}
LICENCE = {"valid": "有效", "suspended": "已暂扣", "revoked": "已吊销", "cancelled": "已注销"}
RECORD = {
    "confirmed": "已确认", "published": "公示中", "unpublished": "不公示", "suspended": "暂停公示",
    "repaired": "已修复", "expired": "公示期满", "withdrawn": "已撤回", "drafted": "草拟", "noticed": "已告知",
    "dismissed": "不予处罚",
}  # fmt: skip
MEMBERSHIP = {
    "proposed": "拟列入", "noticed": "已告知", "listed": "在列", "dropped": "不予列入", "removed_early": "提前移出",
    "removed_expired": "期满移出", "cured": "纠正后移出", "revoked": "已撤销",
}  # fmt: skip
COMMITMENT = {
    "signed": "已签署", "public": "已公示", "in_force": "履行中", "fulfilled": "已履行", "partly": "部分履行",
    "unfulfilled": "未履行", "breach": "违诺", "remedied": "违诺已纠正", "withdrawn": "已撤回",
}  # fmt: skip
PENALTY = "penalty"
OBJECTION = "异议处理中"


def day(value: date | None) -> str:
    """2026年11月24日, — for none."""
    return f"{value.year}年{value.month}月{value.day}日" if value else "—"


def basic(facts: Facts) -> Part:
    """1 基本信息."""
    subject = facts.subject
    rows: tuple[tuple[str, str], ...] = (("统一社会信用代码", facts.uscc), ("名称", facts.name or "本平台未登记"))
    if subject is not None:
        rows += (
            ("主体类别", KINDS[subject.kind.value]),
            ("登记地行政区划", subject.region),
            ("登记状态", STATUS[subject.status.value]),
            ("登记信息来源", f"{subject.source}（截至{day(subject.as_of)}）"),
        )
    return Part("基本信息", ("项目", "内容"), rows)


def summary(facts: Facts) -> Part:
    """2 信用信息概要: counts by class, lists, grade with scheme and policy version."""
    counted = Counter(record.severity for record in facts.penalties)
    classes = "，".join(f"{word} {counted[severity]} 条" for severity, word in SEVERITY.items())
    listed = "、".join(lists.kind(one.list_id).title for one in facts.memberships) or "无"
    rows = [("公示期内行政处罚", f"共 {len(facts.penalties)} 条：{classes}"), ("所列名单", listed)]
    if facts.grade is None:
        rows.append(("信用等级", "本平台尚未评价"))
    else:
        grade = facts.grade.assessment.grade
        score = "不评分" if grade.score is None else f"{display(grade.score)} 分"
        rows.append(("信用等级", f"{grade.level} {grade.level_name}（{score}）"))
        rows.append(("评价方案", f"{grade.scheme}，政策 {grade.policy_id} 版本 {grade.policy_version}"))
        rows.append(("评价日期", f"{day(grade.as_of)}，核对至{day(facts.grade.checked_on)}"))
    return Part("信用信息概要", ("项目", "内容"), tuple(rows))


def licences(facts: Facts) -> Part:
    """3 行政许可."""
    rows = tuple(
        (one.title, one.number, one.authority, f"{day(one.valid_from)}至{day(one.valid_to)}",
         LICENCE[one.state.value] if one.valid_to >= facts.today else "已过期")
        for one in facts.licences
    )  # fmt: skip
    return Part("行政许可", ("许可名称", "编号", "许可机关", "有效期", "状态"), rows)


def penalties(facts: Facts) -> Part:
    """4 公示期内的行政处罚."""
    rows = tuple((*_record(one), day(one.window_max_end)) for one in facts.penalties)
    return Part("行政处罚（公示期内）", (*_RECORD, "公示截止"), rows)


def every_record(facts: Facts) -> Part:
    """行政处罚 with those that have stopped, for the full archive."""
    rows = tuple((*_record(one), RECORD[one.state.value]) for one in facts.all_records)
    note = "停止公示的记录不得共享，不参与评价；仅供获得授权的用途查阅。"
    return Part("行政处罚（全部记录）", (*_RECORD, "状态"), rows, note)


def listed(facts: Facts, *, only: tuple[str, ...] = ()) -> Part:
    """5 名单; the red list is an honour and stands in part 8. `only`: ids of lists, empty for every one but that."""
    rows = tuple(_membership(one) for one in facts.memberships if (one.list_id in only if only else one.list_id != RED))
    return Part("名单信息", _MEMBERSHIP, rows)


def every_membership(facts: Facts) -> Part:
    """名单, with those that have ended."""
    rows = tuple((*_membership(one), MEMBERSHIP[one.state.value]) for one in facts.all_memberships)
    return Part("名单信息（全部记录）", (*_MEMBERSHIP, "状态"), rows)


def promises(facts: Facts) -> Part:
    """6 信用承诺."""
    rows = tuple(
        (one.code, one.promise.type, one.promise.cause, day(one.promise.made_on), one.promise.acceptor_name,
         COMMITMENT[one.told_state.value])
        for one in facts.commitments
    )  # fmt: skip
    return Part("信用承诺", ("承诺编码", "类型", "事由", "作出日期", "受理单位", "履行状态"), rows)


def tracing(facts: Facts) -> Part:
    """7 召回、检验与追溯."""
    rows = [("登记批次", f"{facts.batches} 批，其中有检验报告 {facts.inspected} 批")]
    percents = [fact for fact in facts.stated if fact.kind is FactKind.CHAIN_COMPLETENESS and fact.percent is not None]
    if percents:
        newest = max(percents, key=lambda fact: fact.from_day)
        rows.append(("追溯链完整率", f"{newest.percent} %（{newest.source}，自{day(newest.from_day)}）"))
    for batch in facts.recalled:
        notice = batch.recall
        if notice is not None:
            words = f"{notice.notice_no}，{notice.level} 级，{notice.authority}，{day(notice.announced_on)}"
            rows.append((f"召回：批号 {batch.lot}", f"{words}。原因：{notice.reason}"))
    if not facts.recalled:
        rows.append(("召回", "无"))
    return Part("召回、检验与追溯", ("项目", "内容"), tuple(rows))


def honours(facts: Facts) -> Part:
    """8 守信激励."""
    rows = tuple(_membership(one) for one in facts.memberships if one.list_id == RED)
    return Part("守信与荣誉", _MEMBERSHIP, rows)


def objections(facts: Facts) -> Part:
    """9 处理中的异议: what it is about, not what it says."""
    rows = [("行政处罚", one.decision.decision_no) for one in facts.penalties if one.objection]
    rows += [("名单", lists.kind(one.list_id).title) for one in facts.memberships if one.objection]
    rows += [("信用承诺", one.code) for one in facts.commitments if one.objection]
    return Part("处理中的异议", ("涉及", "编号或名称"), tuple(rows))


def sources(facts: Facts) -> Part:
    """10 信息来源与截止时间."""
    at = facts.as_of.astimezone(LEGAL_TIME)
    moment = f"{day(at.date())} {at:%H:%M}"
    found: dict[str, str] = {}
    if facts.subject is not None:
        found[facts.subject.source] = day(facts.subject.as_of)
    for licence in facts.licences:
        found[licence.source] = day(licence.as_of)
    for record in facts.penalties:
        found[record.decision.source_name] = moment
    for member in facts.memberships:
        found[member.issuer] = moment
    rows = (*sorted(found.items()), (f"本平台变更记录（至第 {facts.change_no} 号）", moment))
    return Part("信息来源与截止时间", ("来源单位", "信息截至"), rows)


def held(facts: Facts, *parts: str) -> tuple[Held, ...]:
    """What a report on `parts` (`penalties`, `lists`, `commitments`, `archive`) rests on."""
    found: list[Held] = []
    if "archive" in parts or "penalties" in parts:
        records = facts.all_records if "archive" in parts else facts.penalties
        found += [Held(PENALTY, one.record_id, one.version) for one in records]
    if "archive" in parts or "lists" in parts:
        members = facts.all_memberships if "archive" in parts else facts.memberships
        found += [Held("list", one.membership_id, one.version) for one in members]
    if "archive" in parts or "commitments" in parts:
        found += [Held("commitment", one.code, one.version) for one in facts.commitments]
    return tuple(found)


def policy_of(subjects: Iterable[Facts]) -> str:
    """The versions of the grading policy behind the grades shown, "" when none is."""
    found = {facts.grade.assessment.grade.policy_version for facts in subjects if facts.grade is not None}
    return "、".join(sorted(found))


def breach_words(rows: Iterable[Commitment]) -> str:
    """How many commitments were broken, as others hear of it."""
    broken = [one for one in rows if one.told_state.value == "breach"]
    return f"{len(broken)} 项" if broken else "无"


_RECORD = ("决定书文号", "违法行为", "处罚内容", "处罚机关", "决定日期", "等级")
_MEMBERSHIP = ("名单", "列入原因", "文书文号", "认定机关", "列入日期", "期限")


def _record(one: ViolationRecord) -> tuple[str, ...]:
    decision = one.decision
    what = f"{decision.violation_kind}（{OBJECTION}）" if one.objection else decision.violation_kind
    return (
        decision.decision_no, what, f"{'、'.join(decision.penalty_kinds)}：{decision.penalty_content}",
        decision.authority_name, day(decision.decided_on), SEVERITY[one.severity],
    )  # fmt: skip


def _membership(one: Membership) -> tuple[str, ...]:
    title = lists.kind(one.list_id).title
    title = f"{title}（{OBJECTION}）" if one.objection else title
    until = f"至{day(one.until)}" if one.until else "无固定期限"
    return title, one.reason, one.document_no or "—", one.issuer, day(one.listed_on), until
