"""Under overload some captures are refused at once, so that those that were let in end and others are served too.

One thread of each web process is always free for something else than a capture: a code page must not wait behind a
thousand documents.
"""

from __future__ import annotations

import threading
from typing import Final

from flask import Blueprint, current_app, g, request
from flask.blueprints import BlueprintSetupState
from prometheus_client import Counter

from trace_core.errors import Retryable
from trace_server.services import EXTENSION

ENDPOINTS: Final = frozenset({"ingest.uplink", "ingest.capture", "ingest.post_event"})
"""What writes events; asking about jobs and events is not limited."""

SHED = Counter("suyuan_capture_shed", "Captures refused because all places were taken")

blueprint = Blueprint("admission", __name__)


class Overloaded(Retryable):
    """This process has as many captures under way as it takes; nothing of the request was read."""

    code = "overloaded"


class Admission:
    """Places for captures of one web process with `threads` threads."""

    def __init__(self, threads: int) -> None:
        self._places = threading.BoundedSemaphore(max(1, threads - 1))

    def enter(self) -> None:
        """Take a place until `leave`. Raises `Overloaded`."""
        if not self._places.acquire(blocking=False):
            SHED.inc()
            raise Overloaded("too many captures at once", remedy="send it again later")

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()


@blueprint.record
def _open(state: BlueprintSetupState) -> None:
    state.app.extensions[__name__] = Admission(state.app.extensions[EXTENSION].settings.threads)


@blueprint.before_app_request
def _enter() -> None:
    if request.endpoint in ENDPOINTS and request.method == "POST":
        admission: Admission = current_app.extensions[__name__]
        admission.enter()
        g.admission = admission


@blueprint.teardown_app_request
def _leave(_: BaseException | None) -> None:
    admission: Admission | None = g.pop("admission", None)
    if admission is not None:
        admission.leave()
