"""HTML routes of the public: the code page, a form to type a code, and how to tell the official address.

A code page goes through numbered steps, the cheap and the certain first:
1. read the path; 2. the address' allowance; 3. the signature; 4. the code's allowance; 5. count and compare the
stamp; 6. the kept page, or a new one. What fails says so in words, and never with an empty page.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import cast
from urllib.parse import quote, urlsplit

from flask import Blueprint, Flask, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState

from trace_core.errors import IdentifierError, InputError
from trace_server import languages
from trace_server.accounts.access import public
from trace_server.catalog.operations import item_key
from trace_server.catalog.profiles import CategoryProfile, load_profiles
from trace_server.config import Settings
from trace_server.db import Database, DatabaseAway
from trace_server.portal import codes, operations, rules, words
from trace_server.portal.callers import Callers
from trace_server.portal.keeping import Keeping, Kept
from trace_server.portal.limits import FORMS, Limits, network
from trace_server.portal.model import Code, Queries, Verdict
from trace_server.portal.rendering import COUNT_MARK, Halves, Renderer
from trace_server.portal.signature import CodeKeys, read_typed
from trace_server.portal.store import Counter
from trace_server.problems import Problem, render_pages_with
from trace_server.recall import announced
from trace_server.services import EXTENSION, services

PORTAL = "suyuan_portal"
NOT_FOUND_S = 0.03
"""Every "no such code" leaves this long after it came: forged and unknown codes cannot be told apart by time."""
LIGHT_MAX_AGE_S = 60.0
"""A kept verdict may answer a caller over the limit for this long after it was last found true."""
RETRY_AFTER_S = "60"
DATABASE_RETRY_S = "30"
HOME_RECALLS = 3
"""Newest open recalls that the home page names."""

blueprint = Blueprint("portal", __name__)


@dataclass(slots=True)
class Portal:
    """What the public pages need, made once per application."""

    keys: CodeKeys
    renderer: Renderer
    profiles: dict[str, CategoryProfile]
    policy: str
    limits: Limits = field(default_factory=Limits)
    forms: Limits = field(default_factory=lambda: Limits(per_address=FORMS))
    callers: Callers = field(default_factory=Callers)
    keeping: Keeping = field(default_factory=Keeping)
    _counter: Counter | None = None

    def counter(self, db: Database) -> Counter:
        """The counter over `db`."""
        if self._counter is None or self._counter.db is not db:
            self.close()
            self._counter = Counter(db)
        return self._counter

    def close(self) -> None:
        """Close the counter's connections."""
        if self._counter is not None:
            self._counter.dispose()


