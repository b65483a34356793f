"""The administrator's desk: people with their log-ins, API clients, and what the server could not do by itself."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import NotAllowed, NotFound, TraceError
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.console.admin_words import JOB_STATES, SENTENCES, USER_STATES
from trace_server.console.pages._answers import go, words
from trace_server.db import migrate
from trace_server.faces.rendering import FieldError, translate
from trace_server.faces.words import ROLES
from trace_server.ingest import operations as ingest
from trace_server.ingest.model import QuarantineState
from trace_server.jobs import operations as jobs
from trace_server.jobs.model import JobState
from trace_server.services import services
from trace_server.users import operations
from trace_server.users.access import chosen_language, console, current_person, page
from trace_server.users.model import Scope

blueprint = Blueprint("admin", __name__)

USERS, CLIENTS, RUNNING = "/console/users", "/console/clients", "/console/running"
ONE = "/console/users/{name}"
MOST = 50
FIELDS = frozenset({"name", "display_name", "role", "department", "regions", "categories", "subject"})


@blueprint.get("/console/users")
@console("users:manage")
def list_users() -> Response:
    """Everybody, and a form to invite somebody."""
    return _users()


@blueprint.post("/console/users")
@console("users:manage", confirm_at=USERS)
def invite() -> Response:
    """The answer shows the one-time code, once."""
    form, outside = request.form, services()
    try:
        made, code = operations.add_user(
            outside.db, outside.clock(), current_person().user.actor, name=form.get("name", ""),
            display_name=form.get("display_name", ""), role=_role(), department=form.get("department", ""),
            scope=_scope(),
        )  # fmt: skip
    except TraceError as error:
        return _users(400, _mistake(error, "name"))
    return _users(invited=made.name, code=code)


@blueprint.get("/console/users/<name>")
@console("users:manage")
def user_page(name: str) -> Response:
    """One account: what it may, where it is logged in."""
    return _user(name)


@blueprint.post("/console/users/<name>/change")
@console("users:manage", confirm_at=ONE)
def change(name: str) -> Response:
    """Another role, department or part of the city."""
    outside, actor, department = services(), current_person().user.actor, request.form.get("department", "")
    try:
        operations.change_user(
            outside.db, outside.clock(), actor, name, role=_role(), department=department, scope=_scope()
        )
    except NotFound:
        raise
    except TraceError as error:
        return _user(name, 400, _mistake(error, "role"))
    return go(f"{USERS}/{name}?done=1")


@blueprint.post("/console/users/<name>/code")
@console("users:manage", confirm_at=ONE)
def new_code(name: str) -> Response:
    """A new one-time code; with the lost phone the second factor goes too."""
    outside, lost = services(), bool(request.form.get("lost_factor"))
    code = operations.invite_again(
        outside.db, outside.clock(), current_person().user.actor, name, lost_factor=lost
    )  # fmt: skip
    return _user(name, code=code)


@blueprint.post("/console/users/<name>/disable")
@console("users:manage", confirm_at=ONE)
def disable(name: str) -> Response:
    """Shut the account; its sessions end at once."""
    outside = services()
    try:
        operations.disable_user(outside.db, outside.clock(), current_person().user.actor, name)
    except NotFound:
        raise
    except TraceError as error:
        return _user(name, 400, _mistake(error, "role"))
    return go(f"{USERS}/{name}?done=1")


@blueprint.post("/console/users/<name>/sessions/<session_id>/end")
@console("users:manage")
def end_session(name: str, session_id: str) -> Response:
    """End one log-in."""
    outside = services()
    operations.end_session_of(outside.db, outside.clock(), current_person().user.actor, name, session_id)
    return go(f"{USERS}/{name}?done=1")


@blueprint.get("/console/clients")
@console("clients:manage")
def list_clients() -> Response:
    """API clients and when they were last used."""
    return _clients()


@blueprint.post("/console/clients")
@console("clients:manage", confirm_at=CLIENTS)
def add_client() -> Response:
    """The answer shows the token, once."""
    form, outside = request.form, services()
    try:
        made, token = accounts.add_client(
            outside.db, outside.clock(), current_person().user.actor, name=form.get("name", "").strip()[:200],
            role=_role(), subject=form.get("subject", "").strip(),
        )  # fmt: skip
    except TraceError as error:
        return _clients(400, _mistake(error, "name"))
    return _clients(made=made.name, token_shown=token)


@blueprint.post("/console/clients/<client_id>/revoke")
@console("clients:manage", confirm_at=CLIENTS)
def revoke_client(client_id: str) -> Response:
    """For good."""
    outside = services()
    accounts.revoke_client(outside.db, outside.clock(), current_person().user.actor, client_id)
    return go(f"{CLIENTS}?done=1")


@blueprint.get("/console/running")
@console("users:manage")
def running() -> Response:
    """Whether the server stands, what work it gave up, what it did not take."""
    outside = services()
    dead = jobs.list_jobs(outside.db, state=JobState.DEAD, kind="", limit=MOST)
    newest = jobs.list_jobs(outside.db, state=None, kind="", limit=MOST)
    held = ingest.read_quarantine(outside.db, state=QuarantineState.HELD, after=None, limit=MOST)
    return page(
        "running", ready=_is_ready(), dead=dead, newest=newest, held=held, states=words(JOB_STATES),
        done="done" in request.args, still="still" in request.args,
    )  # fmt: skip


@blueprint.post("/console/running/jobs/<job_id>/retry")
@console("users:manage")
def retry_job(job_id: str) -> Response:
    """Queue dead work again."""
    outside = services()
    jobs.retry(outside.db, outside.clock(), current_person().user.actor, _key(job_id))
    return go(f"{RUNNING}?done=1")


@blueprint.post("/console/running/quarantine/<entry_id>/replay")
@console("quarantine:replay")
def replay(entry_id: str) -> Response:
    """Try a held body again with today's rules."""
    outside = services()
    why = ingest.replay(outside.db, outside.clock(), current_person().user.actor, _key(entry_id))
    return go(f"{RUNNING}?{'still' if why else 'done'}=1")


