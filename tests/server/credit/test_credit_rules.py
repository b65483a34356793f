"""Every rule of the decision format has its test; what passes comes back the same."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.credit.make import AUTHORITY, SECRET, SUBJECT, TODAY, codes, decision, person_codes
from trace_server.credit.coding import field_changes, from_codes, masked_name, open_codes, shared_codes
from trace_server.credit.document import read_document
from trace_server.credit.fields import BY_NAME, CODE_UNKNOWN, FIELDS, FieldKind, Need
from trace_server.credit.messages import MESSAGES
from trace_server.credit.model import PenaltyDecision, Procedure, Severity
from trace_server.credit.penalties import PENALTY_NAMES, PenaltyKind, name_2018, penalty_kind
from trace_server.credit.rules import BadDecision, parse_decision


def faults(raw: object) -> set[tuple[str, str]]:
    with pytest.raises(BadDecision) as caught:
        parse_decision(raw, today=TODAY)  # type: ignore[arg-type]
    for problem in caught.value.problems:
        for language in ("zh", "en"):
            assert "{" not in problem.message(language)
    return {(problem.pointer, problem.code) for problem in caught.value.problems}


def test_the_field_table_and_the_decision_have_the_same_members() -> None:
    assert {field.attribute for field in FIELDS} == {member.name for member in fields(PenaltyDecision)}
    assert len({field.code for field in FIELDS}) == len(FIELDS) == 30


@pytest.mark.parametrize("code", [field.code for field in FIELDS if field.need is Need.ALWAYS])
def test_a_mandatory_field_that_is_missing_is_named(code: str) -> None:
    for nothing in (None, "", "   "):
        assert (f"/{code}", "missing") in faults({**codes(), code: nothing})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CF_XDR_SHXYM": None}, "CF_XDR_SHXYM"),
        ({"CF_FRDB": None}, "CF_FRDB"),
        ({"CF_NR_FK": None}, "CF_NR_FK"),
        ({"CF_CFLB": "没收违法所得、没收非法财物"}, "CF_NR_WFFF"),
        ({"CF_CFLB": "吊销许可证件"}, "CF_NR_ZKDX"),
        ({"CF_CFLB": "暂扣或者吊销许可证、暂扣或者吊销执照"}, "CF_NR_ZKDX"),
        ({"CF_XDR_LB": "个体工商户", "CF_XDR_SHXYM": CODE_UNKNOWN}, "CF_XDR_GSZC"),
    ],
)
def test_a_field_that_this_decision_needs_is_named(changes: dict[str, object], code: str) -> None:
    assert (f"/{code}", "missing") in faults(codes(**changes))


def test_a_person_needs_an_identity_document_and_no_code() -> None:
    assert faults(person_codes(CF_XDR_ZJHM=None, CF_XDR_ZJLX=None)) == {
        ("/CF_XDR_ZJHM", "missing"),
        ("/CF_XDR_ZJLX", "missing"),
    }
    assert parse_decision(person_codes(), today=TODAY).subject_key() is None


@pytest.mark.parametrize("field", [f for f in FIELDS if f.kind is FieldKind.TEXT], ids=lambda f: f.code)
def test_a_text_may_be_as_long_as_the_format_says_and_no_longer(field: object) -> None:
    code, length = field.code, field.length  # type: ignore[attr-defined]
    if code not in ("CF_XDR_ZJHM",):
        parse_decision(codes(**{code: "字" * length}), today=TODAY)
    assert (f"/{code}", "too-long") in faults(codes(**{code: "字" * (length + 1)}))


@pytest.mark.parametrize(
    ("code", "value", "fault"),
    [
        ("CF_XDR_LB", "法人", "not-a-choice"),
        ("CF_FR_ZJLX", "驾驶证", "not-a-choice"),
        ("CF_XDR_SHXYM", "91350100M000100Y44", "bad-code"),
        ("CF_XDR_SHXYM", CODE_UNKNOWN, "code-unknown"),
        ("CF_CFJGDM", CODE_UNKNOWN, "code-unknown"),
        ("CF_SJLYDM", "1", "bad-code"),
        ("CF_CFLB", "批评教育", "unknown-penalty"),
        ("CF_CFLB", "其他说明", "unknown-penalty"),
        ("CF_NR_FK", "-1", "bad-amount"),
        ("CF_NR_FK", "1.0000001", "bad-amount"),
        ("CF_NR_FK", "1234567890123", "bad-amount"),
        ("CF_NR_FK", "1e3", "bad-amount"),
        ("CF_NR_FK", "２", "bad-amount"),
        ("CF_NR_FK", 2, "not-text"),
        ("CF_NR_FK", ["2"], "not-text"),
        ("CF_JDRQ", "2026-05-15", "bad-date"),
        ("CF_JDRQ", "2026/5/15", "bad-date"),
        ("CF_JDRQ", "2026/02/29", "bad-date"),
        ("CF_JDRQ", "0000/01/01", "bad-date"),
        ("CF_JDRQ", "2026/06/02", "in-the-future"),
        ("CF_YXQ", "2026/05/14", "before-decision"),
        ("CF_GSJZQ", "2026/05/14", "before-decision"),
        ("CF_SY", "a\x00b", "control-character"),
        ("CF_SY", "当事人11010519491231002X在场", "identity-in-text"),
        ("BZ", "身份证号110105194912310022。", "identity-in-text"),
    ],
)
def test_a_value_that_breaks_a_rule_is_named(code: str, value: object, fault: str) -> None:
    assert (f"/{code}", fault) in faults(codes(**{code: value}))


def test_all_faults_are_found_at_once_under_the_senders_spelling() -> None:
    raw = {**codes(CF_JDRQ=None, CF_NR_FK=None), "fine_wan": "x", "mood": "bad", "decision_no": "2"}
    assert faults(raw) == {
        ("/CF_JDRQ", "missing"),
        ("/fine_wan", "bad-amount"),
        ("/mood", "unknown-field"),
        ("/CF_WSH", "given-twice"),
    }


def test_the_number_of_an_identity_document_may_not_be_in_an_open_text() -> None:
    assert faults(person_codes(CF_SY=f"证件{SECRET.lower()}")) == {("/CF_SY", "identity-in-text")}


def test_codes_are_normalised_and_amounts_exact() -> None:
    made = decision(CF_XDR_SHXYM=" ９１320900ma1t000210 ", CF_NR_FK="0.200000", CF_YXQ="2099/12/31")
    assert (made.uscc, made.fine_wan, made.valid_until) == (SUBJECT, Decimal("0.2"), date(2099, 12, 31))
    assert open_codes(made)["CF_NR_FK"] == "0.2"


def test_penalties_come_as_list_or_joined_text_and_leave_by_the_list_of_2018() -> None:
    extra = {"CF_NR_ZKDX": "食品经营许可证", "CF_NR_WFFF": "0"}
    listed = decision(CF_CFLB=["罚款", "吊销许可证件", "通报批评", "罚款"], **extra)
    joined = decision(CF_CFLB="罚款；吊销许可证件; 通报批评", **extra)
    assert listed == joined
    assert shared_codes(listed)["CF_CFLB"] == "罚款;暂扣或者吊销许可证、暂扣或者吊销执照;其他-通报批评"
    assert listed.kinds() == {PenaltyKind.FINE, PenaltyKind.LICENCE_REVOKED, PenaltyKind.CRITICISM}


def test_every_penalty_of_either_list_is_known_and_maps_into_the_list_of_2018() -> None:
    for row in PENALTY_NAMES:
        assert penalty_kind(row.name_2021) is row.kind
        assert name_2018(row.name_2021) == row.name_2018
        assert penalty_kind(row.name_2018) is not None
    assert penalty_kind("其他-没有先例") is PenaltyKind.OTHER
    assert name_2018("其他-没有先例") == "其他-没有先例"


def test_an_unsplit_licence_penalty_is_a_revocation_when_the_text_says_so() -> None:
    name = "暂扣或者吊销许可证、暂扣或者吊销执照"
    revoked = decision(CF_CFLB=name, CF_NR="吊销食品经营许可证", CF_NR_ZKDX="食品经营许可证")
    suspended = decision(CF_CFLB=name, CF_NR="暂扣食品经营许可证", CF_NR_ZKDX="食品经营许可证")
    assert PenaltyKind.LICENCE_REVOKED in revoked.kinds()
    assert PenaltyKind.LICENCE_REVOKED not in suspended.kinds()


def test_a_persons_name_is_masked_wherever_it_stands() -> None:
    person = parse_decision(person_codes(), today=TODAY)
    shared = shared_codes(person)
    assert shared["CF_XDR_MC"] == masked_name("示例丙丁") == "示某某"
    assert not [text for text in shared.values() if "示例丙丁" in text]
    assert not [code for code in shared if "ZJ" in code and code.startswith(("CF_XDR_ZJL", "CF_XDR_ZJH", "CF_FR"))]


def test_the_changes_of_a_correction_mask_a_person_on_both_sides() -> None:
    person = parse_decision(person_codes(), today=TODAY)
    firm = decision(CF_WSH="示市监罚〔2026〕77号", CF_XDR_MC="示例丙丁", CF_SY="示例丙丁在市场销售。")
    for before, after in ((person, firm), (firm, person)):
        for change in field_changes(before, after):
            assert "示例丙丁" not in f"{change.before}{change.after}"


texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Nd"]), min_size=1, max_size=40).map(str.strip)
days = st.dates(date(2021, 9, 1), TODAY).map(lambda day: day.strftime("%Y/%m/%d"))
amounts = st.decimals(0, 10**12 - 1, places=6, allow_nan=False).map(str)


@given(
    raw=st.fixed_dictionaries(
        {"CF_SY": texts.filter(bool), "CF_JDRQ": days, "CF_NR_FK": amounts, "CF_WSH": texts.filter(bool)},
        optional={"BZ": texts, "CF_XDR_GSZC": texts, "CF_YXQ": st.just("2099/12/31")},
    )
)
def test_what_is_taken_comes_back_from_storage_the_same(raw: dict[str, object]) -> None:
    made = parse_decision(codes(**raw), today=TODAY)
    assert from_codes(open_codes(made)) == made.opened()
    assert parse_decision(open_codes(made), today=TODAY) == made


@given(
    raw=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["decision", "category", *BY_NAME]) | st.text(max_size=8), inner, max_size=6
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_taken_or_named_never_a_crash(raw: object) -> None:
    try:
        read_document(raw, today=TODAY)
    except BadDecision as err:
        assert all(problem.message("zh") and problem.message("en") for problem in err.problems)


def test_a_document_gives_decision_and_circumstances() -> None:
    lot = "https://id.gs1.org/01/06901234000009/10/L1"
    body = {
        "decision": codes(),
        "category": "drug",
        "procedure": "simple",
        "severity": "serious",
        "batches": ["urn:epc:class:lgtin:6901234.000000.L1", lot, "http://x.example/01/06901234000009/10/L1?a=1"],
        "evidence_ref": " case-7 ",
    }
    made, around = read_document(body, today=TODAY)
    assert made == decision()
    assert (around.procedure, around.severity) == (Procedure.SIMPLE, Severity.SERIOUS)
    assert around.batches == (lot,)
    assert around.evidence_ref == "case-7"


@pytest.mark.parametrize(
    ("member", "value", "fault"),
    [
        ("category", None, "missing"),
        ("decision", None, "missing"),
        ("decision", [], "not-an-object"),
        ("procedure", "quick", "not-a-choice"),
        ("severity", 3, "not-a-choice"),
        ("batches", "x", "not-a-list"),
        ("batches", [1], "not-a-list"),
        ("batches", ["https://id.gs1.org/01/06901234000009"], "bad-batch"),
        ("batches", ["x"] * 501, "too-many"),
        ("evidence_ref", 7, "not-text"),
        ("evidence_ref", "x" * 257, "too-long"),
        ("a/b~", 1, "unknown-field"),
    ],
)
def test_a_faulty_member_of_the_document_is_named(member: str, value: object, fault: str) -> None:
    body = {"decision": codes(), "category": "food", member: value}
    with pytest.raises(BadDecision) as caught:
        read_document(body, today=TODAY)
    pointer = "/" + member.replace("~", "~0").replace("/", "~1")
    assert [(p.pointer, p.code) for p in caught.value.problems] == [(pointer, fault)]


def test_every_sentence_exists_in_both_languages() -> None:
    for chinese, english in MESSAGES.values():
        assert chinese.endswith("。")
        assert english.endswith(".")


def test_the_authority_of_the_tests_is_a_valid_code() -> None:
    assert parse_decision(codes(), today=TODAY).authority_code == AUTHORITY
