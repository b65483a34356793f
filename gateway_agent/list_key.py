"""Ask the server for the key that signs its block lists, once, when a person pins it."""

from __future__ import annotations

from gateway_agent.blocklist import decode_list_key
from gateway_agent.server_link import ServerLink
from trace_core.errors import ConfigError, Refused

PATH = "/api/v1/gateways/block-list/key"


def fetch(link: ServerLink) -> bytes:
    """32 raw bytes. Raises `Retryable` or `Refused`."""
    reply = link.get(PATH, {})
    if reply.status != 200:
        raise Refused(f"the server answered {reply.status}: {reply.reason()}", where=PATH, remedy="update the server")
    try:
        return decode_list_key(str(reply.json_object().get("public_key", "")))
    except ConfigError as error:
        raise Refused(error.what, where=PATH) from error
