"""What the credit office, regulators and companies do with commitments and objections on their pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from tests.server.commitments.make import in_force
from tests.server.credit.make import OTHER_SUBJECT, SUBJECT, published, services_on
from tests.server.users.conftest import Browser
from trace_server.accounts.model import Role
from trace_server.commitments.model import CommitmentState
from trace_server.commitments.operations import open_commitment
from trace_server.credit.model import State
from trace_server.credit.operations import records_of
from trace_server.db import Database
from trace_server.users.model import Scope

LogIn = Callable[..., Browser]
COMMITMENTS, OBJECTIONS = "/console/commitments", "/console/objections"
PROMISE = {
    "subject_name": "示例食品有限公司", "subject_kind": "法人及非法人组织", "subject_code": SUBJECT, "type": "主动型",
    "cause": "申请延续许可", "content": "留存检验记录", "liability": "接受公示", "made_on": "2026-01-05",
    "valid_until": "", "acceptor_name": "示例市市场监督管理局", "acceptor_code": "11320900MB0000000U",
    "publicity": "可向社会公开", "remarks": "", "repair_id": "",
}  # fmt: skip


def version(browser: Browser, path: str) -> str:
    _, found, rest = browser.get(path).text.partition('name="version" value="')
    return rest.partition('"')[0] if found else "0"


def act(browser: Browser, path: str, event: str, **values: str) -> int:
    given = {"event": event, "reason": "核查情况", "version": version(browser, path), **values}
    return browser.submit(path, f"{path}/steps", **given).status_code


def test_a_company_signs_and_two_people_of_the_authority_record_the_breach(log_in: LogIn, database: Database) -> None:
    firm = log_in("firm-1", Role.PRODUCER, Scope(subject=SUBJECT))
    signed = firm.submit(COMMITMENTS, COMMITMENTS, **PROMISE)
    assert signed.status_code == 303, signed.text
    path = signed.headers["Location"]
    assert firm.submit(path, f"{path}/steps", event="publish", reason="r", version="1").status_code == 403
    one, two = log_in("office-1", Role.CREDIT_OFFICE), log_in("one-1")
    assert "申请延续许可" in one.get(f"{COMMITMENTS}?state=signed").text
    assert [act(one, path, "publish"), act(one, path, "enter")] == [303, 303]
    assert act(one, path, "find_unfulfilled") == 400
    assert act(one, path, "find_unfulfilled", unfulfilled="两批无记录", pursued="责令改正") == 303
    assert "两批无记录" in two.get(path).text
    assert "两批无记录" not in firm.get(path).text
    assert act(one, path, "record_breach", document_no="示承认〔2026〕1号") == 400
    assert act(two, path, "record_breach", document_no="示承认〔2026〕1号") == 303
    assert "两批无记录" in firm.get(path).text
    row = open_commitment(services_on(database), path.rpartition("/")[2], owner="")
    assert row.state is CommitmentState.BREACH


def test_a_mistake_stands_at_its_field_in_the_readers_words(log_in: LogIn) -> None:
    office = log_in("office-1", Role.CREDIT_OFFICE)
    for field, value in (("subject_code", "123"), ("made_on", "soon"), ("publicity", "x"), ("made_on", "2999-01-01")):
        answer = office.submit(f"{COMMITMENTS}?lang=zh", COMMITMENTS, **(PROMISE | {field: value}))
        assert answer.status_code == 400
        assert f'href="#{field}"' in answer.text
        assert "留存检验记录" in answer.text


def test_a_company_objects_and_two_people_correct_the_record(log_in: LogIn, database: Database) -> None:
    services = services_on(database)
    record = published(services)
    firm = log_in("firm-1", Role.PRODUCER, Scope(subject=SUBJECT))
    claim = {"kind": "record", "target": record.record_id, "claim": "罚款金额有误", "papers": "示决〔2026〕1号"}
    raised = firm.submit(OBJECTIONS, OBJECTIONS, **claim)
    assert raised.status_code == 303, raised.text
    path = raised.headers["Location"]
    assert firm.submit(OBJECTIONS, OBJECTIONS, **claim).status_code == 400
    one, two = log_in("office-1", Role.CREDIT_OFFICE), log_in("one-1")
    assert "罚款金额有误" in one.get(f"{OBJECTIONS}?state=raised").text
    assert act(one, path, "propose", remedy="correct", changes="CF_NR_FK 1") == 400
    assert act(one, path, "propose", remedy="correct", changes="CF_NR_FK=1") == 303
    assert "CF_NR_FK" in two.get(path).text
    assert "CF_NR_FK" not in firm.get(path).text
    assert act(one, path, "uphold", document_no="示异〔2026〕1号") == 400
    assert act(two, path, "uphold", document_no="示异〔2026〕1号") == 303
    assert "示异〔2026〕1号" in firm.get(path).text
    with database.read() as conn:
        (found,) = records_of(conn, SUBJECT)
    assert (found.state, str(found.decision.fine_wan), found.objection) == (State.PUBLISHED, "1", "")


def test_others_see_neither(log_in: LogIn, database: Database) -> None:
    code = in_force(services_on(database), made_on=date(2026, 1, 5)).code
    other = log_in("other-1", Role.PRODUCER, Scope(subject=OTHER_SUBJECT))
    assert code not in other.get(COMMITMENTS).text
    assert other.get(f"{COMMITMENTS}/{code}").status_code == 404
    auditor = log_in("audit-1", Role.AUDITOR)
    page = auditor.get(f"{COMMITMENTS}/{code}")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    assert auditor.get(OBJECTIONS).status_code == 200
    assert log_in("admin-1", Role.ADMINISTRATOR).get(COMMITMENTS).status_code == 403
