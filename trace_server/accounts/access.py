"""Every route declares who may call it: `@permission("…")` or `@public`. A structure test holds us to it.

Put it right under the route decorator, above `@blueprint.input`: a caller who may not do a thing does not get
its input examined either.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g, request

from trace_core.errors import NotAllowed
from trace_server.accounts import operations
from trace_server.accounts.model import FOR_COMPANY, Client, Permission
from trace_server.problems import NotAuthenticated
from trace_server.services import services

ACCESS = "__suyuan_access__"
PUBLIC = "public"
SIGNED = "signed"
UNLOGGED = "__suyuan_unlogged__"

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Anybody may call this view."""
    setattr(view, ACCESS, PUBLIC)
    return view


def unlogged(view: View) -> View:
    """No log line and no counter says that this view was asked for: reporters come here."""
    setattr(view, UNLOGGED, True)
    return view


def signed(view: View) -> View:
    """The view itself calls `verify_signed`: the caller is a gateway, known by its signature."""
    setattr(view, ACCESS, SIGNED)
    return view


def permission(name: str) -> Callable[[View], View]:
    """Only an API client whose role has permission `name` may call this view; else 401 or 403.

    Raises `ValueError` at import for a permission that `model.Permission` does not know.
    """
    needed = Permission(name)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            g.client = require(needed)
            return view(*args, **kwargs)

        setattr(guarded, ACCESS, needed.value)
        return cast("View", guarded)

    return decorate


def require(needed: Permission) -> Client:
    """The caller, who may do `needed`. Raises `NotAuthenticated` or `NotAllowed`.

    A company's client without its company is shut out: to the operations an empty subject means an authority.
    """
    client = operations.authenticate(services().db, _bearer_token(), services().clock())
    if needed not in client.permissions:
        raise NotAllowed(f"the role {client.role} lacks the permission {needed}", remedy="use another client")
    if client.role in FOR_COMPANY and not client.subject:
        raise NotAllowed("the client acts for no company", remedy="make another with --subject <USCC>")
    return client


def current_client() -> Client:
    """The client that this request's `@permission` let in; `RuntimeError` on a public route."""
    client: Client | None = g.get("client")
    if client is None:
        raise RuntimeError("current_client() is for views under @permission")
    return client


def declared_access(view: Callable[..., Any]) -> str | None:
    """What `view` declares: a permission, "public", "signed", or None when it forgot."""
    declared = getattr(view, ACCESS, None)
    return declared if isinstance(declared, str) else None


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("a bearer token is needed", where="Authorization", remedy="send Authorization: Bearer …")
    return token.strip()
