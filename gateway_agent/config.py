"""The gateway's settings: one TOML file → frozen dataclasses, checked once at start.

Every wrong setting is a `ConfigError` that names the file, the key and what to write instead.
"""

from __future__ import annotations

import os
import socket
import ssl
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway_agent.addresses import Address, parse_address
from gateway_agent.answering import Policy
from gateway_agent.blocklist import Verdict, decode_list_key
from gateway_agent.fields import Fields, nearest
from gateway_agent.lines import Lines
from gateway_agent.overlay import overlay, unknown_names
from gateway_agent.points import ReadPoint, parse_read_point
from gateway_agent.settings import SECTIONS
from trace_core.errors import ConfigError, Retryable
from trace_core.ids import uscc
from trace_core.readers._base import ReaderProtocol

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SERVER_PORTS = {"https": 443, "mqtts": 8883, "http": 80, "mqtt": 1883}
BUS_OPTION = "address"
"""Option of protocols whose readers can share a line."""
IN_CLEAR = frozenset({"http", "mqtt"})


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """`[server]`"""

    url: str
    ca_file: str
    timeout_s: float
    first_connect_spread_s: float
    slow_retry_s: float
    enrol_url: str = ""
    """Where `enrol` goes when `url` names a broker: a box without an identity has no place there."""
    cert_file: str = ""
    key_file: str = ""
    password_env: str = ""

    @property
    def is_mqtt(self) -> bool:
        return urlsplit(self.url).scheme in ("mqtt", "mqtts")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or SERVER_PORTS[parts.scheme]

    def for_enrolment(self) -> ServerConfig:
        """The same server over HTTP(S). Raises `ConfigError` when only a broker is named."""
        if not self.is_mqtt:
            return self
        if not self.enrol_url:
            raise ConfigError("a broker cannot enrol", where="server.enrol_url", remedy="write https://HOST[:PORT]")
        return replace(self, url=self.enrol_url)

    def tls_context(self) -> ssl.SSLContext:
        """What we trust, and who we are if there is a certificate. Raises `Retryable`: a file may come back."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except OSError as error:
            raise Retryable(f"certificate or key cannot be used: {error}", where="[server]") from error
        return context


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """`[gateway]`"""

    state_dir: Path
    outbox_max_mb: float
    queue_size: int
    group_size: int
    group_ms: float
    utc_offset: timezone
    status_port: int = 0
    settings_trial_s: float = 60.0


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """`[[reader]]`"""

    name: str
    protocol: ReaderProtocol
    address: Address
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """One entry of `answer.outputs`; which fields count depends on `type`."""

    type: str
    path: Path = Path()
    command: tuple[str, ...] = ()
    time_limit_s: float = 2.0
    url: str = ""
    ca_file: str = ""
    password_env: str = ""
    answers: tuple[str, ...] = ()
    read_points: tuple[str, ...] = ()
    reader: str = ""
    gpo: int = 0
    high_on: tuple[str, ...] = ("allow",)
    pulse_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """`[answer]`"""

    policy: Policy
    outputs: tuple[OutputConfig, ...]
    list_key: bytes | None


@dataclass(frozen=True, slots=True)
class Config:
    path: Path
    server: ServerConfig
    gateway: GatewayConfig
    readers: tuple[ReaderConfig, ...]
    read_points: tuple[ReadPoint, ...]
    answer: AnswerConfig

    def lines(self) -> Lines:
        """The output lines that its readers can have; nothing serves them yet."""
        return Lines({reader.name: reader.protocol.outputs for reader in self.readers})

    def ports(self) -> list[tuple[ReaderConfig, ...]]:
        """Readers by the port they are on; several on one are a bus."""
        found: dict[Address, list[ReaderConfig]] = {}
        for reader in self.readers:
            found.setdefault(reader.address, []).append(reader)
        return [tuple(readers) for readers in found.values()]


def load_config(path: Path, protocols: Mapping[str, ReaderProtocol], remote: Mapping[str, Any] | None = None) -> Config:
    """Read and check the file, with settings of the server over it. Raises `ConfigError`.

    Relative paths in it are relative to its folder.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the file: {error.strerror}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not TOML: {error}", where=str(path), remedy="see deploy/gateway.example.toml") from error
    if remote:
        for name in unknown_names(data, remote):
            raise ConfigError("the file has no such entry", where=f"settings: {name}", remedy="see the gateway's file")
        data = overlay(data, remote)
    return parse_config(data, path, protocols)


