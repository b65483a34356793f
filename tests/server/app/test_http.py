"""What every request gets, whoever serves it: an id, a problem document, headers, and a check of who may call."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from tests.server.callers import company_of
from trace_core.errors import TraceError
from trace_server import problems
from trace_server.accounts import access, operations
from trace_server.accounts.model import Permission, Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database, DatabaseAway, open_database
from trace_server.users.access import ANYBODY

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ENROL = "/api/v1/gateways/enrol"
GATEWAYS = "/api/v1/gateways"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def app(database: Database) -> APIFlask:
    return create_app(Settings(), database)


@pytest.fixture
def client(app: APIFlask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


def bearer(db: Database, role: Role) -> dict[str, str]:
    _, token = operations.add_client(db, NOW, "test", name=f"a {role}", role=role, subject=company_of(role))
    return {"Authorization": f"Bearer {token}"}


def problem(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    body: dict[str, Any] = json.loads(response.data)
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"].endswith(f"/problems/{code}")
    assert body["instance"] == response.headers["X-Request-ID"]
    return body


def test_every_route_declares_who_may_call_it(app: APIFlask) -> None:
    known = {access.PUBLIC, access.SIGNED, ANYBODY, *Permission}
    silent = {
        f"{rule.endpoint} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if access.declared_access(app.view_functions[rule.endpoint]) not in known
    }
    assert not silent


def test_every_guarded_route_turns_strangers_away(app: APIFlask, client: FlaskClient) -> None:
    tried = 0
    for rule in app.url_map.iter_rules():
        declared = access.declared_access(app.view_functions[rule.endpoint])
        if declared in (access.PUBLIC, access.SIGNED):
            continue
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(path[path.index("<") : path.index(">") + 1], "1", 1) if name else path
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            response = client.open(path, method=method, json={} if method != "GET" else None)
            if path.startswith(("/console", "/desk")):
                assert response.status_code == 303, f"{method} {path}"
                assert response.headers["Location"].startswith("/console/login"), f"{method} {path}"
            else:
                assert response.status_code in (401, 415), f"{method} {path}"
            tried += 1
    assert tried >= 2


def test_a_caller_without_the_permission_is_known_and_refused(database: Database, client: FlaskClient) -> None:
    missing = problem(client.get(GATEWAYS), 401, "not-authenticated")
    assert missing["errors"][0]["pointer"] == "Authorization"
    assert client.get(GATEWAYS).headers["WWW-Authenticate"].startswith("Bearer")
    for header in ("Basic abc", "Bearer", "Bearer ", "Bearer suyuan_wrong", "bearer x y"):
        problem(client.get(GATEWAYS, headers={"Authorization": header}), 401, "not-authenticated")
    problem(client.get(GATEWAYS, headers=bearer(database, Role.PRODUCER)), 403, "not-allowed")
    allowed = client.get(GATEWAYS, headers=bearer(database, Role.ADMINISTRATOR))
    assert allowed.status_code == 200
    assert allowed.json is not None
    assert allowed.json["items"] == []


def test_current_client_is_the_caller_and_nobody_on_a_public_route(database: Database, app: APIFlask) -> None:
    seen = []

    @app.get("/api/v1/mine")
    @access.permission("credit:read")
    def mine() -> str:
        seen.append(access.current_client().name)
        return ""

    @app.get("/api/v1/ours")
    @access.public
    def ours() -> str:
        with pytest.raises(RuntimeError, match="@permission"):
            access.current_client()
        return ""

    client = app.test_client()
    assert client.get("/api/v1/mine", headers=bearer(database, Role.AUDITOR)).status_code == 200
    assert client.get("/api/v1/ours").status_code == 200
    assert seen == ["a auditor"]


def test_a_permission_that_does_not_exist_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="cows:milk"):
        access.permission("cows:milk")


def test_a_gateway_enrols_over_http_once(database: Database, client: FlaskClient) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    code = operations.add_gateway(database, past, "test", gateway_id="gate-1", site="N", read_points=("urn:x:y",))
    body = {"code": code, "public_key": "A" * 43 + "=", "software": "agent 1", "hostname": "gate"}
    response = client.post(ENROL, json=body)
    assert response.status_code == 403, "the code was given out in the past"

    code = operations.invite_gateway(database, datetime.now(UTC), "test", "gate-1")
    response = client.post(ENROL, json=body | {"code": code})
    assert response.status_code == 201
    assert response.json is not None
    assert response.json["gateway_id"] == "gate-1"
    assert response.json["state"] == "pending"
    assert datetime.fromisoformat(response.json["server_time"]).utcoffset() is not None
    other = body | {"code": code, "public_key": "B" * 43 + "="}
    assert problem(client.post(ENROL, json=other, headers=ENGLISH), 403, "not-allowed")["errors"][0]["pointer"] == (
        "/code"
    )


def test_too_many_wrong_codes_are_429_with_a_time_to_wait(client: FlaskClient) -> None:
    body = {"code": "WRONG-WRONG-WRONG-00", "public_key": "A" * 43 + "="}
    statuses = [client.post(ENROL, json=body).status_code for _ in range(11)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
    assert int(client.post(ENROL, json=body).headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("language", "title", "message"),
    [
        ("zh-CN,zh;q=0.9", "请求内容有误", "缺少必填项"),
        ("en-GB", "The request cannot be taken as it stands", "is required"),
        ("fr", "请求内容有误", "缺少必填项"),
        ("", "请求内容有误", "缺少必填项"),
    ],
)
def test_problems_speak_the_callers_language(client: FlaskClient, language: str, title: str, message: str) -> None:
    body = problem(client.post(ENROL, json={}, headers={"Accept-Language": language}), 400, "bad-input")
    assert body["title"] == title
    assert {"pointer": "/code", "code": "missing", "message": message} in body["errors"]


def test_unknown_members_and_wrong_types_are_refused_by_name(client: FlaskClient) -> None:
    sent = {"code": 7, "public_key": "short", "colour": "red"}
    errors = problem(client.post(ENROL, json=sent, headers=ENGLISH), 400, "bad-input")["errors"]
    assert {(e["pointer"], e["code"]) for e in errors} == {
        ("/code", "string_type"),
        ("/public_key", "string_too_short"),
        ("/colour", "extra_forbidden"),
    }
    assert "must have at least 43 characters" in {e["message"] for e in errors}


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, '{"code": NaN}', "\xff"])
def test_what_is_not_json_is_refused(client: FlaskClient, body: str) -> None:
    response = client.post(ENROL, data=body.encode("latin-1"), content_type="application/json")
    problem(response, 400, "bad-input")


@pytest.mark.parametrize("body", ["null", "[]", '"text"', "1"])
def test_json_that_is_no_object_is_refused(client: FlaskClient, body: str) -> None:
    problem(client.post(ENROL, data=body, content_type="application/json"), 400, "bad-input")


def test_wrong_address_method_type_and_size_are_problems_too(client: FlaskClient, app: APIFlask) -> None:
    problem(client.get("/api/v1/nowhere"), 404, "not-found")
    assert "POST" in client.get(ENROL).headers["Allow"]
    problem(client.get(ENROL), 405, "method-not-allowed")
    problem(client.post(ENROL, data="x=1"), 415, "unsupported-media-type")
    app.config["MAX_CONTENT_LENGTH"] = 100
    problem(client.post(ENROL, json={"code": "x" * 200}), 413, "too-large")


def test_a_parameter_given_twice_is_refused(client: FlaskClient) -> None:
    body = problem(client.get("/api/v1/openapi.json?a=1&a=2"), 400, "bad-input")
    assert body["errors"][0]["pointer"] == "a"


def test_a_foreign_host_name_is_refused(client: FlaskClient) -> None:
    problem(client.get(GATEWAYS, headers={"Host": "evil.example"}), 400, "bad-input")


def test_a_request_id_is_kept_when_it_is_well_formed(client: FlaskClient) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "trace-0123456789"})
    assert given.headers["X-Request-ID"] == "trace-0123456789"
    for wrong in ("short", "x" * 65, "a b c d e f g h", "<script>alert</script>"):
        made = client.get("/healthz", headers={"X-Request-ID": wrong}).headers["X-Request-ID"]
        assert made != wrong
        assert len(made) == 32


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/healthz", "/api/v1/nowhere", "/api/v1/openapi.json"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers
    assert client.get("/api/v1/nowhere").headers["Cache-Control"] == "no-store"


def test_a_server_behind_https_says_so(database: Database) -> None:
    app = create_app(Settings(public_url="https://trace.example"), database)
    headers = app.test_client().get("/healthz", headers={"Host": "trace.example"}).headers
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_our_own_mistake_is_a_500_that_tells_nothing(app: APIFlask, caplog: pytest.LogCaptureFixture) -> None:
    @app.get("/api/v1/broken")
    @access.public
    def broken() -> str:
        raise ZeroDivisionError("the secret word")

    response = app.test_client().get("/api/v1/broken", headers=ENGLISH)
    body = problem(response, 500, "internal")
    assert "secret" not in response.text
    assert "request id" in body["detail"]
    assert any(record.levelno == logging.ERROR and record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (DatabaseAway("away"), 503, "unavailable"),
        (problems.NotAuthenticated("who?"), 401, "not-authenticated"),
        (TraceError("the secret word"), 500, "internal"),
        (problems.TooManyRequests("slow down", retry_after_s=7), 429, "too-many-requests"),
    ],
)
def test_each_branch_of_the_error_tree_has_its_status(app: APIFlask, error: TraceError, status: int, code: str) -> None:
    @app.get("/api/v1/fails")
    @access.public
    def fails() -> str:
        raise error

    response = app.test_client().get("/api/v1/fails")
    problem(response, status, code)
    assert "secret" not in response.text
    assert ("Retry-After" in response.headers) == (status in (429, 503))


def test_an_error_may_add_members_of_its_own(app: APIFlask) -> None:
    class Gap(problems.Conflict):
        def problem_members(self) -> dict[str, object]:
            return {"cursor": {"ack": 5}, "status": 200}

    @app.get("/api/v1/gap")
    @access.public
    def gap() -> str:
        raise Gap("a gap")

    assert problem(app.test_client().get("/api/v1/gap"), 409, "conflict")["cursor"] == {"ack": 5}


def test_pages_get_the_renderers_answer_and_the_api_does_not(app: APIFlask) -> None:
    def page(found: problems.Problem) -> problems.Response:
        return problems.Response(f"<h1>{found.kind.status}</h1>", found.kind.status)

    problems.render_pages_with(app, page)
    client = app.test_client()
    assert client.get("/nowhere").text == "<h1>404</h1>"
    problem(client.get("/api/nowhere"), 404, "not-found")


def test_every_problem_type_has_a_page(client: FlaskClient) -> None:
    for kind in problems.KINDS:
        answer = client.get(f"/problems/{kind.code}").json
        assert answer is not None
        assert answer["status"] == kind.status
    assert client.get("/problems/nonsense").status_code == 404


def test_ready_means_reachable_and_migrated(client: FlaskClient, tmp_path: Any) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready"}
    for url in (f"sqlite:///{tmp_path}/empty.sqlite", f"sqlite:///{tmp_path}/no/file", "postgresql://a@127.0.0.1:1/b"):
        away = create_app(Settings(), open_database(url)).test_client()
        assert away.get("/readyz").status_code == 503
        assert away.get("/healthz").status_code == 200


def test_metrics_are_for_monitors(database: Database, client: FlaskClient) -> None:
    client.get("/healthz")
    assert client.get("/metrics").status_code == 401
    text = client.get("/metrics", headers=bearer(database, Role.MONITOR)).text
    assert 'suyuan_http_requests_total{endpoint="app.healthz",method="GET",status="200"}' in text


def test_log_lines_hold_the_request_id_and_no_secret(
    database: Database, client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    from trace_server.services import configure_logs

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logs("info")
        headers = bearer(database, Role.MONITOR)
        client.get("/metrics", headers=headers | {"X-Request-ID": "trace-0123456789"})
        logging.getLogger("library").warning("line\nbreak %s", 1)
    finally:
        root.handlers, root.level = handlers, level
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    request = next(line for line in lines if line["event"] == "request")
    assert request["request_id"] == "trace-0123456789"
    assert request["endpoint"] == "app.metrics"
    assert headers["Authorization"].removeprefix("Bearer ") not in str(lines)
    assert any(line["event"] == "line\nbreak 1" for line in lines)


def test_the_interface_document_is_valid_and_complete(app: APIFlask, client: FlaskClient) -> None:
    response = client.get("/api/v1/openapi.json")
    document: dict[str, Any] = json.loads(response.data)
    validate(document)
    assert document["openapi"].startswith("3.1")
    operations_found = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        if path.startswith("/api/")
        for method, operation in methods.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert operations_found
    for path, method, operation in operations_found:
        responses = operation["responses"]
        errors = {status: body for status, body in responses.items() if status >= "400"}
        assert {"400", "500"} <= errors.keys(), (path, method)
        assert all("application/problem+json" in body["content"] for body in errors.values()), (path, method)
        if "x-permission" in operation:
            assert {"401", "403"} <= errors.keys()
            assert operation["security"] == [{"bearer": []}]
        if "requestBody" in operation:
            assert {"413", "415"} <= errors.keys()