def makeportal(settings: Settings, templates: Path) -> Portal:
    """Raises `ConfigError` for code keys that cannot be used."""
    renderer = Renderer(templates, urlsplit(settings.public_url).netloc)
    policy = (
        f"default-src 'none'; style-src 'sha256-{renderer.style_hash}'; img-src data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return Portal(CodeKeys.parse(settings.code_secret), renderer, load_profiles(), policy)


@blueprint.record
def _set_up(state: BlueprintSetupState) -> None:
    settings: Settings = state.app.extensions[EXTENSION].settings
    state.app.extensions[PORTAL] = makeportal(settings, Path(str(state.app.template_folder)))
    render_pages_with(cast("Flask", state.app), _problem_page)


@blueprint.get("/01/<path:rest>")
@public
def code_page(rest: str) -> Response:  # noqa: ARG001 – the path is read as it was sent, see `codes`
    """The page of one printed code."""
    started = time.monotonic()
    portal = the_portal()
    language = language_of_request()
    try:
        _refuse_doubles()
        code = codes.from_path(_raw_path())
    except (InputError, IdentifierError):
        return _message(Verdict.UNKNOWN, "malformed", language, 400)
    signature = read_typed(request.args.get("s", "")[:32])
    if not portal.limits.admits_address(request.remote_addr or "", started):
        return _over_limit(portal, code, signature, language, started)
    if not portal.keys.verifies(signature, code.uri):
        return _unknown(code, signature, language, started)
    if not portal.limits.admits_code(_item(code), started):
        return _over_limit(portal, code, signature, language, started)
    try:
        return _answer(portal, code, signature, language, started) or _unknown(code, signature, language, started)
    except DatabaseAway:
        switch = switch_to(code.path, language, signature)
        page = portal.renderer.verdict_message(Verdict.UNAVAILABLE, "unavailable", language, switch=switch, code=code)
        return html(page, language, 503, retry_after=DATABASE_RETRY_S)


@blueprint.get("/")
@public
def home() -> Response:
    """What anybody can do here, the code of what they hold first; it needs no database."""
    language = language_of_request()
    return html(_home(language), language)


@blueprint.get("/find")
@public
def find() -> Response:
    """From what was typed to the page of the code; nothing typed is lost."""
    language = language_of_request()
    typed, typed_signature = request.args.get("code", "")[:300], request.args.get("s", "")[:40]
    try:
        _refuse_doubles()
        code, signature = codes.from_typed(typed, typed_signature)
    except (InputError, IdentifierError):
        return html(_home(language, typed, typed_signature, field_error="code"), language, 400)
    target = f"{code.path}?s={quote(read_typed(signature)[:32], safe='')}"
    if language != languages.SOURCE:
        target += f"&lang={language}"
    return finish(Response(status=303, headers={"Location": target}), language)


@blueprint.get("/how-to-check")
@public
def how_to_check() -> Response:
    """How to tell the official address from a copy."""
    language = language_of_request()
    return html(the_portal().renderer.page("guide", language, switch=switch_to("/how-to-check", language)), language)


def _home(language: str, typed: str = "", typed_signature: str = "", *, field_error: str = "") -> str:
    try:
        recalls = announced.newest(services().db, limit=HOME_RECALLS, is_open=True)
    except DatabaseAway:
        # The form still leads to what a signature alone proves.
        recalls = []
    switch = switch_to("/", language)
    typed_values = {"typed_code": typed, "typed_signature": typed_signature, "field_error": field_error}
    return the_portal().renderer.page("home", language, switch=switch, recalls=recalls, **typed_values)


@lru_cache(maxsize=4096)
def _item(code: Code) -> bytes:
    return item_key(code.gtin, code.serial)


def _answer(portal: Portal, code: Code, signature: str, language: str, started: float) -> Response | None:
    """Steps 5 and 6; None when there is no such product."""
    outside = services()
    now = outside.clock()
    today, _ = operations.local_day_and_hour(now)
    # A preview (HEAD) is nobody who holds the goods.
    is_caller = request.method == "GET" and portal.callers.is_new(_item(code), network(request.remote_addr or ""), now)
    kept = portal.keeping.get(code.path)
    queries: Queries | None = None
    if kept is not None:
        queries, stamp = operations.count_known(
            portal.counter(outside.db), kept.gathered.subjects, now, callers=int(is_caller)
        )
        if stamp != kept.gathered.stamp or kept.day != today:
            kept = None
    if kept is None:
        gathered = operations.gather(outside.db, portal.profiles, code, today)
        if gathered is None:
            portal.keeping.drop(code.path)
            return None
        kept = Kept(today, gathered, started)
        if gathered.stamp is not None:
            portal.keeping.put(code.path, kept)
    if queries is None:
        queries = operations.count_query(portal.counter(outside.db), code, now, callers=int(is_caller))
    kept.checked_s = started
    many = kept.many_queries = rules.is_queried_too_often(queries)
    halves = kept.halves.get((language, many))
    if halves is None:
        halves = Halves.of(_render(portal, kept, code, signature, language, many=many))
        kept.halves[language, many] = halves
    count = portal.renderer.count(queries, language, many=many)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return finish(Response(halves.gzipped(count), 200, {"Content-Encoding": "gzip"}), language)
    return finish(Response(halves.plain(count)), language)


def _render(portal: Portal, kept: Kept, code: Code, signature: str, language: str, *, many: bool) -> str:
    verdict, reason = rules.judge(kept.gathered.facts, many_queries=many)
    switch = switch_to(code.path, language, signature)
    return portal.renderer.code_page(kept.gathered, verdict, reason, language, switch=switch)


def _unknown(code: Code, signature: str, language: str, started: float) -> Response:
    switch = switch_to(code.path, language, signature)
    page = the_portal().renderer.verdict_message(
        Verdict.UNKNOWN, "unknown", language, switch=switch, code=code, typed=(code.readable, signature)
    )
    response = html(page, language, 404)
    time.sleep(max(0.0, started + NOT_FOUND_S - time.monotonic()))
    return response


def _over_limit(portal: Portal, code: Code, signature: str, language: str, now_s: float) -> Response:
    switch = switch_to(code.path, language, signature)
    kept = portal.keeping.get(code.path) if portal.keys.verifies(signature, code.uri) else None
    if kept is None or now_s - kept.checked_s > LIGHT_MAX_AGE_S:
        page = portal.renderer.verdict_message(Verdict.UNAVAILABLE, "busy", language, switch=switch, code=code)
    else:
        verdict, reason = rules.judge(kept.gathered.facts, many_queries=kept.many_queries)
        page = portal.renderer.code_page(kept.gathered, verdict, reason, language, switch=switch, light=True)
    return html(page.replace(COUNT_MARK, ""), language, 429, retry_after=RETRY_AFTER_S)


def _message(verdict: Verdict, explain: str, language: str, status: int) -> Response:
    page = the_portal().renderer.verdict_message(verdict, explain, language, switch=switch_to("/", language))
    return html(page, language, status)


def _problem_page(problem: Problem) -> Response:
    """Errors outside the API, also those of paths that nobody serves."""
    language = language_of_request()
    status = problem.kind.status
    heading, sentence = words.PROBLEMS.get(status, words.PROBLEMS[500 if status >= 500 else 400])
    renderer = the_portal().renderer
    page = renderer.page(
        "problem",
        language,
        switch=switch_to("/", language),
        heading=renderer.translate(heading, language),
        sentence=renderer.translate(sentence, language),
        request_id=str(g.get("request_id", "")) if status >= 500 else "",
    )
    response = html(page, language, status)
    response.headers.update(problem.headers)
    return response


def the_portal() -> Portal:
    portal: Portal = current_app.extensions[PORTAL]
    return portal


def language_of_request() -> str:
    chosen = languages.from_parameter(request.args.get("lang", ""))
    return chosen or languages.preferred(request.headers.get("Accept-Language", ""))


def switch_to(path: str, language: str, signature: str = "") -> str:
    other = "zh-CN" if language == "en" else "en"
    return f"{path}?s={quote(signature, safe='')}&lang={other}" if signature else f"{path}?lang={other}"


def _raw_path() -> str:
    environ = request.environ
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw is None:  # a server that keeps only the decoded path; an encoded slash then has too many parts
        return quote(request.path, safe="/")
    path: str = raw.split("?", 1)[0]
    return urlsplit(path).path if "://" in path else path


def _refuse_doubles() -> None:
    """A parameter given twice could be read as one by us and as the other by what stands in front of us."""
    for name in ("s", "lang", "code"):
        if len(request.args.getlist(name)) > 1:
            raise InputError(f"the parameter {name} is given twice", where=name)


def html(page: str, language: str, status: int = 200, *, retry_after: str = "") -> Response:
    response = Response(page, status)
    if retry_after:
        response.headers["Retry-After"] = retry_after
    return finish(response, language)


def finish(response: Response, language: str) -> Response:
    response.headers.extend(
        (
            ("Content-Language", language),
            # The count is of this moment: a stored copy would tell the next buyer an old number.
            ("Cache-Control", "no-store"),
            ("Vary", "Accept-Language, Accept-Encoding"),
            ("Content-Security-Policy", the_portal().policy),
        )
    )
    return response