def _users(status: int = 200, errors: tuple[FieldError, ...] = (), *, invited: str = "", code: str = "") -> Response:
    return page(
        "users", status, errors=errors, rows=operations.list_users(services().db), states=words(USER_STATES),
        roles=ROLES, invited=invited, code=code, typed=request.form if errors else {},
    )  # fmt: skip


def _user(name: str, status: int = 200, errors: tuple[FieldError, ...] = (), *, code: str = "") -> Response:
    user, sessions = operations.account(services().db, services().clock(), name)
    kept = {
        "role": user.role.value, "department": user.department, "regions": " ".join(user.scope.regions),
        "categories": " ".join(user.scope.categories), "subject": user.scope.subject,
    }  # fmt: skip
    return page(
        "user", status, errors=errors, user=user, sessions=sessions, states=words(USER_STATES), roles=ROLES, code=code,
        typed=request.form if errors else kept, done="done" in request.args,
        is_own=user.user_id == current_person().user.user_id,
    )  # fmt: skip


def _clients(
    status: int = 200, errors: tuple[FieldError, ...] = (), *, made: str = "", token_shown: str = ""
) -> Response:
    return page(
        "clients", status, errors=errors, rows=accounts.list_clients(services().db), roles=ROLES, made=made,
        token_shown=token_shown, typed=request.form if errors else {}, done="done" in request.args,
    )  # fmt: skip


def _role() -> Role:
    wanted = request.form.get("role", "")
    if wanted not in ROLES:
        raise NotAllowed("choose a role", where="role")
    return Role(wanted)


def _scope() -> Scope:
    regions, categories = (tuple(request.form.get(name, "").split())[:50] for name in ("regions", "categories"))
    return Scope(regions, categories, request.form.get("subject", "").strip()[:18])


def _mistake(error: TraceError, field: str) -> tuple[FieldError, ...]:
    sentence = SENTENCES.get(error.what, SENTENCES["wrong"])
    where = error.where if error.where in FIELDS else ("subject" if error.code == "bad-identifier" else field)
    return (FieldError(where, translate(sentence, chosen_language())),)


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise NotFound("there is no such thing", where=text[:64]) from error


def _is_ready() -> bool:
    try:
        migrate.require_current(services().db)
    except TraceError:
        return False
    return True
