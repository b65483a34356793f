"""Reports from request to verification, on both databases and with the real PDF maker."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from tests.server.credit.make import NOW, Clock, paper
from tests.server.portal import make as trade
from tests.server.reports.conftest import OFFICE, published, wish
from trace_core.errors import Conflict, IdentifierError, InputError, NotAllowed, NotFound
from trace_server.audit import store as audit
from trace_server.audit.operations import verify as verify_log
from trace_server.credit import operations as credit
from trace_server.credit.grade_facts import state_fact
from trace_server.credit.grading.facts import FactKind, StatedFact
from trace_server.credit.model import ViolationRecord
from trace_server.credit.objecting import mark
from trace_server.jobs import operations as jobs
from trace_server.jobs import runner
from trace_server.jobs.model import JobState
from trace_server.lists import operations as lists
from trace_server.lists.model import ListEvent
from trace_server.lists.operations import Proposal
from trace_server.reports import accepting, kinds, operations, rules, signing
from trace_server.reports.jobs import kinds as job_kinds
from trace_server.reports.model import Asker, Claims, Report, ReportState, Standing, ThirdPartyReport
from trace_server.reports.words import KINDS, STANDINGS
from trace_server.services import Services

PARTS = (
    "1 基本信息", "2 信用信息概要", "3 行政许可", "4 行政处罚", "5 名单信息", "6 信用承诺", "7 召回、检验与追溯",
    "8 守信与荣誉", "9 处理中的异议", "10 信息来源与截止时间",
)  # fmt: skip
Issue = Callable[..., Report]


def pdf_of(outside: Services, made: Report, asker: Asker = OFFICE) -> PdfReader:
    _, data = operations.download(outside, asker, made.report_no)
    assert hashlib.sha256(data).hexdigest() == made.file_sha256
    return PdfReader(io.BytesIO(data))


def text_of(pdf: PdfReader) -> str:
    return "".join(page.extract_text() for page in pdf.pages)


def fonts_of(pdf: PdfReader) -> Iterator[DictionaryObject]:
    for page in pdf.pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            inner = font.get_object()
            yield inner.get("/DescendantFonts", [inner])[0].get_object()["/FontDescriptor"].get_object()


def test_a_credit_report_holds_its_ten_parts_in_order(
    outside: Services, penalty: ViolationRecord, issue: Issue
) -> None:
    made = issue()
    text = text_of(pdf_of(outside, made))
    assert [text.index(part) for part in PARTS] == sorted(text.index(part) for part in PARTS)
    plain = "".join(text.split())
    for told in (
        made.report_no,
        trade.PRODUCER,
        "申请政府补贴",
        "2026年7月1日",
        made.content_sha256,
        penalty.decision.decision_no,
    ):
        assert told in plain
    assert made.valid_to == date(2026, 7, 1)
    assert "预警" in text  # only to say that there are none
    assert text.count("预警") == 1


def test_the_file_is_tagged_and_carries_its_language_title_and_fonts(outside: Services, issue: Issue) -> None:
    pdf = pdf_of(outside, issue())
    root: Any = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]
    assert root["/Lang"] == "zh-CN"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata is not None
    assert "公共信用报告" in (pdf.metadata.title or "")
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    found = list(fonts_of(pdf))
    assert found
    assert all("/FontFile3" in font or "/FontFile2" in font for font in found)


def test_a_report_is_valid_until_its_last_day(outside: Services, clock: Clock, issue: Issue) -> None:
    number = issue().report_no
    assert operations.verify(outside, number.lower()).standing is Standing.VALID
    clock.now = NOW + timedelta(days=30)
    assert operations.verify(outside, number).standing is Standing.VALID
    clock.now = NOW + timedelta(days=31)
    assert operations.verify(outside, number).standing is Standing.EXPIRED


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (lambda outside, record: credit.withdraw(outside, record, paper()), "withdraw"),
        (lambda outside, record: credit.suspend(outside, record, paper()), "suspend"),
    ],
    ids=["withdraw", "suspend"],
)
def test_a_report_is_superseded_by_itself_when_a_record_in_it_changes(
    outside: Services, clock: Clock, penalty: ViolationRecord, issue: Issue, step: Callable[..., object], why: str
) -> None:
    made = issue()
    clock.now = NOW + timedelta(days=3)
    step(outside, penalty.record_id)
    clock.now = NOW + timedelta(days=9)
    found = operations.verify(outside, made.report_no)
    assert (found.standing, found.since, found.why) == (Standing.SUPERSEDED, date(2026, 6, 4), why)
    assert operations.verify(outside, issue().report_no).standing is Standing.VALID


def test_an_objection_about_a_record_in_a_report_is_told(
    outside: Services, penalty: ViolationRecord, issue: Issue
) -> None:
    made = issue()
    with outside.db.begin() as conn:
        mark(outside, conn, NOW, penalty, "objection-1", "user:clerk")
    found = operations.verify(outside, made.report_no)
    assert (found.standing, found.why) == (Standing.SUPERSEDED, "objection")
    assert "异议处理中" in "".join(text_of(pdf_of(outside, issue())).split())


def test_a_report_is_superseded_when_a_list_entry_in_it_ends(outside: Services, clock: Clock, issue: Issue) -> None:
    row = lists.propose(
        outside, "user:one", Proposal("abnormal", trade.PRODUCER, "未按规定公示年报", "示市监异〔2026〕1号", "示例市局")
    )
    row = lists.take_step(outside, "user:two", row.membership_id, ListEvent.LIST, version=row.version, reason="依规定")
    clock.now = NOW + timedelta(days=1)
    made = issue()
    assert operations.verify(outside, made.report_no).standing is Standing.VALID
    clock.now = NOW + timedelta(days=2)
    lists.take_step(outside, "user:two", row.membership_id, ListEvent.CURE, version=row.version, reason="已补报")
    clock.now = NOW + timedelta(days=5)
    found = operations.verify(outside, made.report_no)
    assert (found.standing, found.since, found.why) == (Standing.SUPERSEDED, date(2026, 6, 3), "repair")


def test_a_withdrawn_report_says_why_and_is_handed_out_no_more(outside: Services, issue: Issue) -> None:
    made = issue()
    with pytest.raises(InputError):
        operations.withdraw(outside, OFFICE, made.report_no, " ")
    with pytest.raises(NotFound):
        operations.download(outside, Asker("client:dairy", trade.PRODUCER), made.report_no)
    operations.withdraw(outside, OFFICE, made.report_no, "主体有误")
    found = operations.verify(outside, made.report_no)
    assert (found.standing, found.why) == (Standing.WITHDRAWN, "主体有误")
    with pytest.raises(Conflict):
        operations.download(outside, OFFICE, made.report_no)
    with pytest.raises(Conflict):
        operations.withdraw(outside, OFFICE, made.report_no, "主体有误")


@pytest.mark.parametrize("number", ["", "x" * 500, "R20260601-000000000000", "../../etc", "R20260601-0000"])
def test_a_number_that_was_never_issued_is_an_answer(outside: Services, number: str) -> None:
    assert operations.verify(outside, number).standing is Standing.UNKNOWN


def test_the_signature_covers_number_times_and_hashes(outside: Services, issue: Issue) -> None:
    made = issue()
    public = signing.public_key(outside.settings)
    signed = signing.statement(made)
    assert signing.is_signed(made.seal, signed, public)
    for part in (made.report_no, made.file_sha256, made.content_sha256, "2026-07-01"):
        assert not signing.is_signed(made.seal, signed.replace(part.encode(), b"0" * len(part)), public)
    assert not signing.is_signed("ed25519;no;!", signed, public)


def test_each_step_is_in_the_audit_log_with_its_purpose(outside: Services, issue: Issue) -> None:
    made = issue()
    operations.download(outside, OFFICE, made.report_no)
    with outside.db.read() as conn:
        entries = list(audit.entries(conn, about=made.report_no))
        assert verify_log(conn).is_intact
    assert [entry.action for entry in entries] == ["reports.request", "reports.issue", "reports.download"]
    assert {entry.actor for entry in entries} == {OFFICE.actor}
    assert entries[0].detail["purpose"] == "申请政府补贴"


def test_a_company_has_reports_on_itself_only(outside: Services, issue: Issue) -> None:
    dairy, market = Asker("client:dairy", trade.PRODUCER), Asker("client:market", trade.MARKET)
    mine = issue(wish(), dairy)
    for asked in (wish("credit", trade.MARKET), wish("review"), wish("archive", authorisation="示授〔2026〕5号")):
        with pytest.raises(NotAllowed):
            operations.request(outside, dairy, asked)
    issue(wish("special", trade.MARKET), market)
    assert [row.report_no for row in operations.list_reports(outside, dairy)] == [mine.report_no]
    assert len(operations.list_reports(outside, OFFICE)) == 2
    with pytest.raises(NotFound):
        operations.open_report(outside, market, mine.report_no)


def test_a_full_archive_needs_an_authorisation_and_goes_to_whoever_has_it(
    outside: Services, clock: Clock, penalty: ViolationRecord, issue: Issue
) -> None:
    credit.withdraw(outside, penalty.record_id, paper())
    with pytest.raises(InputError):
        operations.request(outside, OFFICE, wish("archive"))
    made = issue(wish("archive", authorisation="示授〔2026〕5号"))
    assert "已撤回" in "".join(text_of(pdf_of(outside, made)).split())
    with pytest.raises(NotAllowed):
        operations.download(outside, Asker("user:somebody"), made.report_no)
    assert penalty.decision.decision_no not in "".join(text_of(pdf_of(outside, issue())).split())


def test_a_special_report_says_what_is_not_collected_instead_of_none(
    outside: Services, penalty: ViolationRecord, issue: Issue
) -> None:
    clean = "".join(text_of(pdf_of(outside, issue(wish("special", trade.MARKET)))).split())
    assert "没有该主体的记录" in clean
    assert clean.count("本平台未归集此类信息") == 2
    assert "有该主体的下列记录" in "".join(text_of(pdf_of(outside, issue(wish("special")))).split())


def test_a_review_of_many_lists_facts_and_no_verdict(outside: Services, penalty: ViolationRecord, issue: Issue) -> None:
    made = issue(wish("review", trade.PRODUCER, trade.HAULIER, trade.MARKET))
    text = "".join(text_of(pdf_of(outside, made)).split())
    assert all(code in text for code in (trade.PRODUCER, trade.HAULIER, trade.MARKET))
    assert "本表只列事实" in text
    assert not re.search("建议通过|不予通过|审查合格", text)


def test_a_diligence_pack_shows_incoming_checks_with_their_papers(outside: Services, issue: Issue) -> None:
    events = trade.whole_way()
    for event in events:
        if event.get("bizStep") == "receiving":
            event["bizTransactionList"] = [{"type": "desadv", "bizTransaction": "urn:example:delivery:2611-7"}]
    trade.capture(outside.db, *events)
    text = "".join(text_of(pdf_of(outside, issue(wish("diligence", trade.MARKET, uri=trade.ITEM)))).split())
    assert "1条，其中记有单据1条" in text
    assert "delivery:2611-7" in text
    assert "示例乳业有限公司" in text


def test_a_report_that_cannot_be_made_ends_its_job_with_the_reason(outside: Services) -> None:
    row = operations.request(outside, OFFICE, wish("diligence", uri="https://id.gs1.org/01/06901234567892/21/nobody"))
    runner.run_due(outside, runner.named(job_kinds))
    job = jobs.find_job(outside.db, bytes.fromhex(row.job_id))
    assert job.state is JobState.DEAD
    assert "no event names this object" in job.failure
    assert operations.open_report(outside, OFFICE, row.report_no).state is ReportState.REQUESTED
    assert operations.verify(outside, row.report_no).standing is Standing.UNKNOWN


@pytest.mark.parametrize(
    "asked",
    [
        wish(purpose=" "), wish("credit", trade.PRODUCER, trade.MARKET), wish("nothing"), wish(uri=trade.ITEM),
        wish("diligence"), wish("credit", "913209009000000143"),
    ],
    ids=["no purpose", "two subjects", "no such kind", "goods not needed", "no goods", "wrong code"],
)  # fmt: skip
def test_a_wish_that_fits_no_kind_is_refused(outside: Services, asked: Any) -> None:
    with pytest.raises((InputError, IdentifierError)):
        operations.request(outside, OFFICE, asked)


def test_every_kind_and_standing_has_its_word() -> None:
    assert {kind.id: kind.title for kind in kinds.registry().values()} == dict(KINDS)
    assert set(STANDINGS) == set(Standing)


def test_numbers_are_read_however_they_are_typed() -> None:
    number = rules.new_number(date(2026, 6, 1))
    assert rules.typed_number(f" {number.lower()} ") == number
    assert rules.typed_number("R20260601-OOOOOOOOOOOL") == "R20260601-000000000001"


def test_a_certificate_of_the_green_channel_is_good_while_its_conditions_hold(outside: Services, issue: Issue) -> None:
    with pytest.raises(InputError, match="green channel"):
        issue(wish("green"))
    registered = StatedFact(trade.PRODUCER, FactKind.REGISTERED, "reg", date(2015, 1, 1), None, None, "登记机关")
    state_fact(outside, registered, actor="clerk")
    made = issue(wish("green"))
    assert "自动失效" in "".join(text_of(pdf_of(outside, made)).split())
    assert operations.verify(outside, made.report_no).standing is Standing.VALID
    published(outside)
    found = operations.verify(outside, made.report_no)
    assert (found.standing, found.why) == (Standing.SUPERSEDED, "green")


def test_a_report_of_an_agency_is_kept_with_what_we_know_otherwise(outside: Services, penalty: ViolationRecord) -> None:
    given = ThirdPartyReport(
        agency=trade.MARKET, number="XY-1", uscc=trade.PRODUCER, agency_name="示例信用评价有限公司",
        issued_on=date(2026, 5, 20), valid_to=date(2026, 12, 31), file_sha256="a" * 64, purpose="投标",
        claims=Claims(penalties=0, lists=("red",), grade="A"),
    )  # fmt: skip
    taken = accepting.take(outside, OFFICE, given)
    assert {(one.about, one.theirs, one.ours) for one in taken.differences} == {
        ("penalties", "0", "1"), ("lists", "red", ""), ("grade", "A", "B"),
    }  # fmt: skip
    assert accepting.take(outside, OFFICE, given) == taken
    assert accepting.of_subject(outside, trade.PRODUCER) == [taken]
    silent = replace(given, number="XY-2", claims=Claims())
    assert accepting.take(outside, OFFICE, silent).differences == ()
    for wrong in (replace(given, claims=Claims()), replace(given, file_sha256="b" * 64)):
        with pytest.raises(Conflict):
            accepting.take(outside, OFFICE, wrong)
    for bad in ({"valid_to": date(2026, 5, 31)}, {"issued_on": date(2026, 6, 2)}, {"file_sha256": "x"}):
        with pytest.raises(InputError):
            accepting.take(outside, OFFICE, replace(given, number="XY-3", **bad))  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        accepting.take(outside, Asker("client:firm", trade.PRODUCER), given)
