"""The query half of the EPCIS 2.0 REST binding, beside the capture half (`ingest.api`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from apiflask import APIBlueprint
from flask import Response, request
from werkzeug.exceptions import NotAcceptable, UnsupportedMediaType

from trace_core.epcis.cbv import BIZ_STEPS, DISPOSITIONS
from trace_core.epcis.event import EVENT_TYPES, SUYUAN_NAMESPACE
from trace_core.epcis.jsonld import STANDARD, STANDARD_CONTEXT, Context
from trace_core.errors import EventError, NotFound
from trace_core.ids.canonical import canonical_uri
from trace_server.accounts.access import current_client, permission
from trace_server.epcis_xml.spelling import spelled
from trace_server.ingest import exceptions, negotiation, representation
from trace_server.ingest.rules import MAX_DEPTH, reject_shape
from trace_server.masterdata.operations import StoredMasterData
from trace_server.problems import MEDIA_TYPE
from trace_server.query import operations, store
from trace_server.query.model import NamedQuery, NoSuchName, Page, Query, QueryInvalid
from trace_server.query.parameters import parse_query
from trace_server.query.tokens import PURPOSE, read_mark, read_token, write_mark, write_token
from trace_server.query.values import count
from trace_server.query.wire import OTHERS, EventsIn, PagesIn
from trace_server.services import services

blueprint = APIBlueprint("query", __name__, url_prefix="/api/v1", tag="Query")

ROOT: Final = ("capture", "events", "eventTypes", "epcs", "bizSteps", "bizLocations", "readPoints", "dispositions",
               "queries")  # fmt: skip
PARAMETER_OF: Final[Mapping[str, str]] = {
    "eventTypes": "eventType",
    "epcs": "MATCH_anyEPC",
    "bizSteps": "EQ_bizStep",
    "bizLocations": "EQ_bizLocation",
    "readPoints": "EQ_readPoint",
    "dispositions": "EQ_disposition",
}
"""Resource → the parameter that its `/events` adds."""
VOCABULARIES: Final = {"bizSteps": BIZ_STEPS, "dispositions": DISPOSITIONS}
PER_PAGE: Final = 30
MAX_PER_PAGE: Final = 1000
MAX_QUERY_BYTES: Final = 100_000
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}\Z")
_EXTENSION: Final = re.compile(r"\s*([A-Za-z][\w.-]*)=(\S+?)\s*\Z")
_PAGING: Final = frozenset({"perPage", "nextPageToken"})
View = TypeVar("View", bound=Callable[..., Response])


def _each(path: str) -> Callable[[View], View]:
    """A route of this path below each resource."""

    def decorate(view: View) -> View:
        for resource in PARAMETER_OF:
            endpoint = f"{view.__name__}_{resource}"
            rule = blueprint.get(f"/{resource}{path}", endpoint=endpoint, merge_slashes=False)
            rule(view)
        return view

    return decorate


@blueprint.get("/")
@permission("events:read")
@blueprint.doc(summary="The resources of this EPCIS interface", responses=[200, 406, 503])
def root() -> Response:
    """Where to begin; OPTIONS of each says what the server speaks."""
    return _collection(list(ROOT))


@blueprint.get("/events")
@permission("events:read")
@blueprint.input(EventsIn, location="query")
@blueprint.doc(
    summary="Events that match a SimpleEventQuery, as EPCISQueryDocument in JSON or XML",
    description=OTHERS,
    responses=[200, 400, 406, 413, 414, 503],
)
def query_events(query_data: PagesIn) -> Response:
    """Every parameter of EPCIS 2.0 section 8.2.7.1, lists divided by `|`; `perPage`, `nextPageToken`."""
    del query_data  # shown to readers of the interface document; read below
    return _answer({}, _context())


@_each("")
@permission("events:read")
@blueprint.input(PagesIn, location="query")
@blueprint.doc(summary="Values of one resource that events have named", responses=[200, 400, 406, 503])
def list_resource(query_data: PagesIn) -> Response:
    """In pages by `Link: rel="next"`."""
    del query_data
    resource = _resource()
    _require_known(_PAGING)
    limit = _per_page()
    if resource == "eventTypes":
        return _collection(list(EVENT_TYPES))
    after = _mark(resource)
    with services().db.read() as conn:
        if resource == "epcs":
            found = store.epcs(conn, bytes.fromhex(after) or bytes(16), limit + 1)
            places, values = [key.hex() for key, _ in found], [uri for _, uri in found]
        else:
            places = values = store.values_of(conn, resource, after, limit + 1)
    token = write_mark(places[limit - 1], resource, _token_key()) if len(values) > limit else ""
    vocabulary = VOCABULARIES.get(resource)
    if vocabulary is None:
        epc_format = negotiation.epc_format(request.headers)
        return _collection([spelled(value, epc_format) for value in values[:limit]], token)
    return _collection([vocabulary.short(value) for value in values[:limit]], token)


@_each("/<path:value>")
@permission("events:read")
@blueprint.doc(summary="What can be asked of one value", responses=[200, 404, 406, 503])
def show_resource(value: str) -> Response:
    """404 when no event names it."""
    _require_value(_resource(), value)
    return _collection(["events"])


@_each("/<path:value>/events")
@permission("events:read")
@blueprint.input(PagesIn, location="query")
@blueprint.doc(
    summary="Events of one value, further narrowed by a query", responses=[200, 400, 404, 406, 413, 414, 503]
)
def resource_events(value: str, query_data: PagesIn) -> Response:
    """As `/events`, and only those events."""
    del query_data
    resource = _resource()
    _require_value(resource, value)
    return _answer({PARAMETER_OF[resource]: [value]}, _context())


@blueprint.post("/queries")
@permission("events:read")
@blueprint.doc(summary="Keep a query under a name", responses=[201, 400, 406, 409, 413, 415, 503])
def keep_query() -> Response:
    """`{"name": …, "query": {…}}`; `Location` is its address."""
    if request.mimetype not in negotiation.JSON_TYPES:
        raise UnsupportedMediaType
    request.max_content_length = MAX_QUERY_BYTES
    try:
        body = msgspec.json.decode(request.get_data(cache=False))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise QueryInvalid(f"the body is not JSON: {error}"[:200], remedy="send UTF-8 JSON") from error
    wrong = reject_shape(body, MAX_DEPTH) if isinstance(body, (dict, list)) else None
    if wrong is not None:
        raise QueryInvalid(wrong.what, where=wrong.where, remedy=wrong.remedy)
    name, query = (body.get("name"), body.get("query")) if isinstance(body, dict) else (None, None)
    if not isinstance(name, str) or not NAME.match(name):
        raise QueryInvalid("the name is missing or has other characters", where="name", remedy=NAME.pattern)
    if not isinstance(query, dict):
        raise QueryInvalid("the query is missing or no object", where="query")
    declared = [*_listed(body.get("@context")), *({p: u} for p, u in _extensions().items())]
    outside = services()
    owner = f"client:{current_client().client_id}"
    operations.keep(outside.db, NamedQuery(name, owner, outside.clock(), query, declared))
    response = _json({"name": name, "query": query}, 201)
    response.headers["Location"] = f"/api/v1/queries/{quote(name, safe='')}"
    return response


@blueprint.get("/queries")
@permission("events:read")
@blueprint.input(PagesIn, location="query")
@blueprint.doc(summary="Named queries", responses=[200, 400, 406, 503])
def list_queries(query_data: PagesIn) -> Response:
    """By name, in pages by `Link: rel="next"`."""
    del query_data
    _require_known(_PAGING)
    limit = _per_page()
    found = operations.list_named(services().db, _mark("queries"), limit + 1)
    response = _json([{"name": one.name, "query": one.parameters} for one in found[:limit]])
    if len(found) > limit:
        _link(response, write_mark(found[limit - 1].name, "queries", _token_key()))
    return response


@blueprint.get("/queries/<name>")
@permission("events:read")
@blueprint.doc(summary="What a named query asks", responses=[200, 404, 406, 503])
def show_query(name: str) -> Response:
    """Its parameters as they were given."""
    found = _named(name)
    return _json({"name": found.name, "query": found.parameters})


@blueprint.delete("/queries/<name>")
@permission("events:read")
@blueprint.doc(summary="Forget a named query", responses=[204, 403, 404, 503])
def forget_query(name: str) -> Response:
    """Only the client that made it may."""
    outside = services()
    operations.forget(outside.db, outside.clock(), f"client:{current_client().client_id}", _named(name).name)
    return Response(status=204)


@blueprint.get("/queries/<name>/events")
@permission("events:read")
@blueprint.input(PagesIn, location="query")
@blueprint.doc(summary="Events that match a named query", responses=[200, 400, 404, 406, 413, 414, 503])
def named_events(name: str, query_data: PagesIn) -> Response:
    """As `/events` with the parameters of the query; others may not be added."""
    del query_data
    found = _named(name)
    _require_known(_PAGING)
    return _answer(found.parameters, _declared(STANDARD, found.context))


@blueprint.delete("/nextPageToken/<token>")
@permission("events:read")
@blueprint.doc(summary="Release what a page token holds, which is nothing", responses=[204, 503])
def forget_token(token: str) -> Response:
    """Tokens carry their place in themselves: there is nothing to release, and the client has done its duty."""
    del token
    return Response(status=204)


@blueprint.after_request
def _name_errors(response: Response) -> Response:
    """The standard's headers on every answer; on a problem the standard's name of it as `type`."""
    headers, response.status_code = negotiation.told(request.method, response.status_code)
    response.headers.update(headers)
    if response.mimetype == MEDIA_TYPE:
        response.set_data(exceptions.named(response.status_code, response.get_data()))
    return response


def _answer(fixed: Mapping[str, object], context: Context) -> Response:
    """One page of the query in the URL and in `fixed`."""
    exceptions.require_short(request.path, request.query_string)
    _require_text()
    kind = negotiation.accepted(request.accept_mimetypes)
    epc_format = negotiation.epc_format(request.headers)
    parameters: dict[str, object] = {name: value for name, value in request.args.items() if name not in _PAGING}
    for name, value in fixed.items():
        if name in parameters:
            raise QueryInvalid("the address says this already", where=name, remedy="leave the parameter out")
        parameters[name] = value
    outside = services()
    key = _token_key()
    token = request.args.get("nextPageToken", "")
    after = read_token(token, parameters, key) if token else None
    limit = _per_page()
    with outside.db.read() as conn:
        query = parse_query(parameters, context, StoredMasterData(conn, outside.db.dialect))
        page = operations.run(conn, query, after=after, limit=limit)
    if kind in negotiation.XML_TYPES:
        cbv_format = negotiation.cbv_format(request.headers)
        body = representation.query_xml(page.events, outside.clock(), epc_format, cbv_format)
    else:
        body = representation.query_json(page.events, outside.clock(), epc_format)
    response = Response(body, mimetype=kind)
    response.headers["Vary"] = f"Accept, {negotiation.EPC_FORMAT}, {negotiation.CBV_FORMAT}"
    _lead_on(response, page, query, key)
    return response


def _resource() -> str:
    """The resource that this request's route is below."""
    return str(request.url_rule).removeprefix(f"{blueprint.url_prefix}/").partition("/")[0]


