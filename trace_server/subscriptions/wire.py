"""Subscriptions in JSON: as clients send them, as they and operators see them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from trace_core.epcis.json_writer import write_time
from trace_server.epcis_xml.spelling import EpcFormat
from trace_server.query.model import NamedQuery
from trace_server.query.values import moment
from trace_server.subscriptions.addresses import read_target
from trace_server.subscriptions.model import Subscription, SubscriptionInvalid, SubscriptionState
from trace_server.subscriptions.schedule import FIELDS, parse_schedule

MEMBERS: Final = frozenset(
    {"dest", "signatureToken", "secret", "stream", "schedule", "reportIfEmpty", "initialRecordTime", "epcFormat"}
)
"""`secret` is what the OpenAPI document of the standard calls signatureToken in one place."""
MIN_TOKEN: Final = 16
MAX_TOKEN: Final = 256


def read_subscription(
    body: Mapping[str, Any], named: NamedQuery, owner: str, now: datetime, hosts: frozenset[str], epc_format: EpcFormat
) -> tuple[Subscription, str]:
    """A new subscription as its client sent it, and its signatureToken, still unsealed.

    Raises `SubscriptionInvalid` with the member's name in `where`.
    """
    for name in body:
        if name not in MEMBERS:
            raise SubscriptionInvalid(f"{name!r:.80} is no member of a subscription", where=name[:200])
    dest = body.get("dest")
    if not isinstance(dest, str):
        raise SubscriptionInvalid("the destination is missing", where="dest", remedy="an https URL")
    read_target(dest, hosts)
    schedule = read_schedule(body.get("stream", False), body.get("schedule"))
    report_if_empty = body.get("reportIfEmpty", False)
    if not isinstance(report_if_empty, bool):
        raise SubscriptionInvalid("the value must be true or false", where="reportIfEmpty")
    if report_if_empty and not schedule:
        raise SubscriptionInvalid("reportIfEmpty needs a schedule", where="reportIfEmpty")
    wanted = body.get("epcFormat", epc_format.value)
    if wanted not in set(EpcFormat):
        raise SubscriptionInvalid("there is no such format", where="epcFormat", remedy=", ".join(EpcFormat))
    initial = body.get("initialRecordTime")
    made = Subscription(
        subscription_key=secrets.token_bytes(16),
        query_name=named.name,
        query_made_at=named.created_at,
        owner=owner,
        created_at=now,
        dest=dest,
        sealed_token="",
        is_stream=not schedule,
        schedule=schedule,
        report_if_empty=report_if_empty,
        epc_format=wanted,
        initial_record_time=None if initial is None else moment("initialRecordTime", initial),
        parameters=named.parameters,
        context=named.context,
        state=SubscriptionState.ACTIVE,
        next_due=parse_schedule(schedule).next_after(now) if schedule else now,
    )
    return made, _token(body)


def read_schedule(is_stream: object, schedule: object) -> dict[str, str]:
    """The fields of the schedule, {} for a stream. Exactly one of both is given."""
    if is_stream not in (True, False):
        raise SubscriptionInvalid("the value must be true or false", where="stream")
    if is_stream and schedule is not None:
        raise SubscriptionInvalid("stream and schedule exclude each other", where="stream")
    if is_stream:
        return {}
    if not isinstance(schedule, Mapping):
        raise SubscriptionInvalid(
            "neither stream nor schedule says when to report", where="stream",
            remedy=f'"stream": true, or a schedule of {", ".join(FIELDS)}',
        )  # fmt: skip
    parse_schedule(schedule)
    return {name: str(value) for name, value in schedule.items()}


def subscription_json(row: Subscription) -> dict[str, Any]:
    """For its client: never the token."""
    found: dict[str, Any] = {
        "subscriptionID": row.id,
        "dest": row.dest,
        "createdAt": write_time(row.created_at),
        "epcFormat": row.epc_format,
        "state": row.state.value,
        "failures": row.failures,
        "lastFailure": row.last_failure or None,
    }
    found |= {"stream": True} if row.is_stream else {
        "schedule": dict(row.schedule), "reportIfEmpty": row.report_if_empty, "nextRun": write_time(row.next_due),
    }  # fmt: skip
    for name, value in (
        ("initialRecordTime", row.initial_record_time),
        ("minRecordTime", row.last_run_at or row.initial_record_time),
        ("lastNotifiedAt", row.last_notified_at),
    ):
        if value is not None:
            found[name] = write_time(value)
    return found


def operator_json(row: Subscription) -> dict[str, Any]:
    """For who runs the server: the host of the receiver only, a path may be a secret of the client."""
    host = row.dest.partition("://")[2].partition("/")[0].partition("?")[0]
    return {**subscription_json(row), "dest": host, "query": row.query_name, "owner": row.owner,
            "nextDue": write_time(row.next_due)}  # fmt: skip


def _token(body: Mapping[str, Any]) -> str:
    token = body.get("signatureToken", body.get("secret", ""))
    if not isinstance(token, str) or (token and not MIN_TOKEN <= len(token) <= MAX_TOKEN):
        raise SubscriptionInvalid(
            "the token is too short, too long or no text", where="signatureToken",
            remedy=f"{MIN_TOKEN} to {MAX_TOKEN} characters from a random source",
        )  # fmt: skip
    return token
