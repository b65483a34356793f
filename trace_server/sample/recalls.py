"""Two recalls: one is closed with its sums, one is under way and late."""

from __future__ import annotations

from datetime import timedelta

from trace_server.recall import jobs, operations
from trace_server.recall.model import Answer, Notice, RecallEvent, Scope
from trace_server.sample import words
from trace_server.sample.agenda import Story
from trace_server.sample.enforcement import Enforcement
from trace_server.sample.faults import CLOSED_RECALL, RECALLED, Faults
from trace_server.sample.model import Lot

DRAFTER, ANNOUNCER = "sample:recall-1", "sample:recall-2"


def begin(enforcement: Enforcement, faults: Faults) -> None:
    """Add both stories."""
    lots = {one.number: one for one in faults.lots}
    enforcement.agenda.add(_recall(enforcement, lots[CLOSED_RECALL], 138, is_closed=True))
    enforcement.agenda.add(_recall(enforcement, lots[RECALLED], 41, is_closed=False))
    enforcement.agenda.add(_draft(enforcement, next(one for one in faults.lots if one.items)))


def _notice(enforcement: Enforcement, reason: str, reason_en: str) -> Notice:
    return Notice(
        notice_no=enforcement.number("召"),
        authority=words.OFFICE,
        reason=reason,
        reason_en=reason_en,
        action="停止食用或使用,退回购买处。",
        action_en="Stop using it and take it back to where you bought it.",
        return_to="购买门店",
        return_to_en="The shop where you bought it",
        phone="0515-00000000",
    )


def _recall(enforcement: Enforcement, lot: Lot, days: int, *, is_closed: bool) -> Story:
    services = enforcement.services
    db = services.db
    yield enforcement.city.as_of - timedelta(days=days)
    jobs.follow(services)
    notice = _notice(enforcement, "抽检发现菌落总数超标(示例)", "A sample had too many germs (sample data)")
    category = lot.good.category if lot.good.category != "consumer" else "food"
    row = operations.create(
        db, services.clock(), DRAFTER, category=category, level=2, scope=Scope(((lot.good.gtin, lot.number),)),
        notice=notice,
    )  # fmt: skip
    yield services.clock() + timedelta(hours=5)
    operations.announce(db, services.clock(), ANNOUNCER, row.recall_id, "检验报告 JC-示例")
    yield services.clock() + timedelta(hours=3)
    operations.notify(db, services.clock(), ANNOUNCER, row.recall_id)
    holders = operations.reconciliation(db, row.recall_id).lines
    for place, line in enumerate(holders):
        if not is_closed and place % 2:
            continue
        yield services.clock() + timedelta(hours=9)
        things = line.things - line.by_status.get("used", 0)
        sold = line.by_status.get("sold", 0)
        left = things - sold
        back = left if is_closed else 0
        given = Answer(in_stock=left - back, sold=sold, returned=back, destroyed=0, note="已下架(示例)")
        operations.answer(db, services.clock(), "sample:holder", row.recall_id, line.holder, given)
    if is_closed:
        for event in (RecallEvent.RECONCILE, RecallEvent.DISPOSE, RecallEvent.CLOSE):
            yield services.clock() + timedelta(days=4)
            operations.finish_step(db, services.clock(), ANNOUNCER, row.recall_id, event, "已核对数量,监督销毁(示例)")


def _draft(enforcement: Enforcement, lot: Lot) -> Story:
    services = enforcement.services
    yield enforcement.city.as_of - timedelta(days=1)
    operations.create(
        services.db, services.clock(), DRAFTER, category="food", level=3,
        scope=Scope(((lot.good.gtin, lot.number),)),
        notice=_notice(enforcement, "标签信息有误(示例)", "A label is wrong (sample data)"),
    )  # fmt: skip
