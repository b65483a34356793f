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
    objections,
    publications,
    repairs,
    reports,
)

blueprint = Blueprint("console", __name__)
for _desk in (home, alerts, chains, cases, complaints, commitments, objections, reports, publications, repairs):
    blueprint.register_blueprint(_desk.blueprint)
