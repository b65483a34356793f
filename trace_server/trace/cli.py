"""`trace-server trace`: the chain of an object, for people, programs and files."""

from __future__ import annotations

import json
from datetime import datetime
from typing import BinaryIO

import click

from trace_server.services import Services
from trace_server.trace import wire
from trace_server.trace.acts import acts_json, acts_of
from trace_server.trace.answering import ask
from trace_server.trace.balance import mass_balance
from trace_server.trace.balance_wire import balance_file, balance_out
from trace_server.trace.frontier import MAX_DEPTH
from trace_server.trace.model import Direction
from trace_server.trace.question import Answer, Question
from trace_server.trace.rules import step_name

BALANCE = "balance"
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"])


@click.command()
@click.argument("direction", type=click.Choice([*(direction.value for direction in Direction), wire.BOTH, BALANCE]))
@click.argument("uri")
@click.option("--from", "begin", type=_MOMENT, default=None, help="The object counts from here on; a bare day is UTC.")
@click.option("--to", "end", type=_MOMENT, default=None, help="The object counts until here.")
@click.option("--depth", type=click.IntRange(1, MAX_DEPTH), default=MAX_DEPTH, show_default=True, help="Steps.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--format", "name", type=click.Choice(wire.FILES), default=None, help="Write a file to --output.")
@click.option("--output", type=click.File("wb"), default="-", help="Where the file goes; default standard output.")
@click.pass_obj
def trace(  # noqa: PLR0913 – each is an option
    services: Services,
    *,
    direction: str,
    uri: str,
    begin: datetime | None,
    end: datetime | None,
    depth: int,
    as_json: bool,
    name: str | None,
    output: BinaryIO,
) -> None:
    """trace-server trace both https://id.gs1.org/01/06901234567892/10/L2611

    Where an object came from and where it went; `balance`: the mass balance of an object or a site. Exit 1 when
    nobody named it.
    """
    window = (_aware(begin, services), _aware(end, services))
    if direction == BALANCE:
        asked = wire.question(uri, wire.BOTH, window, depth)
        _balance(services, asked, output, name=name, as_json=as_json)
        return
    with services.db.read() as conn:
        answer = ask(conn, services.db.dialect, wire.question(uri, direction, window, depth), services.clock())
        if name is not None:
            output.write(wire.file(conn, services.db.dialect, answer, name).data)
            return
    if as_json:
        click.echo(wire.chain_out(answer).model_dump_json())
    else:
        _show(answer)


def _aware(moment: datetime | None, services: Services) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=services.clock().tzinfo)


def _show(answer: Answer) -> None:
    for part in answer.parts:
        click.echo(f"{part.direction}: {len(part.nodes)} objects{', cut at the limit' if part.truncated else ''}")
        for entry in part.nodes:
            amount = "" if entry.node.quantity is None else f" {entry.node.quantity:.15g} {entry.node.uom}".rstrip()
            told = ", ".join(
                f"{one.quantity:.6g} {one.uom}".rstrip() + f" {one.basis}"
                for one in part.shares.get(entry.node.object_key, ())
            )
            share = f" ({told})" if told else ""
            click.echo(f"{'  ' * (entry.node.depth + 1)}{entry.node.relation} {entry.uri}{amount}{share}")
    for step in answer.steps:
        place = step.hop.place.name if step.hop.place else step.hop.event.read_point
        told = step_name(step.hop.event.biz_step) or step.hop.event.type
        gap = "gap before " if step.hop.gap_before else ""
        who = f"{step.party or step.uscc or 'party unknown'}, licence {step.licence}"
        click.echo(f"{step.hop.event.event_time.isoformat()} {gap}{told} {step.uri} at {place or '?'} ({who})")


def _balance(services: Services, asked: Question, output: BinaryIO, *, name: str | None, as_json: bool) -> None:
    with services.db.read() as conn:
        balance = mass_balance(conn, services.db.dialect, asked.uri, asked.window)
    if name is not None:
        output.write(balance_file(balance, name).data)
        return
    if as_json:
        click.echo(balance_out(balance).model_dump_json())
        return
    for line in balance.lines:
        told = [f"used {_kilograms(line.used)}", f"made {_kilograms(line.made)}"]
        if line.expected is not None:
            told.append(f"expected {line.expected[0]:.12g} to {line.expected[1]:.12g} kg ({line.rule})")
        told += line.missing
        click.echo(f"{line.event_time.isoformat()} {line.verdict}: {', '.join(told)} at {line.place or '?'}")
    for stock in balance.stock:
        left = "?" if stock.left is None else f"{stock.left:.12g}"
        told = [f"made {stock.made:.12g}", f"ended {stock.ended:.12g}", f"left {left} {stock.uom}".rstrip()]
        click.echo(f"{stock.uri}: {', '.join([*told, *stock.missing])}")


def _kilograms(number: float | None) -> str:
    return "?" if number is None else f"{number:.12g} kg"


@click.command()
@click.argument("uri")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def acts(services: Services, uri: str, *, as_json: bool) -> None:
    """trace-server acts urn:epc:id:grai:6901234.00001.17

    Fillings, checks and maintenance of a piece of equipment, as its events tell them.
    """
    with services.db.read() as conn:
        found = acts_of(conn, services.db.dialect, [uri]).get(uri, [])
    if as_json:
        click.echo(json.dumps(acts_json(uri, found), ensure_ascii=False))
        return
    for act in found:
        told = [act.kind.value, *([act.medium] if act.medium else [])]
        told += [f"{act.weight_kg:g} kg"] if act.weight_kg is not None else []
        told += [] if act.passed is None else ["passed" if act.passed else "failed"]
        told += [f"although refused: {act.refused}"] if act.refused else []
        click.echo(f"{act.event_time.isoformat()} {', '.join(told)} at {act.place}")


commands: list[click.Command] = [trace, acts]
