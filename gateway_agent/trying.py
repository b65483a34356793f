"""Run the service again and again: with the settings in force, or with a candidate until it proved itself."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway_agent import clock
from gateway_agent.blocklist import pinned_key
from gateway_agent.config import Config
from gateway_agent.identity import load_identity
from gateway_agent.notify import notify
from gateway_agent.outbox_schema import require_known
from gateway_agent.outbox_view import OutboxView
from gateway_agent.remote import RemoteSettings
from gateway_agent.service import Service, single_instance
from trace_core.errors import ConfigError, NotFound, TraceError
from trace_core.readers._base import DeviceState

log = logging.getLogger(__name__)

LOOK_S = 0.2
Load = Callable[[Mapping[str, Any]], Config]
"""The file with these settings over it. Raises `ConfigError`."""


def run(load: Load) -> None:
    """Run until SIGTERM or SIGINT. `load({})` is the file alone."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    config = load({})
    folder = config.gateway.state_dir
    with single_instance(folder):
        require_known(folder / "outbox.sqlite")
        me = load_identity(folder)
        remote = RemoteSettings(folder, config.answer.list_key or pinned_key(folder), me.gateway_id)

        def started() -> None:
            notify("READY=1")
            log.info("running; state in %s", folder)

        run_until(done, load, remote, started)


def run_until(done: threading.Event, load: Load, remote: RemoteSettings, started: Callable[[], None]) -> None:
    """`started` is called once the service runs. Returns when `done` is set and the service has drained."""
    while not done.is_set():
        trying = remote.begin_trial(_online(remote.folder))
        try:
            config = load(trying.settings if trying else remote.in_force())
        except ConfigError as error:
            if trying:
                remote.conclude("refused", str(error))
            elif remote.in_force():
                remote.drop(str(error))
            else:
                raise
            continue
        if trying:
            _try(config, remote, done, started)
        else:
            service = Service(config, remote)
            service.start()
            started()
            _wait(done, remote, service)


def _try(config: Config, remote: RemoteSettings, done: threading.Event, started: Callable[[], None]) -> None:
    """Keep the candidate and run on with it, or roll back and return."""
    begun = clock.now().monotonic
    try:
        service = Service(config, remote)
        service.start()
    except (TraceError, OSError, RuntimeError) as error:
        remote.conclude("rolled_back", f"the gateway did not start: {error}")
        return
    started()
    limit = begun + config.gateway.settings_trial_s
    while not done.wait(LOOK_S):
        missing = _missing(config, service, remote.before, begun)
        if not missing:
            remote.conclude("kept")
            service.report_soon()
            _wait(done, remote, service)
            return
        if clock.now().monotonic > limit:
            remote.conclude("rolled_back", f"within {config.gateway.settings_trial_s:g} s: {'; '.join(missing)}")
            break
    else:
        remote.interrupted()
    service.stop()


def _wait(done: threading.Event, remote: RemoteSettings, service: Service) -> None:
    while not done.wait(LOOK_S) and not remote.has_candidate:
        pass
    if done.is_set():
        log.info("stopping")
        notify("STOPPING=1")
    service.stop()


def _missing(config: Config, service: Service, before: Collection[str], begun: float) -> list[str]:
    """What was there before the trial and is not there now. A broker's reader is heard when a tag comes."""
    found = [] if service.heard_at > begun else ["the server did not answer"]
    judged = {reader.name for reader in config.readers if not reader.protocol.framed_by_transport}
    return found + [f"reader {name} did not come up" for name in sorted(judged & set(before) - service.online)]


def _online(folder: Path) -> set[str]:
    """Readers that were well when the gateway last ran."""
    try:
        with closing(OutboxView(folder / "outbox.sqlite")) as view:
            return {line.reader for line in view.devices() if line.state == DeviceState.ONLINE}
    except NotFound:
        return set()
