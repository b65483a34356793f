"""A recall on the console's pages: drafted by one, announced by another, answered, closed; and what others may not."""

from __future__ import annotations

from collections.abc import Callable

from tests.server.portal import make
from tests.server.users.conftest import Browser
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.recall import operations
from trace_server.users.model import Scope

LogIn = Callable[..., Browser]
PATH = "/console/recalls"
DRAFT = {
    "batches": f"{make.RAW_GTIN} {make.RAW_LOT}", "category": "food", "level": "1", "notice_no": "示例召〔2026〕9号",
    "authority": "示例市市场监督管理局", "reason": "原料不合格", "action": "停止食用", "return_to": "任意门店",
    "phone": "000",
}  # fmt: skip


def filled(database: Database) -> None:
    make.load(database, batches=[make.batch(), make.batch(lot="L2612")])
    make.capture(database, *make.whole_way())


def in_chinese(browser: Browser) -> Browser:
    browser.get(f"{PATH}?lang=zh")
    return browser


def step(browser: Browser, path: str, name: str, text: str = "检验报告 7 号") -> int:
    page = browser.get(path).text
    version = page.partition('name="version" value="')[2].partition('"')[0]
    return browser.submit(path, f"{path}/steps", step=name, text=text, version=version).status_code


def test_two_persons_run_a_recall_to_its_end(log_in: LogIn, database: Database) -> None:
    filled(database)
    one, two = (in_chinese(log_in(name)) for name in ("one-1", "two-1"))
    shop = log_in("shop-1", Role.PRODUCER, Scope(subject=make.MARKET))
    made = one.submit(PATH, PATH, **DRAFT)
    assert made.status_code == 303, made.text
    path = made.headers["Location"]
    assert "草稿须由另一位同事宣布" in one.get(path).text
    assert one.submit(path, f"{path}/steps", step="announce", text="x", version="1").status_code == 400
    assert step(two, path, "announce", " ") == 400
    assert [step(two, path, "announce"), step(one, path, "notify")] == [303, 303]
    assert step(one, path, "reconcile") == 400
    told = shop.get("/desk/recalls").text
    recall_id = path.rpartition("/")[2]
    assert "示例召〔2026〕9号" in told
    said = {"recall_id": recall_id, "in_stock": "0", "sold": "0", "returned": "1", "destroyed": "0", "note": ""}
    assert shop.submit("/desk/recalls", "/desk/recalls", **said).status_code == 303
    page = one.get(path).text
    assert "示例农产品批发市场有限公司" in page
    assert [step(one, path, name) for name in ("reconcile", "dispose", "close")] == [303, 303, 303]
    assert operations.get(database, recall_id).state == "closed"


def test_an_answer_by_phone_is_written_down_with_how_it_was_told(log_in: LogIn, database: Database) -> None:
    filled(database)
    one, two = (in_chinese(log_in(name)) for name in ("one-1", "two-1"))
    path = one.submit(PATH, PATH, **DRAFT).headers["Location"]
    assert [step(two, path, "announce"), step(two, path, "notify")] == [303, 303]
    told = {"holder": make.MARKET, "in_stock": "0", "sold": "0", "returned": "1", "destroyed": "0", "note": "电话答复"}
    for field, value in (("note", " "), ("sold", "many"), ("holder", make.HAULIER)):
        answer = one.submit(path, f"{path}/answers", **(told | {field: value}))
        assert (answer.status_code, f'href="#{field}"' in answer.text) == (400, True)
    assert one.submit(path, f"{path}/answers", **told).status_code == 303
    assert "电话答复" in one.get(path).text
    auditor = log_in("audit-1", Role.AUDITOR)
    assert auditor.submit(path, f"{path}/answers", **told).status_code == 403


def test_every_lot_has_its_proof_and_what_is_spared_has_its_reason(log_in: LogIn, database: Database) -> None:
    filled(database)
    one = in_chinese(log_in("one-1"))
    path = one.submit(PATH, PATH, **DRAFT).headers["Location"]
    page = one.get(path).text
    assert f"{make.LOT_URI[:-1]}2" in page
    assert "这个批次没有任何流通记录" in page
    way = one.get(f"{path}/proof?gtin={make.GTIN}&lot={make.LOT}").text
    assert way.index(make.LOT_URI) < way.index(make.RAW_URI)
    assert make.ITEM in one.get(f"{path}/affected").text
    assert make.RAW_URI in one.get(f"{path}/proof?uri={make.ITEM}").text
    assert one.get(f"{path}/proof?uri={make.case(9)}").status_code == 404
    for name in ("csv", "xlsx"):
        answer = one.get(f"{path}/file?format={name}")
        assert (answer.status_code, len(answer.data) > 100) == (200, True)
    assert one.get(f"{path}/file?format=exe").status_code == 400


def test_mistakes_of_a_draft_stand_at_their_fields_and_nothing_typed_is_lost(log_in: LogIn, database: Database) -> None:
    filled(database)
    one = in_chinese(log_in("one-1"))
    wrong = (
        ("batches", "", "请至少填写"), ("batches", "06901234567892", "每行一个批次"),
        ("batches", "123 L1", "有效的编码"),
        ("level", "", "请选择召回级别"), ("phone", " ", "请填写咨询电话"), ("since", "soon", "样式填写时间"),
    )  # fmt: skip
    for field, value, sentence in wrong:
        answer = one.submit(PATH, PATH, **(DRAFT | {field: value}))
        assert answer.status_code == 400
        assert f'href="#{field}"' in answer.text
        assert sentence in answer.text
        assert "原料不合格" in answer.text


def test_only_regulators_change_recalls_and_companies_see_none(log_in: LogIn, database: Database) -> None:
    filled(database)
    path = log_in("one-1").submit(PATH, PATH, **DRAFT).headers["Location"]
    auditor = log_in("audit-1", Role.AUDITOR)
    assert "<textarea" not in auditor.get(path).text
    assert auditor.submit(path, f"{path}/steps", step="announce", text="x", version="1").status_code == 403
    assert log_in("shop-1", Role.PRODUCER, Scope(subject=make.MARKET)).get(path).status_code == 403
