"""The standing half of the EPCIS 2.0 query interface: subscriptions by webhook, and queries over WebSocket."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec
from apiflask import APIBlueprint
from flask import Response, request
from werkzeug.exceptions import NotAcceptable, UnsupportedMediaType

from trace_server.accounts.access import current_client, permission
from trace_server.ingest import exceptions, negotiation
from trace_server.ingest.rules import MAX_DEPTH, reject_shape
from trace_server.problems import MEDIA_TYPE
from trace_server.query import operations as queries
from trace_server.query.api import NAME
from trace_server.query.model import NamedQuery, NoSuchName, QueryInvalid
from trace_server.query.values import count, moment
from trace_server.services import services
from trace_server.subscriptions import live, operations, wire
from trace_server.subscriptions.addresses import parse_hosts
from trace_server.subscriptions.delivery import TOKEN_PURPOSE
from trace_server.subscriptions.model import NoSuchSubscription, SubscriptionInvalid, SubscriptionsBusy
from trace_server.subscriptions.schedule import FIELDS, parse_schedule
from trace_server.users.rules import seal

blueprint = APIBlueprint("subscriptions", __name__, url_prefix="/api/v1/queries", tag="Query")

MAX_BODY: Final = 20_000
PER_PAGE: Final = 30
MAX_PER_PAGE: Final = 1000
_CONTROLS: Final = frozenset({"stream", "reportIfEmpty", "initialRecordTime", *FIELDS})


@blueprint.post("/<name>/subscriptions")
@permission("events:read")
@blueprint.doc(summary="Subscribe to a named query by webhook", responses=[201, 400, 404, 406, 409, 413, 415, 503])
def subscribe(name: str) -> Response:
    """`{"dest": "https://…", "signatureToken": "…", "stream": true}` or a `schedule`; `Location` is its address."""
    named = _named(name)
    outside = services()
    operations.require_subscribable(named)
    row, token = wire.read_subscription(
        _body(),
        named,
        _owner(),
        outside.clock(),
        parse_hosts(outside.settings.webhook_hosts),
        negotiation.epc_format(request.headers),
    )
    if token:
        sealed = seal(token, outside.settings.derived_key(TOKEN_PURPOSE))
        row = dataclasses.replace(row, sealed_token=sealed)
    operations.subscribe(outside.db, row)
    response = _json(wire.subscription_json(row), 201)
    response.headers["Location"] = f"/api/v1/queries/{quote(name, safe='')}/subscriptions/{row.id}"
    return response


@blueprint.get("/<name>/subscriptions")
@permission("events:read")
@blueprint.doc(summary="One's own subscriptions to a query", responses=[200, 400, 404, 406, 503])
def list_subscriptions(name: str) -> Response:
    """In pages by `Link: rel="next"`."""
    for given in request.args:
        if given not in ("perPage", "nextPageToken"):
            raise QueryInvalid(f"{given!r:.100} is no parameter here", where=given[:200])
    limit = count(request.args, "perPage") or PER_PAGE
    if limit > MAX_PER_PAGE:
        raise QueryInvalid("the page is too long", where="perPage", remedy=f"at most {MAX_PER_PAGE}")
    token = request.args.get("nextPageToken", "")
    try:
        after = UUID(token).bytes if token else bytes(16)
    except ValueError as error:
        raise QueryInvalid(
            "this is no page token of this server", where="nextPageToken", remedy="follow Link: rel=next"
        ) from error
    found = operations.list_of(services().db, _named(name), _owner(), after, limit + 1)
    response = _json([wire.subscription_json(row) for row in found[:limit]])
    if len(found) > limit:
        rest = urlencode({"perPage": limit, "nextPageToken": found[limit - 1].id})
        response.headers["Link"] = f'<{quote(request.path, safe="/")}?{rest}>; rel="next"'
    return response


@blueprint.get("/<name>/subscriptions/<subscription_id>")
@permission("events:read")
@blueprint.doc(summary="One subscription and how its deliveries go", responses=[200, 404, 406, 503])
def show_subscription(name: str, subscription_id: str) -> Response:
    """Without its token; `lastFailure` says why the receiver was not reached."""
    found = operations.find(services().db, _named(name), _owner(), _key(subscription_id))
    return _json(wire.subscription_json(found))


@blueprint.delete("/<name>/subscriptions/<subscription_id>")
@permission("events:read")
@blueprint.doc(summary="End a subscription", responses=[204, 404, 503])
def unsubscribe(name: str, subscription_id: str) -> Response:
    """A delivery under way may still arrive."""
    outside = services()
    operations.unsubscribe(outside.db, outside.clock(), _named(name), _owner(), _key(subscription_id))
    return Response(status=204)


@blueprint.route("/<name>/events", websocket=True)
@permission("events:read")
@blueprint.doc(hide=True)
def watch(name: str) -> Response:
    """`/queries/{name}/events` with `Upgrade: websocket`; without it the address is the query interface's."""
    named = _named(name)
    found = _watch(named)
    outside = services()
    with live.SOCKETS.one_more(max(1, outside.settings.threads // 2)) as has_room:
        if not has_room:
            raise SubscriptionsBusy("too many WebSockets are open", remedy="connect again later, or take a webhook")
        try:
            talk = live.accept(request.environ)
        except RuntimeError as error:
            raise NotAcceptable("this web server has no WebSockets") from error
        live.report(talk, outside, found, live.SOCKETS.is_serving)
    return _Ended(status=101)


class _Ended(Response):
    """The connection is closed already: nothing may be written to it."""

    def __call__(self, *_: object) -> Any:  # noqa: ANN401
        raise StopIteration  # gunicorn's word for a socket that somebody else has taken over


@blueprint.after_request
def _name_errors(response: Response) -> Response:
    """The standard's headers on every answer; on a problem the standard's name of it as `type`."""
    headers, response.status_code = negotiation.told(request.method, response.status_code)
    response.headers.update(headers)
    if response.mimetype == MEDIA_TYPE:
        response.set_data(exceptions.named(response.status_code, response.get_data()))
    return response


def _watch(named: NamedQuery) -> live.Watch:
    given = request.args
    for name in given:
        if name not in _CONTROLS:
            raise SubscriptionInvalid(f"{name!r:.100} is no parameter here", where=name[:200])
    fields = {name: given[name] for name in FIELDS if name in given}
    stream, report = given.get("stream", "false"), given.get("reportIfEmpty", "false")
    for name, text in (("stream", stream), ("reportIfEmpty", report)):
        if text not in ("true", "false"):
            raise SubscriptionInvalid("the value must be true or false", where=name)
    schedule = wire.read_schedule(stream == "true", fields or None)
    initial = given.get("initialRecordTime")
    operations.require_subscribable(named)
    return live.Watch(
        named=named,
        schedule=parse_schedule(schedule) if schedule else None,
        report_if_empty=report == "true",
        initial=None if initial is None else moment("initialRecordTime", initial),
        epc_format=negotiation.epc_format(request.headers),
    )


def _body() -> Mapping[str, Any]:
    if request.mimetype not in negotiation.JSON_TYPES:
        raise UnsupportedMediaType
    request.max_content_length = MAX_BODY
    try:
        body = msgspec.json.decode(request.get_data(cache=False))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SubscriptionInvalid(f"the body is not JSON: {error}"[:200], remedy="send UTF-8 JSON") from error
    wrong = reject_shape(body, MAX_DEPTH) if isinstance(body, (dict, list)) else None
    if wrong is not None:
        raise SubscriptionInvalid(wrong.what, where=wrong.where, remedy=wrong.remedy)
    if not isinstance(body, dict):
        raise SubscriptionInvalid("the body is no object")
    return body


def _named(name: str) -> NamedQuery:
    if not NAME.match(name):
        raise NoSuchName("there is no query of that name", where=name[:200])
    return queries.find_named(services().db, name)


def _owner() -> str:
    return f"client:{current_client().client_id}"


def _key(text: str) -> bytes:
    try:
        return UUID(text).bytes
    except ValueError as error:
        raise NoSuchSubscription("there is no such subscription", where="subscriptionID") from error


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status=status, mimetype=negotiation.JSON)
