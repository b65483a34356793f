"""Settings: one table below, read once at start, from a TOML file and the environment (which wins)."""

from __future__ import annotations

import hmac
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trace_core.errors import ConfigError

PREFIX = "SUYUAN_"
FILE_VARIABLE = "SUYUAN_CONFIG"
NOT_SETTINGS = frozenset(
    {FILE_VARIABLE, "SUYUAN_CONFORMANCE", "SUYUAN_KILL_AT", "SUYUAN_SEED", "SUYUAN_SOAK", "SUYUAN_SCREENSHOTS"}
    | {"SUYUAN_SLLURP", "SUYUAN_LLRPKIT", "SUYUAN_CITUS_URL"}
)
"""Variables with our prefix that are not settings: the file's own name, the tests' data."""
MIN_SECRET_CHARACTERS = 32
_NAMED_SECRET = re.compile(r"[0-9A-HJKMNP-TV-Z]:(.{32,})\Z")


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the settings page. `default` also says the type."""

    name: str
    default: str | int | float | bool
    unit: str
    help: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "database_url", "sqlite:///suyuan.sqlite", "URL", "sqlite:///path or postgresql://user@host/name", secret=True
    ),
    Setting("public_url", "http://127.0.0.1:8080", "URL", "where the public reaches this server; printed in codes"),
    Setting(
        "code_secret", "", "text", "key of the signatures inside product codes, ≥ 32 characters; keep it", secret=True
    ),
    Setting(
        "sealed_key",
        "",
        "text",
        "key of sealed personal data (reporters, id numbers), ≥ 32 characters, kept apart from the backups; "
        "`B:newer,A:older` while `trace-server sealed rotate` runs; empty: nothing personal is taken",
        secret=True,
    ),
    Setting(
        "block_list_key_file", "", "path", "PEM Ed25519 key that signs the block list; empty: derived from code_secret"
    ),
    Setting(
        "console_url", "", "URL", "where people log in, a host name of its own; empty: /console of the public address"
    ),
    Setting("trusted_hosts", "", "names", "further host names to answer to, separated by commas"),
    Setting("trusted_proxies", 0, "proxies", "how many proxies in front set X-Forwarded-For and X-Forwarded-Proto"),
    Setting("host", "127.0.0.1", "address", "address to listen on"),
    Setting("port", 8080, "port", "port to listen on"),
    Setting("threads", 8, "threads", "requests served at once by one web process; also its database connections"),
    Setting("workers", 1, "processes", "web processes; SQLite allows one"),
    Setting("tls_cert", "", "path", "PEM certificate chain; empty: plain HTTP, for a proxy on the same host"),
    Setting("tls_key", "", "path", "PEM private key of tls_cert"),
    Setting("max_body_bytes", 10_485_760, "bytes", "largest request body; capture has its own, lower limit"),
    Setting("statement_timeout_s", 30.0, "seconds", "longest database statement of a request (PostgreSQL)"),
    Setting("busy_timeout_s", 10.0, "seconds", "longest wait for another writer's lock"),
    Setting(
        "backup_confirms",
        "manual",
        "word",
        "when gateways may delete events: `manual` after `trace-server backup confirm`, `immediate` on commit, for "
        "databases that are replicated synchronously",
    ),
    Setting(
        "allow_unsafe_database", False, "yes/no", "start although PostgreSQL has fsync or synchronous_commit off: tests"
    ),
    Setting("mqtt_url", "", "URL", "broker of `trace-server uplink-mqtt`: mqtts://[user@]host[:port]"),
    Setting("mqtt_password", "", "text", "password of that user at the broker", secret=True),
    Setting("mqtt_ca_file", "", "path", "PEM certificates that vouch for the broker; empty: the system's"),
    Setting("mqtt_cert", "", "path", "PEM certificate of this server at the broker"),
    Setting("mqtt_key", "", "path", "PEM private key of mqtt_cert; empty: it is in mqtt_cert"),
    Setting(
        "webhook_hosts",
        "",
        "names",
        "hosts that webhooks may reach by plain HTTP and at private addresses, separated by commas; empty: none",
    ),
    Setting("log_level", "info", "level", "debug, info, warning or error"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of `SETTINGS`, checked."""

    database_url: str = field(default="sqlite:///suyuan.sqlite", repr=False)
    public_url: str = "http://127.0.0.1:8080"
    console_url: str = ""
    code_secret: str = field(default="", repr=False)
    sealed_key: str = field(default="", repr=False)
    block_list_key_file: str = ""
    trusted_hosts: str = ""
    trusted_proxies: int = 0
    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 8
    workers: int = 1
    tls_cert: str = ""
    tls_key: str = ""
    max_body_bytes: int = 10_485_760
    statement_timeout_s: float = 30.0
    busy_timeout_s: float = 10.0
    backup_confirms: str = "manual"
    allow_unsafe_database: bool = False
    mqtt_url: str = ""
    mqtt_password: str = field(default="", repr=False)
    mqtt_ca_file: str = ""
    mqtt_cert: str = ""
    mqtt_key: str = ""
    webhook_hosts: str = ""
    log_level: str = "info"

    def __post_init__(self) -> None:
        _check(self)

    @property
    def oldest_secret(self) -> str:
        """What keys for other purposes are derived from: the last of the code keys, which a rotation leaves alone.

        `B:newer,A:older` gives `older`, and so does `older` by itself: see `trace_server.portal.signature`.
        """
        named = _NAMED_SECRET.match(self.code_secret.rpartition(",")[2].strip())
        return named[1] if named else self.code_secret

    def derived_key(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose only, by HMAC-SHA256; the same after a rotation of the code keys."""
        return hmac.digest(self.oldest_secret.encode(), purpose, "sha256")

    @property
    def all_trusted_hosts(self) -> list[str]:
        """Host names this server answers to: its public one, its own, and those configured."""
        public = urlsplit(self.public_url).hostname or ""
        named = [name.strip() for name in self.trusted_hosts.split(",")]
        console = urlsplit(self.console_url).hostname or ""
        return sorted({name for name in (public, console, "localhost", "127.0.0.1", "[::1]", *named) if name})


def load_settings(env: Mapping[str, str], file: Path | None = None) -> Settings:
    """Settings from `file` (TOML, names as in `SETTINGS`) and variables `SUYUAN_<NAME>`.

    A secret may also be given as `SUYUAN_<NAME>_FILE`, the path of a file that holds it. Raises `ConfigError` for
    unknown names and values that cannot be.
    """
    if file is None and env.get(FILE_VARIABLE):
        file = Path(env[FILE_VARIABLE])
    values = _from_file(file) if file else {}
    values |= _from_environment(env)
    return Settings(**values)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the settings: {error}", where=str(file)) from error
    known = {setting.name: setting for setting in SETTINGS}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise ConfigError(f"unknown setting {name!r}", where=str(file), remedy="see docs/settings-server.md")
        kind = type(known[name].default)
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise ConfigError(f"{name} must be of type {kind.__name__}", where=str(file))
        values[name] = kind(value)
    return values


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    known = {PREFIX + setting.name.upper(): setting for setting in SETTINGS}
    files = {f"{variable}_FILE": setting for variable, setting in known.items() if setting.secret}
    values: dict[str, Any] = {}
    for variable in sorted(name for name in env if name.startswith(PREFIX) and name not in NOT_SETTINGS):
        if variable in known:
            setting = known[variable]
            values[setting.name] = _PARSERS[type(setting.default)](env[variable], variable)
        elif variable in files:
            values[files[variable].name] = _secret(Path(env[variable]), variable)
        else:
            raise ConfigError("unknown setting", where=variable, remedy="see docs/settings-server.md")
    return values


def _secret(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the secret: {error}", where=variable) from error


def _text(value: str, _where: str) -> str:
    return value


def _whole(value: str, where: str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise ConfigError("a whole number is needed", where=where) from error


def _number(value: str, where: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise ConfigError("a number is needed", where=where) from error


def _flag(value: str, where: str) -> bool:
    if value.lower() not in ("0", "1", "yes", "no", "true", "false"):
        raise ConfigError("yes or no is needed", where=where)
    return value.lower() in ("1", "yes", "true")


_PARSERS: dict[type, Callable[[str, str], str | int | float | bool]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _flag,
}


def _check(settings: Settings) -> None:
    public, console = urlsplit(settings.public_url), urlsplit(settings.console_url)
    rules: tuple[tuple[bool, str, str], ...] = (
        (public.scheme in ("http", "https") and bool(public.hostname), "public_url", "an http or https URL is needed"),
        (not public.query and not settings.public_url.endswith("/"), "public_url", "give it without trailing /"),
        (
            not settings.console_url
            or (console.scheme in ("http", "https") and bool(console.hostname) and not console.path),
            "console_url",
            "an http or https address without a path is needed",
        ),
        (0 <= settings.port < 65_536, "port", "a port is 0 to 65535"),
        (1 <= settings.threads <= 256, "threads", "1 to 256"),
        (1 <= settings.workers <= 64, "workers", "1 to 64"),
        (0 <= settings.trusted_proxies <= 5, "trusted_proxies", "0 to 5"),
        (settings.max_body_bytes >= 65_536, "max_body_bytes", "at least 65536"),
        (settings.statement_timeout_s > 0 and settings.busy_timeout_s > 0, "statement_timeout_s", "more than 0"),
        (bool(settings.tls_cert) == bool(settings.tls_key), "tls_key", "tls_cert and tls_key go together"),
        (settings.backup_confirms in ("manual", "immediate"), "backup_confirms", "manual or immediate"),
        (settings.log_level in ("debug", "info", "warning", "error"), "log_level", "debug, info, warning or error"),
        (
            not settings.code_secret or len(settings.code_secret) >= MIN_SECRET_CHARACTERS,
            "code_secret",
            f"at least {MIN_SECRET_CHARACTERS} characters, from a random source",
        ),
        (
            not settings.sealed_key or len(settings.sealed_key) >= MIN_SECRET_CHARACTERS,
            "sealed_key",
            f"at least {MIN_SECRET_CHARACTERS} characters, from a random source",
        ),
    )
    for holds, name, rule in rules:
        if not holds:
            raise ConfigError("the value cannot be used", where=name, remedy=rule)
