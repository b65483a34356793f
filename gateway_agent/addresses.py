"""A reader's `url` → the address of its transport. One entry in `_SCHEMES` per URL scheme."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from gateway_agent.fields import Fields, nearest
from gateway_agent.transports._base import MqttAddress, Transport
from gateway_agent.transports.serial import SerialAddress, SerialTransport
from gateway_agent.transports.tcp import TcpAddress, TcpTransport
from trace_core.readers._base import LineSettings, ReaderProtocol
from trace_core.readers._base import Transport as TransportKind

Address: TypeAlias = SerialAddress | TcpAddress | MqttAddress

MQTT_PORT = 1883
MQTTS_PORT = 8883
_PARITIES = {"N": "none", "E": "even", "O": "odd"}
_MQTT_VERSIONS = {"5": 5, "3.1.1": 4}


@dataclass(frozen=True, slots=True)
class _Url:
    parts: SplitResult
    query: Mapping[str, str]
    fields: Fields
    protocol: ReaderProtocol
    client_id: str


def open_transport(address: Address) -> Transport:
    """A transport that is not opened yet."""
    if isinstance(address, SerialAddress):
        return SerialTransport(address)
    if isinstance(address, TcpAddress):
        return TcpTransport(address)
    from gateway_agent.transports.mqtt import MqttTransport  # 8 MB that other boxes need not have

    return MqttTransport(address)


def parse_address(fields: Fields, protocol: ReaderProtocol, *, default_client_id: str) -> Address:
    """Address in the key `url` of `fields`. Raises `ConfigError`."""
    text = fields.text("url")
    # `#` is MQTT's wildcard but would begin a fragment, which no address here has.
    parts = urlsplit(text.replace("#", "%23"))
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None:
        raise fields.error("url", f"unknown scheme {parts.scheme!r}", nearest(parts.scheme, _SCHEMES) or "use serial:")
    if scheme.kind not in protocol.transports:
        spoken = ", ".join(t.value for t in protocol.transports)
        raise fields.error("url", f"{protocol.name} is not spoken over {parts.scheme}", f"it is over: {spoken}")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    for key in query:
        if key not in scheme.query:
            raise fields.error("url", f"unknown parameter {key!r}", nearest(key, scheme.query) or "leave it out")
    return scheme.parse(_Url(parts, query, fields, protocol, default_client_id))


def _serial(url: _Url) -> SerialAddress:
    usb, socket = url.query.get("usb", ""), url.query.get("socket", "")
    path = unquote(url.parts.path)
    if sum(map(bool, (usb, socket, path))) != 1:
        raise url.fields.error(
            "url",
            "name a device, a USB identity or a USB socket",
            "serial:///dev/ttyUSB0, serial:?usb=1a86:7523 or serial:?socket=1-1.2",
        )
    line = url.protocol.line or LineSettings()
    speeds = url.query.get("baud", str(line.baud)).split(",")
    for baud in speeds:
        if not baud.isdecimal() or not 300 <= int(baud) <= 4_000_000 or speeds.count(baud) > 1:
            raise url.fields.error("url", f"{baud!r} is no line speed", "write baud=115200 or baud=115200,57600")
    first, *more = map(int, speeds)
    line = replace(line, baud=first, parity=_parity(url, line), stopbits=_stopbits(url, line))
    return SerialAddress(path, usb, line, socket, tuple(more))


def _parity(url: _Url, line: LineSettings) -> str:
    word = url.query.get("parity", _PARITIES[line.parity])
    for letter, name in _PARITIES.items():
        if word.lower() in (name, letter.lower()):
            return letter
    raise url.fields.error("url", f"{word!r} is no parity", "write parity=none, parity=even or parity=odd")


def _stopbits(url: _Url, line: LineSettings) -> int:
    word = url.query.get("stopbits", str(line.stopbits))
    if word not in ("1", "2"):
        raise url.fields.error("url", f"{word!r} stop bits", "write stopbits=1 or stopbits=2")
    return int(word)


def _tcp(url: _Url) -> TcpAddress:
    if not url.parts.hostname or not _port(url):
        raise url.fields.error("url", "host and port are needed", "write tcp://HOST:PORT")
    return TcpAddress(url.parts.hostname, _port(url))


def _port(url: _Url) -> int:
    """0 when the URL has none."""
    try:
        return url.parts.port or 0
    except ValueError as error:
        raise url.fields.error("url", "no port number", "write HOST:PORT with a port up to 65535") from error


def _mqtt(url: _Url) -> MqttAddress:
    tls = url.parts.scheme == "mqtts"
    topic = unquote(url.parts.path[1:])
    if not url.parts.hostname or not topic:
        raise url.fields.error("url", "host and topic are needed", "write mqtt://HOST[:PORT]/TOPIC")
    version = url.query.get("version", "5")
    if version not in _MQTT_VERSIONS:
        raise url.fields.error("url", f"MQTT version {version!r}", f"one of {', '.join(_MQTT_VERSIONS)}")
    password_env = url.query.get("password_env", "")
    if password_env and password_env not in os.environ:
        raise url.fields.error("url", f"the environment has no {password_env}", "set it to the broker's password")
    return MqttAddress(
        host=url.parts.hostname,
        port=_port(url) or (MQTTS_PORT if tls else MQTT_PORT),
        topic=topic,
        client_id=url.query.get("client_id", url.client_id),
        protocol=_MQTT_VERSIONS[version],
        tls=tls,
        ca_file=url.query.get("ca_file", ""),
        user=unquote(url.parts.username or ""),
        password=os.environ[password_env] if password_env else "",
    )


@dataclass(frozen=True, slots=True)
class _Scheme:
    kind: TransportKind
    query: frozenset[str]
    parse: Callable[[_Url], Address]


_MQTT_QUERY = frozenset({"version", "client_id", "ca_file", "password_env"})
_SCHEMES: dict[str, _Scheme] = {
    "serial": _Scheme(TransportKind.SERIAL, frozenset({"baud", "parity", "stopbits", "usb", "socket"}), _serial),
    "tcp": _Scheme(TransportKind.TCP, frozenset(), _tcp),
    "mqtt": _Scheme(TransportKind.MQTT, _MQTT_QUERY, _mqtt),
    "mqtts": _Scheme(TransportKind.MQTT, _MQTT_QUERY, _mqtt),
}
