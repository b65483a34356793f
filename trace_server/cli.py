"""`trace-server`: every command parses, calls one operation and prints."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from trace_core.errors import ConfigError, TraceError
from trace_server.config import Settings, load_settings
from trace_server.db import migrate
from trace_server.db.distribute import DEFAULT_SHARDS, plan, require_citus
from trace_server.db.distribute import distribute as run_plan
from trace_server.services import Services, collect_less_often, configure_logs, open_services

COMMANDS: tuple[str, ...] = (
    "trace_server.accounts.cli",
    "trace_server.users.cli",
    "trace_server.audit.cli",
    "trace_server.sealed.cli",
    "trace_server.jobs.cli",
    "trace_server.workdays.cli",
    "trace_server.catalog.cli",
    "trace_server.registers.cli",
    "trace_server.registers.party_cli",
    "trace_server.equipment.cli",
    "trace_server.indications.cli",
    "trace_server.shops.cli",
    "trace_server.blocklist.cli",
    "trace_server.fleet.cli",
    "trace_server.ingest.cli",
    "trace_server.recall.cli",
    "trace_server.subscriptions.cli",
    "trace_server.trace.cli",
    "trace_server.detect.cli",
    "trace_server.cases.cli",
    "trace_server.reports.cli",
    "trace_server.credit.cli",
    "trace_server.policies.cli",
    "trace_server.supervision.cli",
    "trace_server.commitments.cli",
    "trace_server.objections.cli",
    "trace_server.imports.cli",
    "trace_server.portal.cli",
    "trace_server.resolver.cli",
    "trace_server.uplink_mqtt.cli",
    "trace_server.sample.cli",
)
"""Modules that offer `commands: list[click.Command]`; a missing one is an error."""
DRAIN_S = 30
"""How long accepted requests may take to finish after SIGTERM; keep systemd's TimeoutStopSec above it."""
KEEPALIVE_S = 15
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_METRICS_PREFIX = "suyuan-metrics-"
_WORDS = "trace_server.words"
_WITHOUT_SCHEMA = ("db",)


class Root(click.Group):
    """Remembers the words behind the command, so that asking for help needs no database."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Also keeps `args` in `ctx.meta`."""
        ctx.meta[_WORDS] = tuple(args)
        return super().parse_args(ctx, args)


@click.group(cls=Root, epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong use.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="TOML file of settings; also SUYUAN_CONFIG. Variables SUYUAN_<NAME> win over it.",
)
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """trace-server db upgrade && trace-server run

    The Suyuan (溯源) server: capture, catalog, credit, public pages.
    """
    if "--help" in ctx.meta[_WORDS]:
        return
    services = open_services(load_settings(os.environ, config))
    ctx.call_on_close(services.db.dispose)
    ctx.obj = services
    if ctx.invoked_subcommand not in _WITHOUT_SCHEMA:
        migrate.require_current(services.db)


@cli.group()
def db() -> None:
    """Schema of the database, e.g. `trace-server db upgrade`."""


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def upgrade(services: Services, *, as_json: bool) -> None:
    """Bring the database to the schema this program needs; doing it again changes nothing."""
    _print_schema(migrate.upgrade(services.db.url), as_json=as_json)


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def check(services: Services, *, as_json: bool) -> None:
    """Exit 1 unless the schema is exactly the one this program needs."""
    found = migrate.state(services.db)
    _print_schema(found, as_json=as_json)
    if not found.is_current:
        sys.exit(1)


@db.command()
@click.option("--shards", default=DEFAULT_SHARDS, show_default=True, help="Pieces of each sharded table.")
@click.option("--dry-run", is_flag=True, help="Print all statements and run none.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a statement.")
@click.pass_obj
def distribute(services: Services, *, shards: int, dry_run: bool, as_json: bool) -> None:
    """trace-server db distribute --dry-run

    Spread the tables over a Citus cluster. Interrupted, the same command goes on where it stopped.
    """
    if not dry_run:
        require_citus(services.db)
        if not migrate.state(services.db).is_current:
            raise ConfigError("the schema is not current", where="database_url", remedy="trace-server db upgrade")
    for step in plan(shards=shards) if dry_run else run_plan(services.db, shards=shards):
        print(json.dumps(dataclasses.asdict(step)) if as_json else f"{step.statement};", flush=True)


