"""HTML routes of the desk, one file a page group."""

from __future__ import annotations

from flask import Blueprint

from trace_server.desk.pages import archive, batches, clients, home, imports, labels, ranges, recalls

blueprint = Blueprint("desk", __name__)
for _group in (home, batches, imports, labels, ranges, recalls, archive, clients):
    blueprint.register_blueprint(_group.blueprint)
