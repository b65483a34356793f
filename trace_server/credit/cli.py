"""`trace-server credit …`: hand in a decision, take it through its steps, look at a subject and at the feed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from trace_core.errors import InputError
from trace_core.ids import uscc
from trace_server.credit import operations, publication
from trace_server.credit.document import read_document
from trace_server.credit.fields import FIELDS
from trace_server.credit.grade_cli import fact, grade
from trace_server.credit.model import SharedChange, ViolationRecord
from trace_server.credit.regimes import shipped_policy
from trace_server.credit.steps import Paper, law_day
from trace_server.credit.wire import change_json, record_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
OPERATOR = click.option("--operator", default=operator_name, help="Who does it, for the audit log; default: you.")
FILE = click.option(
    "--file", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON document."
)
REASON = click.option("--reason", required=True, help="Why, in a sentence; shown with a withdrawal.")
DOCUMENT = click.option("--document", default=None, help="Number of the paper behind this step.")
RECORD_ID = click.argument("record_id", type=click.UUID)
MAX_FILE_BYTES = 1_000_000


@click.group("credit")
def credit() -> None:
    """Violation records, e.g. `trace-server credit record --file decision.json`."""


@credit.command("record")
@FILE
@OPERATOR
@JSON
@click.pass_obj
def record(services: Services, *, file: Path, operator: str, as_json: bool) -> None:
    """trace-server credit record --file decision.json

    Make the violation record of a numbered decision; handing in the same one again changes nothing. The file is
    {"decision": {"CF_WSH": "…", …}, "category": "food", "procedure": "ordinary", "batches": [], "evidence_ref": null};
    the fields of the decision go by official code or by attribute name, `trace-server credit fields` lists them.
    """
    decision, around = read_document(_load(file), today=law_day(services.clock()))
    recorded = operations.record_decision(services, decision, around, actor=operator)
    _print_record(recorded.record, as_json=as_json, created=recorded.created)


@credit.command("review")
@RECORD_ID
@click.option("--note", required=True, help="What was checked.")
@OPERATOR
@JSON
@click.pass_obj
def review(services: Services, *, record_id: object, note: str, operator: str, as_json: bool) -> None:
    """trace-server credit review RECORD_ID --note "no secret, no person's data"

    Say that the record may be shown; whoever says so does not publish it.
    """
    record, _ = publication.read(services, str(record_id))
    publication.review(services, record.record_id, operator, note, version=record.version)
    _print_record(record, as_json=as_json)


@credit.command("publish")
@RECORD_ID
@OPERATOR
@JSON
@click.pass_obj
def publish(services: Services, *, record_id: object, operator: str, as_json: bool) -> None:
    """trace-server credit publish RECORD_ID

    Show a confirmed record to the public, or withhold it when its class is not public. Somebody else has checked it.
    """
    done = operations.publish(services, str(record_id), Paper(operator))
    _print_record(done, as_json=as_json)


@credit.command("correct")
@RECORD_ID
@FILE
@REASON
@DOCUMENT
@OPERATOR
@JSON
@click.pass_obj
def correct(services: Services, /, *, record_id: object, file: Path, as_json: bool, **paper: Any) -> None:  # noqa: ANN401
    """trace-server credit correct RECORD_ID --file decision.json --reason "amount mistyped"

    A new version with the content of FILE.
    """
    decision, around = read_document(_load(file), today=law_day(services.clock()))
    done = operations.correct(services, str(record_id), decision, around, _paper(**paper))
    _print_record(done, as_json=as_json)


_STEPS: dict[str, tuple[Callable[[Services, str, Paper], ViolationRecord], str]] = {
    "repair": (operations.repair, "Stop publication, sharing and use after credit repair."),
    "expire": (operations.expire, "End a record whose longest window is over."),
    "withdraw": (operations.withdraw, "The decision was changed, revoked or void."),
    "suspend": (operations.suspend, "Stop showing and grading while a review or lawsuit orders it."),
    "resume": (operations.resume, "Lead a suspended record back into the state it had before."),
}


def _step_command(name: str) -> click.Command:
    operation, words = _STEPS[name]

    @click.command(name, help=f'trace-server credit {name} RECORD_ID --reason "…"\n\n{words}')
    @RECORD_ID
    @REASON
    @DOCUMENT
    @OPERATOR
    @JSON
    @click.pass_obj
    def step(services: Services, /, *, record_id: object, as_json: bool, **paper: Any) -> None:  # noqa: ANN401
        _print_record(operation(services, str(record_id), _paper(**paper)), as_json=as_json)

    return step


for _name in _STEPS:
    credit.add_command(_step_command(_name))


@credit.command("list")
@click.option("--uscc", "code", required=True, help="Unified social credit code of the subject.")
@JSON
@click.pass_obj
def list_records(services: Services, *, code: str, as_json: bool) -> None:
    """trace-server credit list --uscc 91320900MA1T000210 --json

    All records of a subject in their current version, newest decision first.
    """
    with services.db.read() as conn:
        found = operations.records_of(conn, uscc.parse(code).code)
    if as_json:
        print(json.dumps({"items": [record_json(item, shipped_policy()) for item in found]}, ensure_ascii=False))
        return
    for item in found:
        print(_line(item))


@credit.command("fields")
@JSON
def list_fields(*, as_json: bool) -> None:
    """trace-server credit fields

    The fields of a decision: official code, attribute, Chinese name, length, when it is needed.
    """
    if as_json:
        print(json.dumps({"items": [asdict(field) for field in FIELDS]}, ensure_ascii=False))
        return
    for field in FIELDS:
        print(f"{field.code:<13} {field.attribute:<30} {field.length:>5}  {field.need:<19} {field.chinese}")


@credit.command("feed")
@click.option("--after", default=0, type=click.IntRange(min=0), help="Start behind this number of the change log.")
@click.option("--limit", default=500, type=click.IntRange(1, 10_000), help="Most entries to print.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def feed(services: Services, *, after: int, limit: int, as_json: bool) -> None:
    """trace-server credit feed --json

    The change log in the order of commits, as pullers get it.
    """
    with services.db.read() as conn:
        page = operations.feed(conn, after=after, limit=limit)
    for change in page.changes:
        if as_json:
            print(json.dumps(change_json(change, shipped_policy()), ensure_ascii=False))
        elif isinstance(change, SharedChange):
            item = change.item
            print(f"{change.seq:>8}  {item.op:<8}  {item.kind} {item.record_id} v{item.version} {item.state}")
        else:
            print(f"{change.seq:>8}  {change.op:<8}  {_line(change.record)}")


credit.add_command(grade)
credit.add_command(fact)

commands: list[click.Command] = [credit]


def _load(file: Path) -> object:
    if file.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"the file has more than {MAX_FILE_BYTES} bytes", where=str(file))
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as err:
        raise InputError(
            f"not JSON: {err}", where=str(file), remedy="trace-server credit record --help shows the form"
        ) from err


def _paper(*, operator: str, reason: str, document: str | None) -> Paper:
    return Paper(operator, reason, document)


def _print_record(record: ViolationRecord, *, as_json: bool, created: bool | None = None) -> None:
    if not as_json:
        print(_line(record))
        return
    extra = {} if created is None else {"created": created}
    print(json.dumps({**record_json(record, shipped_policy()), **extra}, ensure_ascii=False))


def _line(record: ViolationRecord) -> str:
    state = f"v{record.version}  {record.state:<11}  {record.severity:<7}"
    return f"{record.record_id}  {state}  {record.decision.decision_no}"