def parse_config(data: Mapping[str, object], path: Path, protocols: Mapping[str, ReaderProtocol]) -> Config:
    """The same, from parsed TOML."""
    root = Fields(data, where=str(path), known=SECTIONS)
    readers = tuple(_reader(f, protocols) for f in root.tables("reader"))
    _refuse_duplicates([r.name for r in readers], f"{path}: reader.name")
    gateway = _gateway(root.table("gateway"), path.parent)
    config = Config(
        path=path,
        server=_server(root.table("server"), path.parent),
        gateway=gateway,
        readers=readers,
        read_points=tuple(parse_read_point(f, [r.name for r in readers]) for f in root.tables("read_point")),
        answer=_answer(root.table("answer", required=False), path.parent, gateway.utc_offset),
    )
    covered = [f"{p.reader}/{antenna}" for p in config.read_points for antenna in p.covered]
    _refuse_duplicates(covered, f"{path}: read_point")
    for readers in config.ports():
        _check_bus(readers, f"{path}: reader")
    for point in config.read_points:
        if point.act_of and point.act_of not in [p.id for p in config.read_points]:
            raise ConfigError(f"no read point {point.act_of!r}", where=f"{path}: act_of", remedy="name its id")
    for reader in readers:
        if not any(point.reader == reader.name for point in config.read_points):
            raise ConfigError(
                f"reader {reader.name!r} has no read point", where=f"{path}: reader", remedy="add a [[read_point]]"
            )
    return config


def _server(fields: Fields, folder: Path) -> ServerConfig:
    url = fields.text("url").rstrip("/")
    _check_url(fields, "url", url, SERVER_PORTS)
    enrol_url = fields.text("enrol_url").rstrip("/")
    if enrol_url:
        _check_url(fields, "enrol_url", enrol_url, ("https", "http"))
    files = {}
    for key in ("ca_file", "cert_file", "key_file"):
        name = fields.text(key)
        if name and not (folder / name).is_file():
            raise fields.error(key, f"no such file: {folder / name}", "put the PEM file there")
        files[key] = str(folder / name) if name else ""
    if files["key_file"] and not files["cert_file"]:
        raise fields.error("cert_file", "a key without its certificate", "name both")
    password_env = fields.text("password_env")
    if password_env and password_env not in os.environ:
        raise fields.error("password_env", f"the environment has no {password_env}", "set it to the broker's password")
    return ServerConfig(
        url=url,
        ca_file=files["ca_file"],
        timeout_s=fields.number("timeout_s"),
        first_connect_spread_s=fields.number("first_connect_spread_s"),
        slow_retry_s=fields.number("slow_retry_s"),
        enrol_url=enrol_url,
        cert_file=files["cert_file"],
        key_file=files["key_file"],
        password_env=password_env,
    )


