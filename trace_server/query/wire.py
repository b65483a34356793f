"""Query strings as the OpenAPI document shows them. What a parameter may say is judged by `parameters` alone."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import SkipJsonSchema

from trace_server.query.parameters import FREE_NAMES, NAMED

_Text = str | SkipJsonSchema[None]


def _undefaulted(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _field(description: str) -> Any:  # noqa: ANN401 – as pydantic declares it
    return Field(default=None, description=description, json_schema_extra=_undefaulted)


class PagesIn(BaseModel):
    """Which page, and how long."""

    model_config = ConfigDict(extra="allow")

    perPage: _Text = _field("1 to 1000; 30 when absent")  # noqa: N815 – the standard's name
    nextPageToken: _Text = _field("as Link: rel=next gave it")  # noqa: N815


def _events_in() -> type[PagesIn]:
    fields: dict[str, Any] = {name: (_Text, _field(text)) for name, text in NAMED.items()}
    return create_model("EventsIn", __base__=PagesIn, **fields)


EventsIn: Final = _events_in()
"""Every parameter of a SimpleEventQuery that has a name of its own."""
OTHERS: Final = f"Lists are divided by |. Beside the parameters below: {FREE_NAMES}."
"""Those whose names hold a type, a unit or an extension field."""
