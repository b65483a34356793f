"""HTML routes of the console, one file a desk."""

from __future__ import annotations

from flask import Blueprint

from trace_server.console.pages import (
    admin,
    alerts,
    audit,
    cases,
    chains,
    commitments,
    complaints,
    fleet,
    home,
    imports,
    inspections,
    lists,
    objections,
    policies,
    publications,
    recalls,
    repairs,
    reports,
    search,
    subjects,
)

_DESKS = (
    home,
    search,
    alerts,
    chains,
    recalls,
    subjects,
    fleet,
    cases,
    complaints,
    commitments,
    objections,
    lists,
    inspections,
    policies,
    reports,
    publications,
    repairs,
    imports,
    admin,
    audit,
)

blueprint = Blueprint("console", __name__)
for _desk in _DESKS:
    blueprint.register_blueprint(_desk.blueprint)