def _lead_on(response: Response, page: Page, query: Query, key: bytes) -> None:
    if page.after is not None:
        _link(response, write_token(page.after, query.parameters, key))


def _link(response: Response, token: str) -> None:
    given = {name: value for name, value in request.args.items() if name != "nextPageToken"}
    address = quote(request.path, safe="/")
    response.headers["Link"] = f'<{address}?{urlencode({**given, "nextPageToken": token})}>; rel="next"'


def _collection(members: list[str], token: str = "") -> Response:
    if negotiation.accepted(request.accept_mimetypes) in negotiation.XML_TYPES:
        raise NotAcceptable("this resource is application/json")
    response = _json({"@context": STANDARD_CONTEXT, "type": "Collection", "member": members})
    if token:
        _link(response, token)
    return response


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status=status, mimetype=negotiation.JSON)


def _named(name: str) -> NamedQuery:
    if not NAME.match(name):
        raise NoSuchName("there is no query of that name", where=name[:200])
    return operations.find_named(services().db, name)


def _require_text() -> None:
    """No text of the address holds NUL: PostgreSQL has no such character."""
    for text in (request.path, *request.args, *request.args.values()):
        if "\0" in text:
            raise QueryInvalid("a parameter holds the character NUL", remedy="leave it out")


def _require_value(resource: str, value: str) -> None:
    _require_text()
    vocabulary = VOCABULARIES.get(resource)
    wanted = vocabulary.uri(value) or value if vocabulary else canonical_uri(value)
    with services().db.read() as conn:
        if not operations.known(conn, resource, wanted):
            raise NotFound("no event names this", where=value[:200])


