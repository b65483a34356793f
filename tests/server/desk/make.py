"""A farm that has something on every page of its desk: invented, like all parties of the tests."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.server.credit import make as credit
from tests.server.portal import make
from trace_core.ids import gs1
from trace_server.accounts import own_clients
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.desk import operations
from trace_server.desk.operations import Company
from trace_server.recall import operations as recalls
from trace_server.recall import store as recall_store
from trace_server.recall.model import HolderNotice, Notice, Scope
from trace_server.registers.operations import RangeRequest, request_range
from trace_server.services import Services

FARM = credit.SUBJECT
GTIN = "0690123400777" + gs1.check_digit("0690123400777")
LOT = "F2611"
COMPANY = Company(FARM, "user:farmer")
NOTICE = Notice("示例召〔2026〕9号", "示例市市场监督管理局", "原料不合格", "停止销售并退回", "任意门店", "000")
DRAFTED = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def stock(database: Database) -> datetime:
    """Fill the desk of `FARM`; returns the moment that names its run of 30 labels."""
    services = Services(database, Settings(code_secret=make.SECRET), lambda: make.NOW)
    bare = {"producer_uscc": FARM, "gtin": GTIN}
    make.load(
        database,
        subjects=[make.subject(FARM, "示例家庭农场", "Example Family Farm")],
        licences=[make.licence(uscc=FARM, number="SC10632090000077", valid_to="2026-12-20")],
        products=[make.product(**bare, name="示例草莓", name_en="Example strawberries", category="agricultural")],
        batches=[
            make.batch(**bare, lot=LOT, inspection=None, certificates=[]),
            make.batch(**bare, lot="F2610", recall=make.recall()),
        ],
        places=[],
    )
    credit.published(credit.services_on(database), CF_WSH="示市监罚〔2026〕77号")
    own_clients.add(database, make.NOW, COMPANY.actor, FARM, "仓库系统")
    request_range(services, COMPANY.actor, RangeRequest(FARM, GTIN, "A0001", "A0500", "印刷厂预印", 400))
    notify(database)
    return operations.issue(services, COMPANY, GTIN, LOT, 30)


def notify(database: Database) -> str:
    """A recall whose notice the farm got; returns its id. Who holds what is another test's business."""
    scope = Scope(batches=((GTIN, "F2610"),))
    drafted = recalls.create(database, DRAFTED, "user:drafter", category="food", level=2, scope=scope, notice=NOTICE)
    recalls.announce(database, DRAFTED, "user:head", drafted.recall_id, "抽检不合格")
    recalls.notify(database, DRAFTED, "user:head", drafted.recall_id)
    told = HolderNotice(drafted.recall_id, FARM, 12, DRAFTED, None, "", None)
    with database.begin() as conn:
        recall_store.add_notices(conn, database.dialect, [told])
    return drafted.recall_id
