"""`trace-server recall …`: run a recall from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from trace_core.errors import InputError
from trace_server.exports.registry import registry
from trace_server.recall import operations, wire
from trace_server.recall.model import Notice, RecallEvent, Scope
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
ZONED = click.DateTime(["%Y-%m-%dT%H:%M:%S%z"])


@click.group()
def recall() -> None:
    """Recalls: draft, announce, tell the holders, close the sums."""


@recall.command("create")
@click.option("--category", required=True, help="Category of the goods, such as food.")
@click.option("--class", "level", type=click.IntRange(1, 3), required=True, help="1 is the gravest.")
@click.option("--batch", "batches", multiple=True, help="GTIN/LOT, also of an ingredient; several times.")
@click.option("--item", "items", multiple=True, help="URI of a single item; several times.")
@click.option("--site", default="", help="URI of a read point or location, with --since and --until.")
@click.option("--since", type=ZONED, default=None, help="Such as 2026-11-20T06:00:00+0800.")
@click.option("--until", type=ZONED, default=None)
@click.option("--notice-no", required=True)
@click.option("--authority", required=True)
@click.option("--reason", required=True, help="Why; the public page shows it.")
@click.option("--action", required=True, help="What consumers shall do.")
@click.option("--return-to", required=True)
@click.option("--phone", required=True)
@JSON
@click.pass_obj
def create(services: Services, /, *, as_json: bool, **given: Any) -> None:  # noqa: ANN401 – one argument an option
    """Draft a recall and work out what it affects; nobody outside sees it."""
    names = ("notice_no", "authority", "reason", "action", "return_to", "phone")
    scope = Scope(_batches(given["batches"]), given["items"], given["site"], given["since"], given["until"])
    row = operations.create(
        services.db,
        services.clock(),
        operator_name(),
        category=given["category"],
        level=given["level"],
        scope=scope,
        notice=Notice(**{name: given[name] for name in names}),
    )
    _print([wire.recall_json(row)], ("recall_id", "state", "version"), as_json=as_json)


@recall.command("announce")
@click.argument("recall_id")
@click.option("--reason", required=True, help="On what finding.")
@click.option("--order", is_flag=True, help="责令召回: by order of the authority.")
@JSON
@click.pass_obj
def announce(services: Services, recall_id: str, *, reason: str, order: bool, as_json: bool) -> None:
    """Make it public; another account than the one that drafted it."""
    row = operations.announce(services.db, services.clock(), operator_name(), recall_id, reason, order=order)
    _print([wire.recall_json(row)], ("recall_id", "state", "version"), as_json=as_json)


@recall.command("step")
@click.argument("recall_id")
@click.argument("step", type=click.Choice(["notify", "reconcile", "dispose", "close"]))
@click.option("--reason", default="", help="Needed when the sums do not close.")
@JSON
@click.pass_obj
def step(services: Services, recall_id: str, step: str, *, reason: str, as_json: bool) -> None:
    """Tell the holders, close the sums, dispose, close."""
    now, actor = services.clock(), operator_name()
    if step == "notify":
        row = operations.notify(services.db, now, actor, recall_id)
    else:
        row = operations.finish_step(services.db, now, actor, recall_id, RecallEvent(step), reason)
    _print([wire.recall_json(row)], ("recall_id", "state", "version"), as_json=as_json)


@recall.command("list")
@JSON
@click.pass_obj
def list_recalls(services: Services, *, as_json: bool) -> None:
    """All recalls, newest first."""
    rows = [wire.recall_json(row) for row in operations.list_recalls(services.db)]
    _print(rows, ("recall_id", "state", "level", "version", "created_at"), as_json=as_json)


@recall.command("show")
@click.argument("recall_id")
@click.option("--not-affected", is_flag=True, help="What is not affected, and why.")
@JSON
@click.pass_obj
def show(services: Services, recall_id: str, *, not_affected: bool, as_json: bool) -> None:
    """The affected things with where each is, or what is not affected."""
    if not_affected:
        found = operations.spared(services.db, recall_id)
        rows = [{"uri": row.uri, "reason": row.reason, "detail": row.detail} for row in found]
        _print(rows, ("uri", "reason", "detail"), as_json=as_json)
        return
    rows = [wire.affected_json(row) for row in operations.affected(services.db, recall_id)]
    _print(rows, ("uri", "status", "holder", "via"), as_json=as_json)


@recall.command("export")
@click.argument("recall_id")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@JSON
@click.pass_obj
def export(services: Services, recall_id: str, *, file: Path, as_json: bool) -> None:
    """trace-server recall export 3f… affected.xlsx

    Write the affected set as CSV or XLSX, by the ending of FILE.
    """
    known = {one.suffix: one for one in registry().values()}
    if file.suffix not in known:
        raise InputError(f"there is no format {file.suffix!r}", where="FILE", remedy=f"end it in {', '.join(known)}")
    operations.get(services.db, recall_id)
    with file.open("wb") as out:
        count = operations.export_affected(services.db, recall_id, known[file.suffix], out)
    _print([{"file": str(file), "rows": count}], ("file", "rows"), as_json=as_json)


@recall.command("notices")
@click.argument("recall_id")
@JSON
@click.pass_obj
def notices(services: Services, recall_id: str, *, as_json: bool) -> None:
    """The delivery list with the answers."""
    operations.get(services.db, recall_id)
    rows = [wire.notice_json(row) for row in operations.notices(services.db, recall_id=recall_id)]
    _print(rows, ("holder", "things", "sent_at", "answered_at"), as_json=as_json)


@recall.command("reconcile")
@click.argument("recall_id")
@JSON
@click.pass_obj
def reconcile(services: Services, recall_id: str, *, as_json: bool) -> None:
    """The sums by holder, and the milestones; changes nothing."""
    sums = wire.sums_json(operations.reconciliation(services.db, recall_id))
    periods = operations.milestones(services.db, recall_id, services.clock())
    if as_json:
        document = {"reconciliation": sums, "milestones": [wire.milestone_json(one) for one in periods]}
        print(json.dumps(document, ensure_ascii=False))
        return
    for name in ("affected", "by_status", "unanswered", "unaccounted", "shortfall_percent", "closes"):
        print(f"{name}\t{sums[name]}")
    for one in periods:
        print(f"{one.name}\tdue {one.due_at.isoformat()}\t{'late' if one.is_late else 'in time'}")


def _batches(texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = []
    for text in texts:
        gtin, _, lot = text.partition("/")
        if not lot:
            raise InputError(f"{text!r:.80} names no lot", where="--batch", remedy="write GTIN/LOT")
        found.append((gtin, lot))
    return tuple(found)


def _print(rows: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"items": rows}, ensure_ascii=False))
        return
    for row in rows:
        print("\t".join("" if row[name] is None else str(row[name]) for name in columns))


commands: list[click.Command] = [recall]