def _check_url(fields: Fields, key: str, url: str, schemes: Iterable[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise fields.error(
            key,
            "not a URL of a server",
            "write " + " or ".join(f"{s}://HOST[:PORT]" for s in schemes if s not in IN_CLEAR),
        )
    try:
        _ = parts.port
    except ValueError as error:
        raise fields.error(key, "no port number", "write HOST:PORT with a port up to 65535") from error
    if parts.scheme in ("mqtts", "mqtt") and (parts.path or parts.username):
        raise fields.error(key, "only host and port of the broker", "topics and user name follow from the identity")
    if parts.scheme in IN_CLEAR and parts.hostname not in LOOPBACK:
        secure = f"{parts.scheme}s"
        remedy = f"use {secure}; {parts.scheme} is for loopback only"
        raise fields.error(key, f"{parts.scheme} would send goods and keys in clear", remedy)


def _gateway(fields: Fields, folder: Path) -> GatewayConfig:
    return GatewayConfig(
        state_dir=folder / fields.text("state_dir"),
        outbox_max_mb=fields.number("outbox_max_mb"),
        queue_size=fields.integer("queue_size"),
        group_size=fields.integer("group_size"),
        group_ms=fields.number("group_ms"),
        utc_offset=_utc_offset(fields),
        status_port=fields.integer("status_port"),
        settings_trial_s=fields.number("settings_trial_s"),
    )


def _utc_offset(fields: Fields) -> timezone:
    text = fields.text("utc_offset")
    sign, hours, colon, minutes = text[:1], text[1:3], text[3:4], text[4:]
    if sign not in ("+", "-") or colon != ":" or not (hours + minutes).isdigit() or len(text) != 6:
        raise fields.error("utc_offset", f"{text!r} is no offset", "write +08:00")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset > timedelta(hours=14):
        raise fields.error("utc_offset", "no place is that far from UTC", "write +08:00")
    return timezone(-offset if sign == "-" else offset)


def _reader(fields: Fields, protocols: Mapping[str, ReaderProtocol]) -> ReaderConfig:
    name = fields.text("name")
    protocol = protocols.get(fields.text("protocol"))
    if protocol is None:
        wanted = fields.text("protocol")
        raise fields.error("protocol", f"no protocol {wanted!r}", nearest(wanted, protocols) or "see `protocols`")
    options = fields.mapping("options")
    for option in options:
        if option not in protocol.options:
            remedy = nearest(option, protocol.options) or f"{protocol.name} knows: {', '.join(protocol.options) or '-'}"
            raise fields.error(f"options.{option}", "unknown option", remedy)
    try:
        protocol.host(options)  # checks the values; a session does nothing before `start`
    except ConfigError as error:
        raise fields.error(f"options: {error.where}", error.what, error.remedy) from error
    address = parse_address(fields, protocol, default_client_id=f"suyuan-{socket.gethostname()}-{name}")
    return ReaderConfig(name, protocol, address, options)


def _answer(fields: Fields, folder: Path, utc_offset: timezone) -> AnswerConfig:
    policy = Policy(
        without_list=Verdict(fields.choice("without_list", ("allow", "warn"))),
        stale_after_s=fields.number("list_stale_h") * 3600,
        owner=fields.text("owner"),
        pre_check_valid_s=fields.number("pre_check_valid_s"),
        utc_offset=utc_offset,
    )
    if policy.owner and not uscc.is_valid(policy.owner):
        raise fields.error("owner", f"{policy.owner!r} is no USCC", "18 characters, GB 32100")
    key = fields.text("list_key")
    try:
        list_key = decode_list_key(key) if key else None
    except ConfigError as error:
        raise fields.error("list_key", error.what, error.remedy) from error
    return AnswerConfig(policy, tuple(_output(f, folder) for f in fields.tables("outputs")), list_key)


def _output(fields: Fields, folder: Path) -> OutputConfig:
    answers = fields.texts("answers")
    for word in answers:
        if word not in set(Verdict):
            raise fields.error("answers", f"{word!r} is no answer", "allow, warn or refuse")
    return OutputConfig(
        type=fields.text("type"),
        path=folder / fields.text("path"),
        command=fields.texts("command"),
        time_limit_s=fields.number("time_limit_s"),
        url=fields.text("url"),
        ca_file=str(folder / fields.text("ca_file")) if fields.text("ca_file") else "",
        password_env=fields.text("password_env"),
        answers=answers,
        read_points=fields.texts("read_points"),
        reader=fields.text("reader"),
        gpo=fields.integer("gpo"),
        high_on=fields.texts("high_on") or ("allow",),
        pulse_s=fields.number("pulse_s"),
    )


def _check_bus(readers: tuple[ReaderConfig, ...], where: str) -> None:
    """Readers on one port must be of one protocol that has addresses, each with its own."""
    if len(readers) < 2:
        return
    names, protocol = ", ".join(reader.name for reader in readers), readers[0].protocol
    addresses = [reader.options.get(BUS_OPTION) for reader in readers]
    if BUS_OPTION not in protocol.options or any(reader.protocol is not protocol for reader in readers):
        raise ConfigError(f"{names} are on one port without addresses", where=where, remedy="give each its own url")
    if None in addresses or len(set(addresses)) != len(addresses):
        remedy = "write options = {address = 1} and so on"
        raise ConfigError(f"{names} are on one port and need an address each", where=where, remedy=remedy)


def _refuse_duplicates(values: list[str], where: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"{value!r} appears twice", where=where, remedy="give each its own")
