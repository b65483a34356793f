"""A gateway's request → the same view that serves it over HTTP → its answer.

Only views that check a signature themselves can be reached, and only by the gateway that the topic belongs to.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TypeAlias

import structlog
from apiflask import APIFlask
from werkzeug.exceptions import HTTPException

from trace_core.errors import NotAllowed, NotFound, TraceError
from trace_core.uplink import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, request_payload
from trace_server.accounts.access import SIGNED, declared_access
from trace_server.accounts.operations import verify_signed
from trace_server.problems import MEDIA_TYPE, describe
from trace_server.services import Services
from trace_server.uplink_mqtt.model import Answer, Request

PASSED_ON = ("Retry-After",)
"""Headers of an answer that a gateway acts on."""

log = structlog.get_logger(__name__)

_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Dispatcher:
    """Answers requests one by one, in the thread that calls."""

    def __init__(self, app: APIFlask, services: Services) -> None:
        self._app = app
        self._services = services

    def answer(self, request: Request) -> Answer:
        """Never raises for what a gateway sent: what is wrong with it is in the answer."""
        try:
            self._require_signed_view(request)
            self._require_owner(request)
        except TraceError as error:
            return _problem(error)
        return self._call(request)

    def _require_signed_view(self, request: Request) -> None:
        try:
            endpoint, _ = self._app.url_map.bind("localhost").match(request.path, request.method)
        except HTTPException as error:
            raise NotFound("there is nothing for gateways at this path", where=request.path) from error
        if declared_access(self._app.view_functions[str(endpoint)]) != SIGNED:
            raise NotFound("there is nothing for gateways at this path", where=request.path)

    def _require_owner(self, request: Request) -> None:
        """A gateway writes only its own tree; a broker whose access list is wrong must not change that."""
        headers = request.headers
        payload = request.body or request_payload(request.method, request.path, headers.get(TIMESTAMP_HEADER, ""))
        with self._services.db.read() as conn:
            signer = verify_signed(conn, headers.get(KEY_ID_HEADER, ""), headers.get(SIGNATURE_HEADER, ""), payload)
        if signer.gateway_id != request.gateway_id:
            log.warning("foreign topic", topic_of=request.gateway_id, signer=signer.gateway_id)
            raise NotAllowed("the topic belongs to another gateway", remedy="publish on the topic of your own id")

    def _call(self, request: Request) -> Answer:
        said: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: _ExcInfo | None = None) -> Any:  # noqa: ANN401 – WSGI
            said.append((status, headers))
            return written.append

        result: Iterable[bytes] = self._app(_environ(request), start_response)
        try:
            written += result
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        status, headers = said[-1]
        named = dict(headers)
        kept = {name: named[name] for name in PASSED_ON if name in named}
        return Answer(int(status.split(" ", 1)[0]), named.get("Content-Type", ""), b"".join(written), kept)


def _environ(request: Request) -> dict[str, Any]:
    """PEP 3333. `Host` is a name that the application trusts; no proxy and no address stand behind it."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT_LANGUAGE": "en",
        "REMOTE_ADDR": "",
        "CONTENT_TYPE": request.content_type,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name.startswith("Suyuan-"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def _problem(error: TraceError) -> Answer:
    problem = describe(error)
    body = {
        "type": "about:blank",
        "title": problem.kind.title("en"),
        "status": problem.kind.status,
        "detail": problem.detail,
        "code": problem.kind.code,
    }
    return Answer(problem.kind.status, MEDIA_TYPE, json.dumps(body).encode(), dict(problem.headers))
