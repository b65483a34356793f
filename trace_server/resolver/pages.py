"""Public routes of the resolver: every GS1 key as a path on our host.

`/01/…/10/…/21/…` with its signature is the code page, which is the portal's; the resolver answers for it only when
links are asked for. Everything else of `/01/…` and the other keys is answered here: 307 to the link that fits, the
linkset, or a page of ours.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, json, request

from trace_core.errors import IdentifierError, InputError, NotFound, TraceError
from trace_core.ids import digital_link
from trace_core.ids.application_identifiers import QUALIFIERS
from trace_core.ids.digital_link import DigitalLink
from trace_server import languages
from trace_server.accounts.access import public
from trace_server.portal.operations import local_day_and_hour
from trace_server.portal.pages import PORTAL, Portal
from trace_server.portal.rules import judge_equipment
from trace_server.problems import describe, problem_response
from trace_server.resolver import operations, rules
from trace_server.resolver.model import VOCABULARY, Link, Resolved, Wanted
from trace_server.resolver.operations import Thing
from trace_server.services import services

blueprint = Blueprint("resolver_pages", __name__)

KEYS = tuple(sorted(QUALIFIERS))
CODE_PARTS = 7
"""`/01/gtin/10/lot/21/serial` in parts: the printed code."""
MAX_AGE_S = 60
CONTEXT = '<https://ref.gs1.org/standards/resolver/linkset-context>; rel="http://www.w3.org/ns/json-ld#context"'
OURS = frozenset({"linkType", "lang"})
"""Parameters meant for the resolver: not passed on."""


@blueprint.before_app_request
def _answer_goods() -> Response | None:
    """`/01/…` belongs to the portal; what is no printed code, or asks for links, is taken out of its way."""
    path = request.path
    if not path.startswith("/01/") or request.method not in ("GET", "HEAD"):
        return None
    is_code = path.count("/") == CODE_PARTS - 1 and path.split("/")[3::2] == ["10", "21"]
    if is_code and b"linkType" not in request.query_string and not _prefers_data():
        return None
    try:
        return _resolve()
    except IdentifierError:
        return None  # the portal has a form for codes that were misread


def _key_page(rest: str) -> Response:  # noqa: ARG001 – the path is read as it was sent
    """A GS1 key that is no trade item: logistic unit, asset, place, document, …"""
    return _resolve()


for _key in KEYS:
    if _key != "01":
        blueprint.add_url_rule(f"/{_key}/<path:rest>", f"key_{_key}", public(_key_page), methods=["GET"])


@blueprint.get("/.well-known/gs1resolver")
@public
def description() -> Response:
    """Resolver description file (GS1-Conformant Resolver Standard)."""
    root = services().settings.public_url
    body = {
        "name": "Suyuan 溯源",
        "resolverRoot": root,
        "supportedPrimaryKeys": ["all"],
        "linkTypeDefaultCanBeLinkset": False,
        "supportedContextValuesEnumerated": [],
        "supportedLinkTypes": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
        "validates": True,
    }
    return _open(Response(json.dumps(body), mimetype="application/json"))


def _resolve() -> Response:
    try:
        return _answer()
    except TraceError as error:
        if not (_prefers_data() or "linkType" in request.args):
            raise
        return _open(problem_response(describe(error)))


def _answer() -> Response:
    outside = services()
    language = _language()
    for name in ("linkType", "lang", "s"):
        if len(request.args.getlist(name)) > 1:
            raise InputError(f"the parameter {name} is given twice", where=name)
    parsed = digital_link.parse(f"https://resolver.invalid{_raw_path()}")
    key = DigitalLink(parsed.primary, parsed.qualifiers)
    thing = operations.look_up(outside.db, key, local_day_and_hour(outside.clock())[0])
    found = operations.resolve(outside.db, outside.settings.public_url, thing, language)
    wanted = _wanted(language)
    address = outside.settings.public_url + key.path
    if wanted.is_linkset:
        if not found.links:
            raise NotFound("nothing is known of this code", where="path")
        return _linkset(found, address)
    if not wanted.link_type and (thing.is_known or not any(link.is_default for link in found.links)):
        return _page(thing, found, language, address)
    chosen = rules.choose(found, wanted)
    if len(chosen) > 1:
        return _several(chosen, found, address)
    response = Response(status=307)
    response.headers["Location"] = rules.forwarded(chosen[0], _passed_on())
    return _open(response, found, address)


def _linkset(found: Resolved, address: str, status: int = 200) -> Response:
    body = json.dumps(rules.linkset(found))
    response = _open(Response(body, status, content_type=rules.LINKSET_TYPE), found, address)
    response.headers["Link"] += f", {CONTEXT}"
    return response


def _several(chosen: list[Link], found: Resolved, address: str) -> Response:
    """300: links that fit equally well; the caller chooses."""
    return _linkset(Resolved(found.anchor, found.description, tuple(chosen)), address, 300)


def _page(thing: Thing, found: Resolved, language: str, address: str) -> Response:
    portal: Portal = current_app.extensions[PORTAL]
    path = thing.link.path
    other = "zh-CN" if language == "en" else "en"
    own = services().settings.public_url + path
    html = portal.renderer.page(
        "thing",
        language,
        switch=f"{path}?lang={other}",
        thing=thing,
        equipment=thing.equipment,
        judged=judge_equipment(thing.equipment) if thing.equipment is not None else None,
        kind=thing.link.primary[0],
        readable="".join(f"({ai}){value}" for ai, value in (thing.link.primary, *thing.link.qualifiers)),
        links=[link for link in found.links if not link.href.startswith(own) and link.link_type != "epcis"],
        typed_code="",
        typed_signature="",
        field_error="",
    )
    response = _open(Response(html, 200 if thing.is_known or found.links else 404), found, address)
    response.headers["Content-Language"] = language
    response.headers["Content-Security-Policy"] = portal.policy
    return response


def _wanted(language: str) -> Wanted:
    asked = request.args.get("linkType", "")
    media = tuple(value for value, _ in request.accept_mimetypes)[:16]
    # "all" is what resolvers before 1.1 called it.
    if asked in ("linkset", "all") or (not asked and _prefers_data()):
        return Wanted(is_linkset=True)
    spoken = tuple(dict.fromkeys((language, *(value for value, _ in request.accept_languages))))[:8]
    return Wanted(rules.link_type(asked) if asked else "", spoken, media)


def _prefers_data() -> bool:
    accepted = request.headers.get("Accept", "")
    if "json" not in accepted:
        return False
    best = request.accept_mimetypes.best_match(("text/html", rules.LINKSET_TYPE, "application/json"))
    return best in (rules.LINKSET_TYPE, "application/json")


def _passed_on() -> str:
    raw = request.query_string.decode("ascii", "replace")
    return "&".join(part for part in raw.split("&") if part and part.split("=", 1)[0] not in OURS)


def _open(response: Response, found: Resolved | None = None, address: str = "") -> Response:
    """Headers of a public answer: readable from any page, and no older than a minute."""
    if found is not None:
        response.headers["Link"] = rules.link_header(found, address)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "Link"
    response.headers["Vary"] = "Accept, Accept-Language"
    known = response.status_code in (200, 300, 307)
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}" if known else "no-store"
    return response


def _language() -> str:
    chosen = languages.from_parameter(request.args.get("lang", ""))
    return chosen or languages.preferred(request.headers.get("Accept-Language", ""))


def _raw_path() -> str:
    """The path as the browser sent it: decoded part by part later, so that `%2F` in a lot stays a part of it."""
    environ = request.environ
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw is None:
        return digital_link_path(request.path)
    path: str = raw.split("?", 1)[0]
    return urlsplit(path).path if "://" in path else path


def digital_link_path(decoded: str) -> str:
    """A decoded path with its parts escaped again. Raises `IdentifierError` when it cannot have been a link."""
    if not decoded.isprintable():
        raise IdentifierError("the address has invisible characters", where="path")
    return "/".join(digital_link.escape(part) for part in decoded.split("/"))
