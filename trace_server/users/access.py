"""Who may open a page of the console: somebody with a full session whose role has the page's permission.

    @blueprint.get("/console/alerts")
    @console("events:read")
    def alerts() -> Response: ...

Put it right under the route decorator. A POST also needs the form's token. `ANYBODY` is for every logged-in person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

import structlog
from flask import Response, g, redirect, request
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from trace_core.errors import ConfigError, InputError, NotAllowed, NotFound
from trace_server import languages
from trace_server.accounts.access import ACCESS
from trace_server.accounts.model import FOR_COMPANY, Permission
from trace_server.faces import rendering
from trace_server.faces.navigation import menu
from trace_server.faces.rendering import FieldError, Frame
from trace_server.services import services
from trace_server.users import operations, rules
from trace_server.users.model import Session, Stage, User

ANYBODY = "logged-in"
"""What a page declares that wants a log-in and no permission."""
LOGIN = "/console/login"
CONFIRM = "/console/confirm"
log = structlog.get_logger(__name__)
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks for this page."""

    user: User
    session: Session


def console(permission: str = ANYBODY, *, confirm_at: str = "") -> Callable[[View], View]:
    """Only somebody logged in whose role has `permission`; others are led to the log-in or told that they may not.

    `confirm_at`: the page (with `{argument}` of the route) to come back to when the password was typed too long ago
    for something dangerous (ASVS 7.5.1); "" for what is not.

    Raises `ValueError` at import for a permission that does not exist.
    """
    needed = None if permission == ANYBODY else Permission(permission)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            require_console_host()
            found = operations.open_session(services().db, services().clock(), session_token())
            if found is None or found[0].stage is not Stage.FULL:
                return _to_login()
            session, user = found
            g.person = Person(user, session)
            if needed is not None and needed not in user.permissions:
                return _refused(403)
            if user.role in FOR_COMPANY and not user.scope.subject:
                return _refused(403)
            if request.method not in ("GET", "HEAD"):
                require_form_token()
            if confirm_at and not rules.is_confirmed(session, services().clock()):
                onward = confirm_at.format_map({name: quote(str(value), safe="") for name, value in kwargs.items()})
                return finish(cast("Response", redirect(f"{CONFIRM}?next={quote(onward, safe='')}", 303)))
            try:
                return view(*args, **kwargs)
            except NotAllowed as error:
                log.info("refused", reason=error.what, user=user.user_id)
                return _refused(403)
            except NotFound:
                return _refused(404)

        setattr(guarded, ACCESS, permission)
        return cast("View", guarded)

    return decorate


def current_person() -> Person:
    """The person that this request's `@console` let in; `RuntimeError` elsewhere."""
    person: Person | None = g.get("person")
    if person is None:
        raise RuntimeError("current_person() is for views under @console")
    return person


def page(template: str, status: int = 200, *, errors: tuple[FieldError, ...] = (), **facts: object) -> Response:
    """A page of the console in the language of the request, with its menu and a token for its forms."""
    person: Person | None = g.get("person")
    frame = Frame(
        language=chosen_language(),
        path=request.path,
        query=tuple((name, value) for name, value in request.args.items() if name != "lang"),
        person=person.user.display_name if person else "",
        csrf=generate_csrf(),
        menu=tuple(menu(person.user.permissions)) if person else (),
        errors=errors,
    )
    response = Response(rendering.render(template, frame, **facts), status)
    return finish(response)


def finish(response: Response) -> Response:
    """Headers of every page behind the log-in: kept by nobody."""
    response.headers["Content-Language"] = chosen_language()
    response.headers["Content-Security-Policy"] = rendering.POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Cookie, Accept-Language"
    if "lang" in request.args:
        response.set_cookie("lang", chosen_language(), samesite="Lax", secure=is_secure(), max_age=31_536_000)
    return response


def chosen_language() -> str:
    """`?lang=`, else what was chosen before, else what the browser prefers."""
    for offered in (request.args.get("lang", ""), request.cookies.get("lang", "")):
        if found := languages.from_parameter(offered):
            return found
    return languages.preferred(request.headers.get("Accept-Language", ""))


def is_secure() -> bool:
    """Whether cookies go over TLS only; plain HTTP is for a console on this host, see `require_console_host`."""
    return console_address().startswith("https://")


def console_address() -> str:
    """Where people log in."""
    settings = services().settings
    return settings.console_url or settings.public_url


def cookie_name() -> str:
    """A `__Host-` cookie cannot be set by a sister domain, nor over plain HTTP."""
    return "__Host-suyuan" if is_secure() else "suyuan-local"


def session_token() -> str:
    """What the browser holds, "" for nothing."""
    return request.cookies.get(cookie_name(), "")


def keep_token(response: Response, token: str) -> Response:
    """Give the browser its session; it lasts until the browser closes or the server ends it."""
    response.set_cookie(cookie_name(), token, secure=is_secure(), httponly=True, samesite="Lax", path="/")
    return response


def forget_token(response: Response) -> Response:
    """Take it back."""
    response.delete_cookie(cookie_name(), secure=is_secure(), httponly=True, samesite="Lax", path="/")
    return response


def require_form_token() -> None:
    """Raises `InputError` for a form that was not made by us for this browser (ASVS 3.5.1)."""
    try:
        validate_csrf(request.form.get("csrf_token", ""))
    except ValidationError as error:
        raise InputError(
            "the form is too old or came from elsewhere", where="csrf_token", remedy="go back, reload the page, repeat"
        ) from error


def require_console_host() -> None:
    """The console answers on its own host name only, and never over plain HTTP but on this machine."""
    settings = services().settings
    wanted = urlsplit(console_address())
    if settings.console_url and request.host != wanted.netloc:
        raise NotFound("the console is not on this host", where="host")
    if wanted.scheme != "https" and wanted.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError("the console wants https", where="console_url", remedy="set SUYUAN_CONSOLE_URL to https://…")


def _refused(status: int) -> Response:
    """A page in the console's own frame: its menu is the way on."""
    return page("refused", status, is_missing=status == 404, role=current_person().user.role.value)


def _to_login() -> Response:
    here = request.full_path.rstrip("?") if request.method == "GET" else "/console"
    return finish(cast("Response", redirect(f"{LOGIN}?next={quote(here, safe='')}", 303)))
