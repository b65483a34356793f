"""What a person says at the box: a check done, an act done. One file a request, kept until its event is committed.

`gateway-agent check` and `gateway-agent act` leave the file; the running gateway takes it, also after a restart. A
request that was committed but not deleted is known by its id and makes no second event.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path

from gateway_agent import clock
from gateway_agent.blocklist import write_durably
from gateway_agent.checkpoints import Role
from gateway_agent.clock import Moment
from gateway_agent.points import ReadPoint
from trace_core.errors import ConfigError

log = logging.getLogger(__name__)

POLL_S = 0.2
TAKEN_LIMIT_S = 3.0
"""How long a command waits to hear that its request was committed."""
MAX_REQUEST_BYTES = 4_096
REQUESTS = "requests"
"""Folder in the state folder."""
SUFFIX = ".request"


class Kind(StrEnum):
    """What was done."""

    PRE_CHECK = "pre_check"
    POST_CHECK = "post_check"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Request:
    """One statement. `code` as typed or scanned; `passed` of checks; `weight_kg` of a filling."""

    number: str
    kind: Kind
    code: str
    read_point: str
    passed: bool
    weight_kg: float | None
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way to the writer: `done` is called after the commit, `again` when there was no room."""

    request: Request
    at: Moment
    done: Callable[[], None]
    again: Callable[[], None]


def leave(folder: Path, request: Request) -> Path:
    """Put the request where the gateway finds it; durable when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{request.number}{SUFFIX}"
    write_durably(path, json.dumps({**asdict(request), "said_at": request.said_at.isoformat()}).encode(), mode=0o600)
    return path


def wait_taken(path: Path) -> bool:
    """Whether the gateway committed the request within a moment. It is kept in any case."""
    limit = clock.now().monotonic + TAKEN_LIMIT_S
    while path.exists():
        if clock.now().monotonic > limit:
            return False
        time.sleep(POLL_S / 2)
    return True


def place_of(points: Sequence[ReadPoint], kind: Kind, named: str) -> str:
    """The read point that a request is about: the named one, else the only one that fits. Raises `ConfigError`."""
    roles = {Role.FILLING} if kind is Kind.ACT else {Role.FILLING, Role.PRE_CHECK}
    fitting = list(dict.fromkeys(p.id for p in points if (p.id == named if named else p.role in roles)))
    if len(fitting) != 1:
        what = f"no read point {named!r}" if named else f"{len(fitting)} read points fit"
        raise ConfigError(what, where="--at", remedy=f"one of: {', '.join(dict.fromkeys(p.id for p in points))}")
    return fitting[0]


def new_number() -> str:
    """Names of later requests sort later, whatever the wall clock does meanwhile on this boot."""
    return f"{round(clock.now().wall.timestamp() * 1000):014d}-{secrets.token_hex(4)}"


class Inbox:
    """`run` is the thread: looks into the folder and hands each request over once."""

    def __init__(self, folder: Path, put: Callable[[Asked], None]) -> None:
        self._folder = folder
        self._put = put
        self._handed: set[str] = set()

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(POLL_S):
            self.look()

    def look(self) -> None:
        """Hand over what is new."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - a tenth of the time, and this is done all day
        except FileNotFoundError:
            return
        for name in sorted(name for name in names if name.endswith(SUFFIX) and name not in self._handed):
            path = self._folder / name
            try:
                request = _parse(path.read_bytes()[:MAX_REQUEST_BYTES])
            except FileNotFoundError:
                continue
            except ConfigError as error:
                log.error("%s: %s", path, error)  # noqa: TRY400 - said in one line
                path.rename(path.with_suffix(".refused"))
                continue
            self._handed.add(path.name)
            again = partial(self._handed.discard, path.name)
            self._put(Asked(request, clock.now(), partial(self._finish, path), again))

    def _finish(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._handed.discard(path.name)


def _parse(data: bytes) -> Request:
    try:
        fields = json.loads(data)
        weight = fields["weight_kg"]
        return Request(
            number=str(fields["number"]),
            kind=Kind(fields["kind"]),
            code=str(fields["code"]),
            read_point=str(fields["read_point"]),
            passed=fields["passed"] is True,
            weight_kg=None if weight is None else float(weight),
            said_at=datetime.fromisoformat(fields["said_at"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"not a request: {error!r}", where="request", remedy="use `gateway-agent check`") from error
