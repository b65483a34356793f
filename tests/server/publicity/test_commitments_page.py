"""The public archive shows public commitments with their state, and marks what is objected to."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.server.commitments.make import act, breached, in_force, signed
from tests.server.credit.make import SUBJECT, published
from trace_server.commitments.model import CommitmentEvent, Publicity
from trace_server.objections import operations as objections
from trace_server.objections.model import TargetKind
from trace_server.objections.operations import Claim
from trace_server.services import Services

PAGE = f"/credit/{SUBJECT}"


def test_a_public_commitment_stands_with_its_state_and_a_breach_with_what_followed(
    http: FlaskClient, outside: Services
) -> None:
    row = in_force(outside)
    page = http.get(PAGE).text
    for part in ("信用承诺", row.code, "履行中", "每批产品留存出厂检验记录", "名称取自信用承诺书"):
        assert part in page, part
    broken = breached(outside, cause="申请设备使用登记")
    page = http.get(PAGE).text
    for part in (broken.code, "违背承诺", "两批未留存记录", "公开的信用承诺 2 件。", "有违背信用承诺的记录"):
        assert part in page, part


def test_what_is_not_for_the_public_or_not_confirmed_is_not_shown(http: FlaskClient, outside: Services) -> None:
    shown = in_force(outside)
    act(outside, shown, CommitmentEvent.FIND_UNFULFILLED)
    limited = act(outside, signed(outside, publicity=Publicity.LIMITED, cause="内部事项"), CommitmentEvent.ENTER)
    page = http.get(PAGE).text
    assert limited.code not in page
    assert "内部事项" not in page
    assert "两批未留存记录" not in page
    assert "履行中" in page


def test_an_objection_is_said_beside_the_record_and_the_commitment(http: FlaskClient, outside: Services) -> None:
    record, row = published(outside), in_force(outside)
    assert "异议处理中" not in http.get(PAGE).text
    for kind, target in ((TargetKind.RECORD, record.record_id), (TargetKind.COMMITMENT, row.code)):
        objections.raise_objection(outside, "client:firm", Claim(kind, target, "不属实"), owner=SUBJECT)
    page = http.get(PAGE).text
    assert page.count(">异议处理中<") == 2
    assert http.get(f"{PAGE}?lang=en").text.count(">Objection under way<") == 2
