"""HTML routes of the console, one file a desk."""

from __future__ import annotations

from flask import Blueprint

from trace_server.console.pages import (
    alerts,
    cases,
    chains,
    commitments,
    complaints,
    home,
    lists,
    objections,
    publications,
    recalls,
    repairs,
    reports,
)

_DESKS = (
    home,
    alerts,
    chains,
    recalls,
    cases,
    complaints,
    commitments,
    objections,
    lists,
    reports,
    publications,
    repairs,
)

blueprint = Blueprint("console", __name__)
for _desk in _DESKS:
    blueprint.register_blueprint(_desk.blueprint)
