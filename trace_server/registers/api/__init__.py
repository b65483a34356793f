"""JSON routes of the registers: tag ranges, and what is known of parties."""

from __future__ import annotations

from flask import Blueprint

from trace_server.registers.api import parties, ranges

blueprint = Blueprint("registers_all", __name__)
for _part in (ranges, parties):
    blueprint.register_blueprint(_part.blueprint)
