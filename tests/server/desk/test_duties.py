"""What a company owes an answer to: licences that end, recalls, decisions that can be repaired."""

from __future__ import annotations

import re

from tests.server.desk import make as stock
from tests.server.users.conftest import Browser
from trace_server.db import Database
from trace_server.recall import operations as recalls
from trace_server.registers.operations import Grant, grant_range, ranges_of
from trace_server.services import EXTENSION


def recall_id_on(page: str) -> str:
    found = re.search(r'name="recall_id" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def test_the_home_page_names_what_waits_with_its_day(stocked: Browser) -> None:
    page = stocked.get("/desk").text
    for told in ("Licence ends soon", "26 days left", "Recall notice that waits", "Batch without an inspection result"):
        assert told in page


def test_a_recall_notice_is_answered_and_can_be_answered_again(stocked: Browser, database: Database) -> None:
    recall_id = recall_id_on(stocked.get("/desk/recalls").text)
    said = {"recall_id": recall_id, "in_stock": "7", "sold": "3", "returned": "2", "destroyed": "0", "note": "已封存"}
    wrong = stocked.submit("/desk/recalls", "/desk/recalls", **(said | {"sold": "some"}))
    assert wrong.status_code == 400
    assert f'<a href="#{recall_id}-sold">' in wrong.text
    assert 'value="7"' in wrong.text
    for sold in ("3", "4"):
        answer = stocked.submit("/desk/recalls", "/desk/recalls", **(said | {"sold": sold}))
        assert answer.status_code == 303
    [notice] = recalls.notices(database, holder=stock.FARM)
    assert notice.answer is not None
    assert (notice.answer.in_stock, notice.answer.sold, notice.answer.note) == (7, 4, "已封存")
    assert "Recall notice that waits" not in stocked.get("/desk").text


def test_nobody_answers_for_another_company(stocked: Browser, neighbour: Browser) -> None:
    recall_id = recall_id_on(stocked.get("/desk/recalls").text)
    said = {"recall_id": recall_id, "in_stock": "7", "sold": "3", "returned": "2", "destroyed": "0"}
    assert recall_id not in neighbour.get("/desk/recalls").text
    assert neighbour.submit("/desk/clients", "/desk/recalls", **said).status_code == 404


def test_a_repair_is_applied_for_free_of_charge(stocked: Browser, neighbour: Browser) -> None:
    link = re.search(r"/desk/archive/repair/[\w-]+", stocked.get("/desk/archive").text)
    assert link is not None
    assert "Free of charge" in stocked.get(link[0]).text
    assert neighbour.get(link[0]).status_code == 404
    entered = {"correction": "缴清罚款，补做检验", "promise": "材料真实", "papers": "缴款凭证 1\n验收意见 2"}
    empty = stocked.submit(link[0], link[0], **(entered | {"papers": " "}))
    assert empty.status_code == 400
    assert '<a href="#papers">' in empty.text
    assert stocked.submit(link[0], link[0], **entered).status_code == 303
    assert "Handed in" in stocked.get("/desk/archive").text
    again = stocked.submit(link[0], link[0], **entered)
    assert (again.status_code, "正在办理的申请" in again.text) == (400, True)


def test_labels_of_a_product_with_a_granted_range_take_its_serials_in_order(
    stocked: Browser, database: Database
) -> None:
    outside = stocked.http.application.extensions[EXTENSION]
    [asked] = ranges_of(outside, stock.FARM)
    grant_range(outside, "user:registrar", asked.range_id, Grant("准予", asked.version, quota=30))
    serials = []
    for count in ("5", "20"):
        stocked.clock.advance(1)
        run = stocked.submit("/desk/clients", "/desk/labels", gtin=stock.GTIN, lot=stock.LOT, count=count)
        file = stocked.get(run.headers["Location"].replace("/run?", "/run/codes.csv?")).text
        serials += re.findall(r",(A\d{4}),", file)
    assert serials == [f"A{number:04}" for number in range(1, 26)]
    over = stocked.submit("/desk/clients", "/desk/labels", gtin=stock.GTIN, lot=stock.LOT, count="6")
    assert (over.status_code, "余数不够" in over.text) == (400, True)


def test_a_batch_is_released_once_and_only_when_nothing_stands_against_it(stocked: Browser, database: Database) -> None:
    page, named = f"/desk/batches/one?gtin={stock.GTIN}&lot={stock.LOT}", {"gtin": stock.GTIN, "lot": stock.LOT}
    told = stocked.get(page).text
    assert "There is no inspection result." in told
    assert "A required certificate is missing." in told
    assert stocked.submit("/desk/clients", "/desk/batches/release", **named).status_code == 409
    complete = {
        "production_date": "2026-11-20", "expiry_date": "2026-12-04", "quantity": "48", "uom": "KGM", "known": "1",
        "certificate-0-number": "1", "certificate-0-issuer": "示例农场", "certificate-0-issued_on": "2026-11-20",
        "inspection-passed": "yes", "inspection-report_no": "1", "inspection-body": "自检",
        "inspection-inspected_on": "2026-11-20",
    }  # fmt: skip
    stocked.submit("/desk/batches/form", "/desk/batches/form", **named, **complete)
    assert [stocked.submit(page, "/desk/batches/release", **named).status_code for _ in "12"] == [303, 409]
    assert "Released" in stocked.get(page).text
