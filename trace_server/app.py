"""The web application: which blueprints it serves, and what every request gets whoever serves it."""

from __future__ import annotations

import importlib
import os
import re
import time
import uuid
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import structlog
from apiflask import APIFlask
from flask import Blueprint, Response, current_app, g, jsonify, request
from flask.json.provider import DefaultJSONProvider
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.middleware.proxy_fix import ProxyFix

from trace_core.errors import InputError, TraceError
from trace_core.uplink import KEY_ID_HEADER, SIGNATURE_HEADER
from trace_server.accounts.access import PUBLIC, SIGNED, UNLOGGED, declared_access, permission, public
from trace_server.config import Settings, load_settings
from trace_server.db import Database, migrate
from trace_server.problems import KINDS, MEDIA_TYPE, register_problems
from trace_server.services import EXTENSION, Services, open_services, services

BLUEPRINTS: tuple[str, ...] = (
    "trace_server.accounts.api",
    "trace_server.jobs.api",
    "trace_server.catalog.api",
    "trace_server.registers.api",
    "trace_server.masterdata.api",
    "trace_server.ingest.admission",
    "trace_server.ingest.api",
    "trace_server.query.api",
    "trace_server.subscriptions.api",
    "trace_server.detect.api",
    "trace_server.cases.api",
    "trace_server.trace.api",
    "trace_server.equipment.api",
    "trace_server.blocklist.api",
    "trace_server.recall.api",
    "trace_server.fleet.api",
    "trace_server.indications.api",
    "trace_server.shops.api",
    "trace_server.imports.api",
    "trace_server.exchange.api",
    "trace_server.exchange.pages",
    "trace_server.lists.api",
    "trace_server.repairs.api",
    "trace_server.policies.api",
    "trace_server.supervision.api",
    "trace_server.commitments.api",
    "trace_server.objections.api",
    "trace_server.portal.pages",
    "trace_server.portal.pages.reporting",
    "trace_server.users.pages",
    "trace_server.console.pages",
    "trace_server.desk.pages",
    "trace_server.resolver.api",
    "trace_server.resolver.pages",
    "trace_server.reports.api",
    "trace_server.publicity.pages",
)
"""Modules that offer a `blueprint`; a missing one is an error."""
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}\Z")
SLOW_S = 1.0
"""A request that took so long is logged whatever it was."""
MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter("suyuan_http_requests", "Requests answered", ["endpoint", "method", "status"])
SECONDS = Histogram("suyuan_http_request_seconds", "Time to answer", ["endpoint"])

log = structlog.get_logger(__name__)
blueprint = Blueprint("app", __name__)


def create_app(settings: Settings | None = None, db: Database | None = None) -> APIFlask:
    """The application on `settings` (default: the environment's) and `db` (default: the one they name)."""
    settings = settings or load_settings(os.environ)
    outside = Services(db, settings) if db else open_services(settings)
    app = APIFlask(
        __name__,
        title="Suyuan",
        version=version("suyuan"),
        spec_path="/openapi.json",
        openapi_blueprint_url_prefix="/api/v1",
        docs_path=None,
        static_folder=None,  # type: ignore[arg-type]  # Flask's "none"; APIFlask narrowed it
        template_folder=str(_templates()),
    )
    _configure(app, settings)
    public(app.view_functions["openapi.spec"])
    app.extensions[EXTENSION] = outside
    app.json = StrictJson(app)
    register_problems(app)
    app.before_request(_open_request)
    app.before_request(_check_request)
    app.after_request(_close_request)
    app.register_blueprint(blueprint)
    for name in BLUEPRINTS:
        app.register_blueprint(importlib.import_module(name).blueprint)
    app.spec_processor(lambda spec: _complete(app, cast("dict[str, Any]", spec)))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


class StrictJson(DefaultJSONProvider):
    """JSON as the standard has it: no NaN; nesting too deep to read is the sender's mistake, not a crash."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ANN401
        """Raises `ValueError` on everything that is not JSON."""
        try:
            return super().loads(s, parse_constant=_refuse_constant, **kwargs)
        except RecursionError as error:
            raise ValueError("the JSON is nested too deeply") from error


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """The database answers and has the schema this program needs."""
    try:
        migrate.require_current(services().db)
    except TraceError as error:
        log.warning("not ready", error=error.code)
        return jsonify(status="not ready", reason=error.code), 503
    return jsonify(status="ready"), 200


@blueprint.get("/metrics")
@permission("metrics:read")
def metrics() -> Response:
    """Counters of all web processes, in Prometheus' text format."""
    registry = REGISTRY
    if MULTIPROCESS_DIR in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


@blueprint.get("/problems/<code>")
@public
def problem(code: str) -> tuple[Response, int]:
    """What a problem type means: the page behind every `type` member."""
    for kind in KINDS:
        if kind.code == code:
            titles = {"zh-CN": kind.zh, "en": kind.en}
            return jsonify(code=kind.code, status=kind.status, title=titles, remedy=kind.remedy), 200
    return jsonify(code=code, title=None), 404


