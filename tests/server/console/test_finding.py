"""Search by any code, the archive of a subject, and the fleet, on the console's pages."""

from __future__ import annotations

from collections.abc import Callable

from tests.server.commitments.make import breached
from tests.server.credit.make import SUBJECT, published, services_on
from tests.server.fleet.make import waiting
from tests.server.portal import make
from tests.server.users.conftest import NOW, Browser
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import GatewayState, Role
from trace_server.audit import store as audit
from trace_server.db import Database
from trace_server.users.model import Scope

LogIn = Callable[..., Browser]
SEARCH = "/console/search"


def found(browser: Browser, text: str) -> str:
    """Where a search leads, "" for a list or nothing."""
    answer = browser.http.get(SEARCH, query_string={"q": text, "lang": "zh"})
    return answer.headers.get("Location", "") if answer.status_code == 303 else ""


def listed(browser: Browser, text: str) -> str:
    return browser.http.get(SEARCH, query_string={"q": text, "lang": "zh"}).text


def test_every_code_leads_to_its_page(log_in: LogIn, database: Database, alert_id: str) -> None:
    make.load(database)
    record = published(services_on(database))
    waiting(database, "gate-7", NOW)
    one = log_in("one-1")
    assert found(one, make.MARKET) == f"/console/subjects/{make.MARKET}"
    assert f"/console/subjects/{make.PRODUCER}" in listed(one, make.PRODUCER)  # 18 digits that are an SSCC too
    assert found(one, "SC10532090000001") == f"/console/subjects/{make.PRODUCER}"
    assert found(one, f" {record.decision.decision_no} ") == f"/console/subjects/{SUBJECT}"
    assert found(one, alert_id) == f"/console/alerts/{alert_id}"
    assert found(one, "GATE-7") == "/console/fleet/gate-7"
    assert found(one, make.CASE.rpartition("/")[2]).startswith("/console/chains?uri=")
    for text in (make.GTIN, make.GTIN[1:], make.LOT, f"(01){make.GTIN}(10){make.LOT}", make.LOT_URI):
        page = listed(one, text)
        assert f"/console/recalls?batches={make.GTIN}+{make.LOT}" in page
    assert "示例冷链物流有限公司" in listed(one, "示例")
    assert "没有找到" in listed(one, "nothing-at-all")
    assert make.ITEM.rpartition("/")[2] in found(one, "urn:epc:id:sgtin:6901234.056789.000123")


def test_a_search_tells_only_what_its_asker_may_see(log_in: LogIn, alert_id: str, database: Database) -> None:
    make.load(database)
    waiting(database, "gate-7", NOW)
    office = log_in("office-1", Role.CREDIT_OFFICE)
    assert [found(office, text) for text in (alert_id, "gate-7", make.CASE)] == ["", "", ""]
    assert found(office, make.PRODUCER) == f"/console/subjects/{make.PRODUCER}"
    assert log_in("shop-1", Role.PRODUCER, Scope(subject=make.MARKET)).get(SEARCH).status_code == 403


def test_the_archive_holds_every_phase_and_says_what_the_public_sees(log_in: LogIn, database: Database) -> None:
    services = services_on(database)
    make.load(database, subjects=[*make.document()["subjects"], make.subject(SUBJECT, "示例食品有限公司")])
    record = published(services)
    breached(services)
    office = log_in("office-1", Role.CREDIT_OFFICE)
    page = office.get(f"/console/subjects/{SUBJECT}?lang=zh").text
    for text in ("事前", "事中", "事后", record.decision.decision_no, "违背承诺", "公众可见", "内部"):
        assert text in page
    public = office.get(f"/console/subjects/{SUBJECT}?view=public").text
    assert record.decision.decision_no in public
    assert "另有" in public
    assert office.get("/console/subjects/12").status_code == 400
    shop = log_in("shop-1", Role.PRODUCER, Scope(subject=make.MARKET))
    assert shop.get(f"/console/subjects/{SUBJECT}").status_code == 403


def test_a_gateway_is_approved_and_shut_out_with_a_reason(log_in: LogIn, database: Database) -> None:
    waiting(database, "gate-7", NOW)
    admin, one = log_in("admin-1", Role.ADMINISTRATOR), log_in("one-1")
    path = "/console/fleet/gate-7"
    assert "gate-7" in one.get("/console/fleet?health=waiting&lang=zh").text
    assert "gate-7" not in one.get("/console/fleet?health=silent").text
    page = one.get(path).text
    assert "75.2" in page
    assert "<textarea" not in page
    assert one.submit(path, f"{path}/steps", step="approve").status_code == 403
    assert admin.submit(path, f"{path}/steps", step="approve").status_code == 303
    assert admin.submit(path, f"{path}/steps", step="approve").status_code == 400
    assert admin.submit(path, f"{path}/steps", step="revoke", reason=" ").status_code == 400
    assert admin.submit(path, f"{path}/steps", step="revoke", reason="设备被盗，编号待查").status_code == 303
    assert accounts.list_gateways(database)[0].state is GatewayState.REVOKED
    with database.read() as conn:
        assert any("设备被盗" in str(entry) for entry in audit.entries(conn))
    assert admin.get("/console/fleet/gate-9").status_code == 404
