"""`trace-server uplink-mqtt`."""

from __future__ import annotations

import signal
import ssl
from urllib.parse import unquote, urlsplit

import click

from trace_core.errors import ConfigError
from trace_server.accounts.operations import revoked_gateways
from trace_server.config import Settings
from trace_server.services import Services, configure_logs
from trace_server.uplink_mqtt.consumer import BrokerAddress, Consumer
from trace_server.uplink_mqtt.model import Shard

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PORTS = {"mqtts": 8883, "mqtt": 1883}


@click.command("uplink-mqtt")
@click.option("--shard", default="1/1", show_default=True, help="Which of how many processes this is, e.g. 2/4.")
@click.pass_obj
def uplink_mqtt(services: Services, *, shard: str) -> None:
    """trace-server uplink-mqtt --shard 1/2

    Take gateways' batches from the broker of `mqtt_url` until SIGTERM; the same rules as over HTTP.
    """
    from trace_server.app import create_app
    from trace_server.uplink_mqtt.dispatch import Dispatcher

    settings = services.settings
    configure_logs(settings.log_level)
    if not settings.allow_unsafe_database:
        services.db.require_durable()
    ours = Shard.parse(shard)
    dispatcher = Dispatcher(create_app(settings, services.db), services)
    consumer = Consumer(broker_address(settings, ours), dispatcher, ours, lambda: revoked_gateways(services.db))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: consumer.stop())
    consumer.run()


def broker_address(settings: Settings, shard: Shard) -> BrokerAddress:
    """Raises `ConfigError` for an address that cannot be used."""
    parts = urlsplit(settings.mqtt_url)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
        raise ConfigError("no address of a broker", where="mqtt_url", remedy="write mqtts://[USER@]HOST[:PORT]")
    if parts.scheme == "mqtt" and parts.hostname not in LOOPBACK:
        raise ConfigError("mqtt would send goods in clear", where="mqtt_url", remedy="use mqtts")
    return BrokerAddress(
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=settings.mqtt_password,
        tls=_tls(settings) if parts.scheme == "mqtts" else None,
        client_id=f"suyuan-server-{shard.number}-of-{shard.count}",
    )


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.mqtt_ca_file or None)
        if settings.mqtt_cert:
            context.load_cert_chain(settings.mqtt_cert, settings.mqtt_key or None)
    except OSError as error:
        raise ConfigError(f"certificate or key cannot be used: {error}", where="mqtt_cert") from error
    return context


commands: list[click.Command] = [uplink_mqtt]
