"""From `[server] url` to a link."""

from __future__ import annotations

from gateway_agent.config import ServerConfig
from gateway_agent.links._base import Link
from gateway_agent.links.http import HttpLink
from gateway_agent.server_link import ServerLink


def open_link(config: ServerConfig, gateway_id: str) -> Link:
    """A link that connects with its first request."""
    if config.is_mqtt:
        from gateway_agent.links.mqtt import MqttLink  # 8 MB that other boxes need not have

        return MqttLink(config, gateway_id)
    return HttpLink(ServerLink(config))
