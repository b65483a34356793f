"""One blueprint for the exchange: its routes are in the modules beside this one."""

from __future__ import annotations

from apiflask import APIBlueprint

blueprint = APIBlueprint("exchange", __name__, url_prefix="/api/v1/credit", tag="Credit exchange")
