"""Log in, second factor, join, own account."""

from __future__ import annotations

import base64
import io
import re

import qrcode
from flask import Blueprint, Response, request
from qrcode.image.svg import SvgPathImage

from trace_core.errors import InputError, TraceError
from trace_server.accounts.access import public
from trace_server.faces.rendering import FieldError, style, translate
from trace_server.problems import NotAuthenticated, TooManyRequests
from trace_server.services import services
from trace_server.users import operations, rules
from trace_server.users.access import (
    chosen_language,
    console,
    current_person,
    finish,
    forget_token,
    keep_token,
    page,
    require_console_host,
    require_form_token,
    session_token,
)
from trace_server.users.model import Stage
from trace_server.users.operations import FACTOR_PURPOSE, Caller
from trace_server.users.words import SENTENCES

blueprint = Blueprint("users", __name__)

HOME = "/console/account"
_OWN_PATH = re.compile(r"/(?:console|desk)(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*(?:\?[A-Za-z0-9._~%&=+:,-]*)?\Z")


@blueprint.get("/console/assets/<name>")
@public
def asset(name: str) -> Response:
    """The style sheet under the name that holds its hash: kept for a year."""
    wanted, content = style()
    if name != wanted:
        return Response(status=404)
    response = Response(content, mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@blueprint.get("/console/login")
@public
def login_form() -> Response:
    """Name and password."""
    require_console_host()
    return page("login", name="", onward=_onward())


@blueprint.post("/console/login")
@public
def login() -> Response:
    """First step; the second factor follows."""
    require_console_host()
    require_form_token()
    name = request.form.get("name", "")[:128]
    try:
        token = operations.log_in(services().db, services().clock(), name, request.form.get("password", ""), _caller())
    except (NotAuthenticated, TooManyRequests) as error:
        return page("login", _status(error), errors=_errors(error), name=name, onward=_onward())
    return _after_password(token)


@blueprint.get("/console/join")
@public
def join_form() -> Response:
    """One-time code and a new password."""
    require_console_host()
    return page("join", code="", onward="")


@blueprint.post("/console/join")
@public
def join() -> Response:
    """Use the code; what was typed stays in the form when the password is too weak."""
    require_console_host()
    require_form_token()
    code, password = request.form.get("code", "")[:64], request.form.get("password", "")
    try:
        token = operations.join(services().db, services().clock(), code, password, _caller())
    except (NotAuthenticated, TooManyRequests, InputError) as error:
        return page("join", _status(error), errors=_errors(error), code=code, onward="")
    return _after_password(token)


@blueprint.get("/console/factor")
@public
def factor_form() -> Response:
    """The code of the second factor, or setting it up."""
    require_console_host()
    found = operations.open_session(services().db, services().clock(), session_token())
    if found is None or found[0].stage is Stage.FULL:
        return _go(HOME if found else "/console/login")
    if found[0].stage is Stage.ENROL:
        return _enrol_page(rules.new_totp_secret())
    return page("factor", onward=_onward())


@blueprint.post("/console/factor")
@public
def factor() -> Response:
    """Second step of the log-in."""
    require_console_host()
    require_form_token()
    outside = services()
    code, secret = request.form.get("code", "")[:16], request.form.get("secret", "")[:64]
    key = outside.settings.derived_key(FACTOR_PURPOSE)
    try:
        if secret:
            token = operations.set_factor(outside.db, outside.clock(), key, session_token(), secret, code, _caller())
        else:
            token = operations.check_factor(outside.db, outside.clock(), key, session_token(), code, _caller())
    except NotAuthenticated:
        return _go("/console/login")
    except (InputError, TooManyRequests) as error:
        if secret:
            return _enrol_page(secret, error)
        return page("factor", _status(error), errors=_errors(error), onward=_onward())
    return keep_token(_go(_onward() or "/console"), token)


@blueprint.post("/console/logout")
@console()
def logout() -> Response:
    """End this session."""
    person = current_person()
    operations.end_session(services().db, services().clock(), person.user, token=session_token())
    return forget_token(_go("/console/login"))


@blueprint.get("/console/account")
@console()
def account() -> Response:
    """Own name, role and sessions."""
    return _account_page()


@blueprint.post("/console/account/sessions/<session_id>/end")
@console()
def end_session(session_id: str) -> Response:
    """End one of the own sessions."""
    operations.end_session(services().db, services().clock(), current_person().user, session_id=session_id)
    return _go(HOME)


@blueprint.post("/console/account/password")
@console()
def change_password() -> Response:
    """Needs the old one; all other sessions end."""
    outside = services()
    old, new = request.form.get("old", ""), request.form.get("password", "")
    try:
        operations.change_password(outside.db, outside.clock(), session_token(), old, new)
    except (InputError, TooManyRequests) as error:
        return _account_page(_status(error), _errors(error))
    return _go(f"{HOME}?changed=1")


@blueprint.get("/console/confirm")
@console()
def confirm_form() -> Response:
    """The password once more, before something that cannot be undone."""
    return page("confirm", onward=_onward())


@blueprint.post("/console/confirm")
@console()
def confirm() -> Response:
    """Then on to where it was wanted."""
    outside = services()
    try:
        operations.confirm(outside.db, outside.clock(), session_token(), request.form.get("password", ""))
    except (InputError, TooManyRequests) as error:
        return page("confirm", _status(error), errors=_errors(error), onward=_onward())
    return _go(_onward() or "/console")


def _account_page(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    person = current_person()
    return page(
        "account",
        status,
        errors=errors,
        user=person.user,
        mine=person.session.session_id,
        sessions=operations.sessions_of(services().db, services().clock(), person.user),
        changed="changed" in request.args,
    )


def _after_password(token: str) -> Response:
    onward = _onward()
    return keep_token(_go(f"/console/factor?next={onward}" if onward else "/console/factor"), token)


def _enrol_page(secret: str, error: TraceError | None = None) -> Response:
    user = operations.new_factor(services().db, services().clock(), session_token())
    drawn = io.BytesIO()
    qrcode.make(rules.totp_uri(secret, user.name), image_factory=SvgPathImage, border=2).save(drawn)
    image = "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    errors = _errors(error) if error else ()
    return page("enrol", _status(error) if error else 200, errors=errors, secret=secret, groups=groups, image=image)


def _errors(error: TraceError) -> tuple[FieldError, ...]:
    sentence = SENTENCES.get(error.what, "")
    shown = translate(sentence, chosen_language()) if sentence else error.what
    return (FieldError(error.where or "name", shown),)


def _status(error: TraceError) -> int:
    return {NotAuthenticated: 401, TooManyRequests: 429}.get(type(error), 400)


def _caller() -> Caller:
    return Caller(request.remote_addr or "", request.headers.get("User-Agent", "")[:200])


def _onward() -> str:
    """Where to go after the log-in: a path of the console, never another host."""
    wanted = request.values.get("next", "")
    return wanted if _OWN_PATH.match(wanted) else ""


def _go(path: str) -> Response:
    return finish(Response(status=303, headers={"Location": path}))
