"""`trace-server subscriptions list|retry`."""

from __future__ import annotations

import json
from uuid import UUID

import click

from trace_core.errors import InputError
from trace_server.services import Services, operator_name
from trace_server.subscriptions import operations, wire
from trace_server.subscriptions.model import Subscription, SubscriptionState

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def subscriptions() -> None:
    """Webhooks of standing queries, e.g. `trace-server subscriptions list --state dead`."""


@subscriptions.command("list")
@click.option("--state", type=click.Choice([state.value for state in SubscriptionState]), help="Only in this state.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@JSON
@click.pass_obj
def list_subscriptions(services: Services, *, state: str | None, limit: int, as_json: bool) -> None:
    """The newest first."""
    found = operations.list_all(services.db, SubscriptionState(state) if state else None, limit)
    if as_json:
        print(json.dumps([wire.operator_json(row) for row in found], ensure_ascii=False))
        return
    for row in found:
        print(_line(row))


@subscriptions.command("retry")
@click.argument("subscription_id")
@JSON
@click.pass_obj
def retry_subscription(services: Services, subscription_id: str, *, as_json: bool) -> None:
    """Deliver a dead one again from where it stopped, after its cause was mended."""
    row = operations.retry(services.db, services.clock(), operator_name(), _key(subscription_id))
    print(json.dumps(wire.operator_json(row), ensure_ascii=False) if as_json else _line(row))


def _line(row: Subscription) -> str:
    told = wire.operator_json(row)
    when = "stream" if row.is_stream else json.dumps(told["schedule"])
    notified = told.get("lastNotifiedAt", "-")
    return (
        f"{row.id}\t{row.query_name}\t{row.state}\t{when}\t{told['dest']}\t{row.failures} failures"
        f"\tlast delivery {notified}\t{row.last_failure}"
    )


def _key(text: str) -> bytes:
    try:
        return UUID(text).bytes
    except ValueError as error:
        raise InputError(f"{text!r:.80} is no subscription id", remedy="as `subscriptions list` gives them") from error


commands: list[click.Command] = [subscriptions]