def _require_known(allowed: frozenset[str]) -> None:
    _require_text()
    for name in request.args:
        if name not in allowed:
            raise QueryInvalid(f"{name!r:.100} is no parameter here", where=name[:200])


def _per_page() -> int:
    found = count(request.args, "perPage")
    if found is not None and found > MAX_PER_PAGE:
        raise QueryInvalid("the page is too long", where="perPage", remedy=f"at most {MAX_PER_PAGE}")
    return found or PER_PAGE


def _mark(of: str) -> str:
    """The member of the collection `of` behind which this page begins; empty on the first."""
    token = request.args.get("nextPageToken", "")
    return read_mark(token, of, _token_key()) if token else ""


def _token_key() -> bytes:
    return services().settings.derived_key(PURPOSE)


def _context() -> Context:
    return _declared(STANDARD, [{prefix: uri} for prefix, uri in _extensions().items()])


def _extensions() -> dict[str, str]:
    """Prefixes in `GS1-Extensions: ex=https://example.com/,…`."""
    found = {"suyuan": SUYUAN_NAMESPACE}
    for entry in filter(None, request.headers.get("GS1-Extensions", "").split(",")):
        pair = _EXTENSION.match(entry)
        if pair is None:
            raise QueryInvalid(f"{entry!r:.100} is no prefix=namespace", where="GS1-Extensions")
        found[pair[1]] = pair[2]
    return found


def _declared(context: Context, value: object) -> Context:
    try:
        return context.extended(value, "@context")
    except EventError as error:
        raise QueryInvalid(error.what, where=error.where, remedy=error.remedy) from error


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 – any JSON
    return value if isinstance(value, list) else [] if value is None else [value]
