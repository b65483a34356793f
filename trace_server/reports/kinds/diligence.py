"""尽职免责证据: that a dealer checked what came in and knows where it is from (食品安全法 art. 136). It shows events
and what the register said on their days; whether the dealer is exempt is for the authority to decide."""

from __future__ import annotations

from trace_core.errors import NotFound
from trace_server.reports import parts
from trace_server.reports.model import Content, Kind, Part, Receipt, Source
from trace_server.workdays.rules import LEGAL_TIME

_LICENCE = {"held": "当日有效", "not_held": "当日无有效许可", "unknown": "登记中没有"}


def _build(source: Source) -> Content:
    (facts,) = source.subjects
    if source.chain is None:
        raise NotFound("nothing is known of these goods", where="uri")
    receipts = source.chain.receipts
    incoming = tuple(one for one in receipts if one.is_receiving and one.step.uscc == facts.uscc)
    with_papers = sum(bool(one.documents) for one in incoming)
    parties = {one.step.uscc: one.step for one in receipts if one.step.uscc and one.step.uscc != facts.uscc}
    gaps = sum(one.step.hop.gap_before for one in receipts)
    rows = (
        ("商品编码", source.chain.uri),
        ("本主体的收货记录", f"{len(incoming)} 条，其中记有单据 {with_papers} 条"),
        ("上游责任主体", f"{len(parties)} 个"),
        ("来源链", f"有 {gaps} 处缺少记录" if gaps else "各环节记录相接"),
    )
    note = "来源链超过查询上限，未全部列出。" if source.chain.is_cut else ""
    chain = tuple(
        (
            _moment(one),
            _place(one),
            one.step.party or one.step.uscc or "—",
            _licence(one),
            _number(one),
        )
        for one in receipts
    )
    made = (
        parts.basic(facts),
        Part("证据概要", ("项目", "内容"), rows, "本材料如实列出记录，是否符合免责条件由执法机关认定。"),
        Part("进货查验记录", ("时间", "地点", "单据", "记录编号"),
             tuple((_moment(one), _place(one), "；".join(one.documents) or "未记单据", _number(one))
                   for one in incoming)),
        Part("来源链", ("时间", "地点", "责任主体", "许可", "记录编号"), chain, note),
        parts.licences(facts),
        parts.sources(facts),
    )  # fmt: skip
    return Content(made, (), "")


def _number(one: Receipt) -> str:
    return one.step.hop.event.event_id or "—"


def _moment(one: Receipt) -> str:
    at = one.step.hop.event.event_time.astimezone(LEGAL_TIME)
    return f"{at:%Y-%m-%d %H:%M}"


def _place(one: Receipt) -> str:
    place = one.step.hop.place
    return f"{place.name}（{place.city}）" if place else "—"


def _licence(one: Receipt) -> str:
    return f"{_LICENCE[one.step.licence.value]} {one.step.licence_number}".strip()


KIND = Kind("diligence", "进货查验与来源证据（尽职免责）", _build, needs_goods=True)