@cli.command()
@click.option("--host", default=None, help="Address to listen on.")
@click.option("--port", default=None, type=click.IntRange(0, 65_535), help="Port to listen on.")
@click.option("--threads", default=None, type=click.IntRange(1, 256), help="Requests at once per process.")
@click.option("--workers", default=None, type=click.IntRange(1, 64), help="Web processes; SQLite allows one.")
@click.option("--tls-cert", default=None, type=click.Path(exists=True, dir_okay=False), help="PEM certificate chain.")
@click.option("--tls-key", default=None, type=click.Path(exists=True, dir_okay=False), help="PEM private key.")
@click.pass_obj
def run(services: Services, /, **given: str | int | None) -> None:
    """trace-server run --port 8080

    Serve HTTP until SIGTERM.
    """
    settings = dataclasses.replace(services.settings, **_given(given))
    if settings.workers > 1 and not services.db.dialect.has_concurrent_writers:
        raise ConfigError("SQLite serves one web process", where="workers", remedy="use --workers 1 or PostgreSQL")
    _require_fit(services)
    if not settings.code_secret:
        raise ConfigError(
            "there is no secret to sign codes, cursors and lists with",
            where="code_secret",
            remedy="set SUYUAN_CODE_SECRET to 32 random characters or more, e.g. `openssl rand -hex 32`, and keep it",
        )
    if settings.workers > 1 and METRICS_FOLDER not in os.environ:
        _start_over_with_shared_metrics()
    services.db.dispose()  # connections must not be shared with the processes that gunicorn forks
    _serve(settings)


@cli.command()
@click.option("--once", is_flag=True, help="Run every job once and end; exit 1 when one failed.")
@click.option("--health-file", type=click.Path(dir_okay=False, path_type=Path), help="Sign of life of the worker.")
@click.option("--check", is_flag=True, help="Exit 1 unless a running worker renews --health-file.")
@click.pass_obj
def worker(services: Services, *, once: bool, health_file: Path | None, check: bool) -> None:
    """Run the periodic jobs until SIGTERM."""
    from trace_server.jobs.runner import run_due
    from trace_server.worker import Worker, find_jobs, find_kinds, require_alive, serve

    if check:
        if health_file is None:
            raise click.UsageError("--check needs the --health-file that the worker was given")
        require_alive(health_file)
        return
    configure_logs(services.settings.log_level)
    _require_fit(services)
    if not once:
        serve(services, find_jobs(), health_file)
        return
    outcome = Worker(services, find_jobs()).run_once()
    run_due(services, find_kinds())
    print(json.dumps(outcome))
    if not all(outcome.values()):
        sys.exit(1)


for _name in COMMANDS:
    for _command in importlib.import_module(_name).commands:
        if _command.name in cli.commands:
            raise ValueError(f"{_name}: the command {_command.name!r} is taken")
        cli.add_command(_command)


def main() -> None:
    """Entry point of `trace-server`."""
    collect_less_often()  # processes that gunicorn forks inherit it
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(1)
    except TraceError as error:
        click.echo(f"trace-server: {error}", err=True)
        sys.exit(1)


def _given(options: dict[str, str | int | None]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _require_fit(services: Services) -> None:
    if not services.settings.allow_unsafe_database:
        services.db.require_durable()


def _print_schema(found: migrate.SchemaState, *, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps({"current": found.current or None, "expected": found.expected, "is_current": found.is_current})
        )
    else:
        print(f"schema {found.current or 'empty'}, needed {found.expected}")


def _start_over_with_shared_metrics() -> None:
    """Counters decide when they are imported, long before this, whether processes share them: run again, told so."""
    os.environ[METRICS_FOLDER] = tempfile.mkdtemp(prefix=_METRICS_PREFIX)
    os.execv(sys.executable, [sys.executable, "-m", "trace_server", *sys.argv[1:]])  # noqa: S606 – ourselves


def _watch_shutdown(worker: Any) -> None:  # noqa: ANN401 – gunicorn's hook
    from trace_server.subscriptions import live

    live.SOCKETS.is_serving = lambda: bool(worker.alive)


def _forget_worker(_arbiter: object, worker: Any) -> None:  # noqa: ANN401 – gunicorn's hook
    from prometheus_client.multiprocess import mark_process_dead

    if METRICS_FOLDER in os.environ:
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _drop_metrics(_arbiter: object) -> None:
    folder = Path(os.environ.get(METRICS_FOLDER, ""))
    if folder.name.startswith(_METRICS_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def _serve(settings: Settings) -> None:
    from gunicorn.app.base import BaseApplication

    configure_logs(settings.log_level)

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in _gunicorn_options(settings).items():
                self.cfg.set(name, value)

        def load(self) -> object:
            from trace_server.app import create_app

            return create_app(settings)

    Server().run()


def _server_log() -> type:
    from gunicorn.glogging import Logger

    class ServerLog(Logger):  # type: ignore[misc]
        """gunicorn's own lines go where all others go, as JSON."""

        def setup(self, cfg: object) -> None:
            self.cfg = cfg
            self.error_log.propagate = True

    return ServerLog


def _gunicorn_options(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bind": f"{settings.host}:{settings.port}",
        "worker_class": "gthread",
        "workers": settings.workers,
        "threads": settings.threads,
        "graceful_timeout": DRAIN_S,
        "keepalive": KEEPALIVE_S,
        "limit_request_line": 8190,
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 – a heartbeat, no data
        "proc_name": "trace-server",
        "logger_class": _server_log(),
        "control_socket_disable": True,
        "post_worker_init": _watch_shutdown,
        "child_exit": _forget_worker,
        "on_exit": _drop_metrics,
    }
    if settings.tls_cert:
        options |= {"certfile": settings.tls_cert, "keyfile": settings.tls_key}
    return options
