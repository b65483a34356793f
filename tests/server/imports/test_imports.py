"""Official tables come in by the operations that stand: whole, once, and nothing of a person in the open."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.server.credit.make import codes
from tests.server.imports import make
from tests.server.imports.make import IDENTITY, OTHER_SUBJECT, SUBJECT, Clock
from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server.catalog import store as catalog
from trace_server.catalog.model import LicenceState
from trace_server.commitments import operations as commitment_operations
from trace_server.commitments import store as commitments
from trace_server.commitments.model import CommitmentEvent, CommitmentState
from trace_server.commitments.operations import Step
from trace_server.credit import store as archive
from trace_server.credit.model import State
from trace_server.db import Database
from trace_server.imports import operations, rules
from trace_server.imports.model import RunState
from trace_server.imports.operations import File
from trace_server.imports.registered import registry, require
from trace_server.imports.tables import import_row
from trace_server.imports.templates import OWN
from trace_server.jobs import runner
from trace_server.lists import operations as lists
from trace_server.lists.model import ListState
from trace_server.registers import keeping
from trace_server.worker import find_kinds


def test_a_penalty_becomes_a_confirmed_record_under_its_own_source_unit(database: Database) -> None:
    outside = make.services_on(database)
    run = make.submit(outside, "penalties", [make.penalty(CF_SJLY="示例县信用中心")])
    assert (run.state, run.taken, run.refused) == (RunState.DONE, 1, 0)
    with database.read() as conn:
        (record,) = archive.of_subject(conn, SUBJECT)
    assert record.state is State.CONFIRMED
    assert record.decision.source_name == "示例县信用中心"
    assert record.recorded_by == make.ACTOR


@pytest.mark.parametrize("kind", sorted(registry()))
def test_the_same_table_again_is_no_news(database: Database, kind: str) -> None:
    outside = make.services_on(database)
    first, again = (make.submit(outside, kind, [make.ROWS[kind]()]) for _ in range(2))
    assert (first.taken, first.unchanged, first.refused) == (1, 0, 0), make.faults(outside, first)
    assert (again.taken, again.unchanged, again.refused) == (0, 1, 0), make.faults(outside, again)


@pytest.mark.parametrize("kind", sorted(registry()))
def test_good_rows_are_taken_and_bad_ones_wait_with_their_reasons(database: Database, kind: str) -> None:
    outside = make.services_on(database)
    template = require(kind).templates[make.order(kind).template or OWN]
    needed = [one.headings[-1] for one in template.columns if one.is_required]
    row = make.ROWS[kind]()
    cells = dict.fromkeys(row, "") | {next(name for name in needed if name in row): "X"}
    run = make.submit(outside, kind, [row, cells])
    assert (run.taken, run.refused) == (1, 1)
    found = make.faults(outside, run)
    assert found
    assert {number for number, _, _ in found} == {3}
    for waiting in operations.refused_rows(outside, run.import_id, limit=10):
        for fault in waiting.faults:
            for language in ("zh", "en"):
                assert rules.sentence(require(kind), run.order.template, fault, language)


def test_a_double_publicity_table_says_which_version_it_follows(database: Database) -> None:
    outside = make.services_on(database)
    for version in ("", "2020"):
        with pytest.raises(InputError) as refused:
            make.submit(outside, "penalties", [make.penalty()], template=version)
        assert refused.value.where == "template"
        assert "2016, 2018" in refused.value.remedy


@pytest.mark.parametrize(("version", "column"), [("2016", "organisation_code"), ("2018", "business_registration_no")])
def test_a_code_column_means_what_its_version_says(database: Database, version: str, column: str) -> None:
    outside = make.services_on(database)
    row = make.penalty() | {"代码_2": "12345678X"}
    assert make.submit(outside, "penalties", [row], template=version).taken == 1
    with database.read() as conn:
        (record,) = archive.of_subject(conn, SUBJECT)
    assert getattr(record.decision, column) == "12345678X"


def test_code_5_of_2016_is_an_identity_number_and_is_sealed(database: Database) -> None:
    outside = make.services_on(database)
    row = make.person_penalty()
    del row["行政相对人类别"], row["自然人证件类型"]
    row["代码_5"] = row.pop("自然人证件号码")
    row["自然人证件类型"] = "身份证"
    assert make.submit(outside, "penalties", [row], template="2016").taken == 1
    assert IDENTITY not in _dump(database)


@pytest.mark.parametrize("header", ["chinese", "code"])
def test_headings_are_chinese_or_codes(database: Database, header: str) -> None:
    outside = make.services_on(database)
    row = make.penalty() if header == "chinese" else {k: str(v) for k, v in codes().items()}
    assert make.submit(outside, "penalties", [row]).taken == 1


def test_a_file_with_strange_or_missing_columns_is_refused_as_a_whole_by_name(database: Database) -> None:
    outside = make.services_on(database)
    with pytest.raises(InputError, match="处罚机关名"):
        make.submit(outside, "penalties", [make.penalty() | {"处罚机关名": "x"}])
    row = make.penalty()
    del row["处罚依据"]
    with pytest.raises(InputError, match="处罚依据"):
        make.submit(outside, "penalties", [row])


def test_nothing_of_a_natural_person_is_kept_in_the_open(database: Database) -> None:
    outside = make.services_on(database)
    good = make.person_penalty()
    bad = make.person_penalty(CF_WSH="示市监罚〔2026〕78号", CF_SY=f"示例丙丁（{IDENTITY}）销售无标签产品。")
    run = make.submit(outside, "penalties", [good, bad])
    assert (run.taken, run.refused) == (1, 1), make.faults(outside, run)
    assert [code for _, _, code in make.faults(outside, run)] == ["identity-in-text"]
    everything = _dump(database)
    assert IDENTITY not in everything
    assert "示例丙丁" not in everything
    assert "示某某" in everything
    (person,) = keeping.list_persons(outside, limit=10)
    assert person.masked_name == "示某某"


def test_two_rows_with_one_identity_number_are_one_person(database: Database) -> None:
    outside = make.services_on(database)
    rows = [make.person_penalty(), make.person_penalty(CF_WSH="示市监罚〔2026〕79号")]
    assert make.submit(outside, "penalties", rows).taken == 2
    assert len(keeping.list_persons(outside, limit=10)) == 1


def test_without_the_sealing_key_no_person_is_taken(database: Database) -> None:
    outside = make.services_on(database, key="")
    run = make.submit(outside, "penalties", [make.penalty(), make.person_penalty()])
    assert (run.taken, run.refused) == (1, 1)
    assert "cannot-seal" in {code for _, _, code in make.faults(outside, run)}
    assert IDENTITY not in _dump(database)


def test_the_corrected_file_comes_back_mended_and_is_taken(database: Database) -> None:
    outside = make.services_on(database)
    rows = [make.penalty(), make.person_penalty(CF_JDRQ="2026-05-15"), make.penalty(CF_WSH="=1+1", CF_YJ="")]
    run = make.submit(outside, "penalties", rows)
    name, media, data = operations.corrected_file(outside, make.ACTOR, run.import_id, "csv", "zh-CN")
    assert name.endswith(".csv")
    assert media.startswith("text/csv")
    assert "'=1+1" in data.decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row["错误说明"] for row in found] == [
        "“处罚决定日期”的日期应写作 YYYY/MM/DD，例如 2026/04/01。",
        "请填写“处罚依据”。",
    ]
    found[0]["处罚决定日期"] = "2026/05/15"
    found[1]["处罚依据"] = "《中华人民共和国食品安全法》第一百二十六条"
    again = make.submit(outside, "penalties", found)
    assert (again.taken, again.refused) == (2, 0), make.faults(outside, again)


def test_a_decision_with_other_content_is_a_correction_and_is_refused(database: Database) -> None:
    outside = make.services_on(database)
    make.submit(outside, "penalties", [make.penalty()])
    run = make.submit(outside, "penalties", [make.penalty(CF_NR_FK="3", CF_NR="罚款三万元")])
    assert make.faults(outside, run) == [(2, "CF_WSH", "other-content")]


def test_the_unknown_code_stands_for_nobody(database: Database) -> None:
    """`00000000000000000X` is taken from traders with a registration number only, and is never a key."""
    outside = make.services_on(database)
    trader = {"CF_XDR_LB": "个体工商户", "CF_XDR_SHXYM": "00000000000000000X", "CF_FRDB": None}
    rows = [
        make.penalty(**trader, CF_WSH="示〔2026〕2号", CF_XDR_GSZC="320900600000001"),
        make.penalty(**trader, CF_WSH="示〔2026〕3号"),
        make.penalty(CF_XDR_SHXYM="00000000000000000X", CF_WSH="示〔2026〕4号"),
    ]
    run = make.submit(outside, "penalties", rows)
    assert run.taken == 1
    assert make.faults(outside, run) == [(3, "CF_XDR_GSZC", "missing"), (4, "CF_XDR_SHXYM", "code-unknown")]
    with database.read() as conn:
        assert archive.of_subject(conn, "00000000000000000X") == []


def test_a_licence_of_the_unknown_code_finds_its_holder_by_the_old_number(database: Database) -> None:
    outside = make.services_on(database)
    row = make.licence(统一社会信用代码="00000000000000000X", 工商注册号="320900000012345")
    early = make.submit(outside, "licences", [row])
    assert make.faults(outside, early) == [(2, "XK_XDR_GSZC", "code-not-known")]
    make.submit(outside, "subjects", [make.subject()])
    assert make.submit(outside, "licences", [row]).taken == 1
    with database.read() as conn:
        assert [one.number for one in catalog.licences(conn, SUBJECT)] == ["SC10132090000001"]


def test_a_licence_that_is_taken_away_ends_on_the_day_of_the_table(database: Database) -> None:
    clock = Clock()
    outside = make.services_on(database, clock)
    make.submit(outside, "licences", [make.licence()])
    clock.now += timedelta(days=3)
    assert make.submit(outside, "licences", [make.licence()]).unchanged == 1
    assert make.submit(outside, "licences", [make.licence(当前状态="吊销")]).taken == 1
    with database.read() as conn:
        (row,) = catalog.licences(conn, SUBJECT)
    assert (row.state, row.as_of) == (LicenceState.REVOKED, clock.now.date())


def test_a_new_name_keeps_the_old_one_and_old_codes_lead_to_the_new(database: Database) -> None:
    clock = Clock()
    outside = make.services_on(database, clock)
    make.submit(outside, "subjects", [make.subject()])
    clock.now += timedelta(days=30)
    make.submit(outside, "subjects", [make.subject(名称="示例新食品有限公司")])
    seen = keeping.view(outside, SUBJECT)
    assert [one.name for one in seen.names] == ["示例新食品有限公司", "示例食品有限公司"]
    assert seen.subject is not None
    assert seen.subject.name == "示例新食品有限公司"
    assert [one.uscc for one in keeping.find_code(outside, "3209 0000 0012 345")] == [SUBJECT]
    assert [one.address for one in seen.premises] == ["示例市示例路1号"]


def test_an_old_code_of_another_subject_waits_for_a_person_who_merges(database: Database) -> None:
    outside = make.services_on(database)
    make.submit(outside, "subjects", [make.subject()])
    other = make.subject(统一社会信用代码=OTHER_SUBJECT, 名称="示例粮油有限公司")
    run = make.submit(outside, "subjects", [other])
    assert make.faults(outside, run) == [(2, "工商注册号", "code-of-another")]
    (known,) = keeping.find_code(outside, "320900000012345")
    keeping.merge_code(outside, "user:clerk", known.code, known.scheme, OTHER_SUBJECT, "登记档案核对")
    assert make.submit(outside, "subjects", [other]).refused == 0


def test_a_commitment_that_was_not_kept_waits_for_a_second_person(database: Database) -> None:
    outside = make.services_on(database)
    make.submit(outside, "commitments", [make.commitment()])
    broken = make.commitment(
        承诺履行状态="部分履行", 未履行的承诺内容="两批产品未检验。", 违诺责任追究内容="约谈并限期整改。"
    )
    assert make.submit(outside, "commitments", [broken]).taken == 1
    with database.read() as conn:
        row = commitments.by_code(conn, "32090020260501000001")
    assert row is not None
    assert (row.state, row.told_state) == (CommitmentState.PARTLY, CommitmentState.IN_FORCE)
    breach = Step(CommitmentEvent.RECORD_BREACH, row.version, "核实", document_no="示信认〔2026〕1号")
    with pytest.raises(NotAllowed):  # who brought the file in is one person, whatever unit its rows name
        commitment_operations.take_step(outside, row.determined_by, row.code, breach)
    assert not row.determined_by.startswith("unit:")


def test_an_entry_of_a_list_and_its_end_come_in(database: Database) -> None:
    outside = make.services_on(database)
    make.submit(outside, "lists", [make.listed()])
    ((row,), _) = lists.of_subject(outside, SUBJECT)
    assert row.state is ListState.LISTED
    make.submit(outside, "lists", [make.listed(移出日期="2026/05/28", 移出事由="已补报")])
    ((row,), _) = lists.of_subject(outside, SUBJECT)
    assert (row.state, str(row.ended_on)) == (ListState.CURED, "2026-05-28")


def test_a_dishonest_debtor_may_not_take_part_in_procurement(database: Database) -> None:
    outside = make.services_on(database)
    make.submit(outside, "judgments", [make.judgment()])
    found = lists.check(outside, SUBJECT, "政府采购", "client:buyer", "资格审查")
    assert found.effect == "forbid"
    assert [one.case_no for one in keeping.view(outside, SUBJECT).judgments] == ["(2026)示0901执1号"] or [
        one.case_no for one in keeping.view(outside, SUBJECT).judgments
    ] == ["（2026）示0901执1号"]


def test_a_large_table_is_a_job_that_tells_its_progress(database: Database) -> None:
    outside = make.services_on(database)
    rows = [make.listed(文书文号=f"示异〔2026〕{n}号") for n in range(operations.SMALL + 5)]
    run = make.submit(outside, "lists", rows)
    assert (run.state, run.total) == (RunState.QUEUED, len(rows))
    assert run.job_key is not None
    runner.run_due(outside, find_kinds())
    ended = operations.find(outside, run.import_id)
    assert (ended.state, ended.taken, ended.refused) == (RunState.DONE, 1, len(rows) - 1)


def test_one_key_is_one_import(database: Database) -> None:
    outside = make.services_on(database)
    file, order = File(make.csv_of([make.listed()])), make.order("lists")
    first, again = (operations.submit(outside, make.ACTOR, order, file, idempotency="k1") for _ in range(2))
    assert first == again
    other = File(make.csv_of([make.listed(列入事由="其他")]))
    with pytest.raises(Conflict):
        operations.submit(outside, make.ACTOR, order, other, idempotency="k1")


def test_what_waits_can_be_given_up(database: Database) -> None:
    outside = make.services_on(database)
    run = make.submit(outside, "lists", [make.listed(), make.listed(文书文号="")])
    assert operations.discard(outside, make.ACTOR, run.import_id).state is RunState.DISCARDED
    assert operations.refused_rows(outside, run.import_id, limit=5) == []
    with pytest.raises(NotFound):
        operations.corrected_file(outside, make.ACTOR, run.import_id, "csv", "zh")


def test_of_a_row_that_was_taken_only_what_it_became_stays(database: Database) -> None:
    outside = make.services_on(database)
    make.submit(outside, "penalties", [make.penalty()])
    with database.read() as conn:
        (row,) = conn.execute(select(import_row)).all()
    assert row.cells == []
    assert row.ref


def _dump(database: Database) -> str:
    """Every cell of every table, as text."""
    from trace_server.db.metadata import load_tables

    with database.read() as conn:
        rows = [tuple(row) for table in load_tables().sorted_tables for row in conn.execute(select(table))]
    return json.dumps(rows, ensure_ascii=False, default=str)