def _configure(app: APIFlask, settings: Settings) -> None:
    app.config.update(
        EVERY_RESPONSE=_security_headers(settings),
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        **_form_cookie(settings),
        TRUSTED_HOSTS=settings.all_trusted_hosts,
        PROBLEM_BASE=f"{settings.public_url}/problems",
        VALIDATION_ERROR_STATUS_CODE=400,
        AUTO_SERVERS=False,
        SERVERS=[{"url": settings.public_url}],
        SECURITY_SCHEMES={
            "bearer": {"type": "http", "scheme": "bearer"},
            "gateway_key": {"type": "apiKey", "in": "header", "name": KEY_ID_HEADER},
            "gateway_signature": {"type": "apiKey", "in": "header", "name": SIGNATURE_HEADER},
        },
        DESCRIPTION="Product traceability: capture, catalog, credit. Errors are problem documents (RFC 9457).",
    )
    # Error pages for people must not depend on where the process was started.
    app.config["PROPAGATE_EXCEPTIONS"] = False


def _form_cookie(settings: Settings) -> dict[str, object]:
    """Flask's own cookie holds the token of the console's forms and nothing else; log-ins are in the database."""
    is_secure = (settings.console_url or settings.public_url).startswith("https://")
    return {
        "SECRET_KEY": settings.derived_key(b"form token") if settings.code_secret else None,
        "SESSION_COOKIE_NAME": "__Host-suyuan-form" if is_secure else "suyuan-form",
        "SESSION_COOKIE_SECURE": is_secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
    }


def _templates() -> Path:
    """In an installed package the templates are inside it, in a checkout beside it."""
    installed = Path(__file__).parent / "templates"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "templates"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _open_request() -> None:
    offered = request.headers.get("X-Request-ID", "")
    g.request_id = offered if REQUEST_ID.match(offered) else uuid.uuid4().hex
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _check_request() -> None:
    if not request.path.startswith("/api/"):
        return
    for name, values in request.args.lists():
        if len(values) > 1:  # ASVS 15.3.7: two readers could each take another one
            raise InputError(f"the parameter {name!r} is given twice", where=name)
    wanted = _body_type(request.endpoint)
    if wanted and request.mimetype != wanted:
        raise UnsupportedMediaType


def _body_type(endpoint: str | None) -> str | None:
    """The content type that the view declares with `@blueprint.input`, if it does."""
    view = current_app.view_functions.get(endpoint or "")
    declared = getattr(view, "_spec", {}).get("content_type")
    return declared if isinstance(declared, str) else None


def _close_request(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = g.get("request_id", "")
    given = {name.lower() for name, _ in headers}
    for name, value in current_app.config["EVERY_RESPONSE"]:
        if name.lower() not in given:
            headers.add(name, value)
    if request.path.startswith("/api/"):
        headers.setdefault("Cache-Control", "no-store")
    _count(response)
    return response


def _security_headers(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What every response carries unless its view says otherwise (ASVS 3.4)."""
    nothing = "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    headers = (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Content-Security-Policy", nothing),
    )
    if settings.public_url.startswith("https://"):
        return (*headers, ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    return headers


def _count(response: Response) -> None:
    if getattr(current_app.view_functions.get(request.endpoint or ""), UNLOGGED, False):
        return
    # The endpoint, not the path: paths hold codes that people have scanned.
    endpoint = request.endpoint or "none"
    method = request.method if request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    REQUESTS.labels(endpoint, method, str(response.status_code)).inc()
    SECONDS.labels(endpoint).observe(seconds)
    caller = g.get("client")
    # Reading a page is the proxy's to log; a line for each would cost more than the page.
    is_notable = method != "GET" or response.status_code >= 400 or seconds >= SLOW_S or caller is not None
    (log.info if is_notable else log.debug)(
        "request",
        endpoint=endpoint,
        method=method,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
        client=caller.client_id if caller else None,
    )


def _complete(app: APIFlask, spec: dict[str, Any]) -> dict[str, Any]:
    """Say of every operation what APIFlask cannot know: its permission, and that errors are problems."""
    # Two blueprints may serve one tag.
    spec["tags"] = list({tag["name"]: tag for tag in spec.get("tags", [])}.values())
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    for unused in ("HTTPError", "ValidationError"):
        schemas.pop(unused, None)
    for operation, access in _operations(app, spec):
        responses = operation.setdefault("responses", {})
        statuses = {"400", "500", "503"} | {status for status in responses if status >= "400"}
        if access == SIGNED:
            operation["security"] = [{"gateway_key": [], "gateway_signature": []}]
            statuses |= {"401", "403"}
        elif access not in (PUBLIC, None):
            operation["security"] = [{"bearer": []}]
            operation["x-permission"] = access
            statuses |= {"401", "403"}
        if "requestBody" in operation:
            statuses |= {"413", "415"}
        titles = {str(kind.status): kind.en for kind in reversed(KINDS)}
        for status in sorted(statuses):
            responses[status] = {
                "description": titles.get(status, "Error"),
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
    return spec


def _operations(app: APIFlask, spec: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Every operation under /api of the document, with what its view declares."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = spec["paths"].get(path, {}).get(method.lower())
            if operation is not None and path.startswith("/api/"):
                yield operation, declared_access(app.view_functions[rule.endpoint])


PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "request id"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
