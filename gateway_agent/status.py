"""What the gateway says of itself: `describe` inside the running program, `read_status` from outside, by file only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway_agent import clock
from gateway_agent.blocklist import BlockListFile
from gateway_agent.clock import ClockJudge
from gateway_agent.config import Config
from gateway_agent.outbox_view import OutboxView, Summary
from gateway_agent.supervise import Supervisor

if TYPE_CHECKING:
    from gateway_agent.uplink import Sender
    from gateway_agent.writing import Writer

LAST_ANSWERS = 20
BYTES_PER_EVENT = 1_000
"""File growth for one event with its presence: 982 measured over 20,000 SGTIN-96 tags with TID."""


@dataclass(slots=True)
class ClockWatch:
    """Since when the wall clock is what it is."""

    judge: ClockJudge
    _state: str = ""
    _since: str = ""

    def fields(self) -> dict[str, object]:
        """State, since when, and how far from the server."""
        wall = clock.now().wall
        state = self.judge.state(wall).value
        if state != self._state:
            self._state, self._since = state, wall.isoformat(timespec="seconds")
        return {"state": state, "since": self._since, "skew_s": self.judge.skew_s}


def describe(
    writer: Writer, sender: Sender, supervisor: Supervisor, watch: ClockWatch, block_list: BlockListFile
) -> Mapping[str, object]:
    """What the writer stores for `read_status`, JSON values only."""
    link = sender.state
    return {
        "pid": os.getpid(),
        "level": writer.level.value,
        "counts": writer.observer.counts.as_fields(),
        "crashes": dict(supervisor.crashes),
        "answers": writer.last_answers,
        "clock": watch.fields(),
        "block_list": {
            "version": block_list.version,
            "issued_at": block_list.current.issued_at.isoformat() if block_list.current else None,
            "problem": block_list.problem,
        },
        "link": {**asdict(link), "last_ack_at": link.last_ack_at.isoformat() if link.last_ack_at else None},
    }


def read_status(config: Config, *, running: bool) -> dict[str, object]:
    """One document about the gateway, read from its outbox; works while it runs and when it does not.

    Raises `NotFound` before the first start.
    """
    path: Path = config.gateway.state_dir / "outbox.sqlite"
    now = clock.now().wall
    with closing(OutboxView(path)) as view:
        summary = view.summary()
        state = view.state()
        devices = view.devices()
        gaps = view.gaps()
        answers = _answers(view, state.get("answers", []))
    listed = state.get("block_list", {})
    issued_at = listed.get("issued_at")
    list_age_s = round((now - datetime.fromisoformat(issued_at)).total_seconds()) if issued_at else None
    oldest = summary.oldest_unsent
    quota_bytes = config.gateway.outbox_max_mb * 1_000_000
    used = summary.file_bytes / quota_bytes
    return {
        "running": running,
        "unsent": summary.unsent,
        "oldest_unsent_age_s": round((now - oldest).total_seconds(), 1) if oldest else None,
        "readers": [
            {"name": line.reader, "state": line.state, "detail": line.detail, "since": line.since.isoformat()}
            for line in devices
        ],
        "answers": answers,
        "clock": state.get("clock"),
        "block_list": {
            "version": listed.get("version", 0),
            "age_s": list_age_s,
            "is_stale": list_age_s is not None and list_age_s > config.answer.policy.stale_after_s,
            "problem": listed.get("problem", ""),
        },
        "link": state.get("link"),
        "settings": state.get("settings"),
        "counts": state.get("counts"),
        "crashes": state.get("crashes", {}),
        "outbox": {
            "epoch": summary.epoch,
            "last_seq": summary.last_seq,
            "acked": summary.acked,
            "level": state.get("level", "free"),
            "used": round(used, 4),
            "hours_left": _hours_left(summary, now, quota_bytes),
            "quarantined": summary.quarantined,
            "set_aside": len(list(path.parent.glob(f"{path.name}.corrupt-*[0-9]"))),
        },
        "gaps": [
            {"from": g.from_at.isoformat(), "to": g.to_at.isoformat(), "count": g.count, "reason": g.reason}
            for g in gaps
        ],
    }


def _answers(view: OutboxView, stored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last answers, oldest first: from the events, since those are there as soon as they are committed, and what
    the gateway remembered of events that are gone from the box.
    """
    found = {(answer["epoch"], answer["seq"]): answer for answer in stored}
    for row in view.events(LAST_ANSWERS):
        event = json.loads(row.body)
        if event.get("suyuan:presence") == "departed" or "suyuan:answer" not in event:
            continue
        place = (event["suyuan:epoch"], event["suyuan:seq"])
        found.setdefault(
            place,
            {
                "shown_at": row.stored_at.isoformat(timespec="milliseconds"),
                "read_point": event["readPoint"]["id"],
                "epc": event.get("suyuan:rawEpc", ""),
                "uri": event["epcList"][0],
                "answer": event["suyuan:answer"],
                "reason": event["suyuan:reason"],
                "list_age_s": event.get("suyuan:listAgeSeconds"),
                "seq": place[1],
                "epoch": place[0],
            },
        )
    return sorted(found.values(), key=lambda answer: str(answer["shown_at"]))[-LAST_ANSWERS:]


def _hours_left(summary: Summary, now: datetime, quota_bytes: float) -> float | None:
    """How long the outbox lasts without a server, at the rate of the newest rows; None without any."""
    if not summary.recent or summary.recent_since is None:
        return None
    per_hour = summary.recent / max(1.0, (now - summary.recent_since).total_seconds()) * 3600
    return round(max(0.0, quota_bytes - summary.file_bytes) / BYTES_PER_EVENT / per_hour, 1)
