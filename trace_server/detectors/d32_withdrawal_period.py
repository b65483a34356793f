"""D32 withdrawal period 休药期: slaughter or harvest came too soon after an input was used."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from trace_server.db import Connection
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    History,
    Outcome,
    Param,
    Severity,
    SubjectKind,
    Window,
)
from trace_server.detect.history import histories
from trace_server.detect.steps import CUSTODY, LEGAL_TIME, SALE, makes
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part, bodies_with

FIELD = "suyuan:inputUse"
MAX_DAYS = 3650
"""Longest period that an event may state."""


@dataclass(frozen=True, slots=True)
class Period:
    """How long after the use of an input nothing is taken; `target` "": of any animal or crop."""

    input: str
    target: str
    days: int
    legal_basis: str
    effective_from: date
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Use:
    """An input was used on `day`; `days`: the period that the label states, 0 for none told."""

    input: str
    target: str
    day: date
    days: int


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge what was taken from everything that the window names, by all uses of inputs told of it."""
    known = histories(conn, window)
    taken = {key: one for key, one in known.items() if any(_takes(part) for part in (*one.parts, *one.wrong))}
    # A use is told by an event of its own, or the one that makes the lot; movements are most of a life, and none.
    parts = [part for one in taken.values() for part in one.parts if part.biz_step not in CUSTODY]
    bodies = bodies_with(conn, window.dialect, sorted({part.event_key for part in parts}), FIELD) if parts else {}
    uses = {key: tuple(_uses(json.loads(body).get(FIELD))) for key, body in bodies.items()}
    for _, one in sorted(taken.items()):
        yield _judge(
            one, [use for name in {part.event_key for part in one.parts} for use in uses.get(name, ())], params
        )


def _judge(history: History, uses: Sequence[Use], params: Mapping[str, float]) -> Outcome:
    evidence, subject, values = [], "", {"tolerance_days": f"{params['tolerance_days']:g}"}
    for part in history.parts:
        day = part.event_time.astimezone(LEGAL_TIME).date()
        soon = [
            (free, use)
            for use in uses
            if (free := _free_on(use)) is not None
            and use.day <= day < free - timedelta(days=params["tolerance_days"])
        ]  # fmt: skip
        if soon and _takes(part):
            free, use = max(soon, key=lambda one: (one[0], one[1].input))
            told = f"{day.isoformat()}, {use.input} on {use.day.isoformat()}: not before {free.isoformat()}"
            evidence.append(Evidence(part.event_key, part.event_time, told))
            subject = subject or part.biz_location or part.read_point or part.source
    if not evidence:
        return Cleared(history.uri, "no period was running, or the events were declared wrong")
    return Finding(history.uri, subject, SubjectKind.ENTERPRISE, tuple(evidence), values, is_whole=True)


def _takes(part: Part) -> bool:
    """Slaughter, harvest, or sale to a consumer. An animal that is sold on alive waits with its next keeper."""
    return part.role is LinkRole.INPUT or makes(part) or part.biz_step in SALE


def _free_on(use: Use) -> date | None:
    """The first day that it may be taken; None when nobody knows the period."""
    known = [one.days for one in _periods() if one.input == use.input and one.effective_from <= use.day]
    own = [
        one.days
        for one in _periods()
        if one.input == use.input and one.effective_from <= use.day and one.target == use.target
    ]
    days = max(use.days, max(own or known, default=0))
    return use.day + timedelta(days=days) if days else None


def _uses(value: object) -> Iterator[Use]:
    """The uses that a body tells, those that can be read: the field is free text of the sender."""
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, Mapping):
            continue
        name, told, days = one.get("input"), one.get("date"), one.get("periodDays", 0)
        try:
            day = date.fromisoformat(str(told))
        except ValueError:
            continue  # no date, no period: a use that nobody can place is not held against anybody
        if isinstance(name, str) and isinstance(days, int) and 0 <= days <= MAX_DAYS:
            yield Use(name.strip(), str(one.get("target", "")), day, days)


@lru_cache(maxsize=1)
def _periods() -> tuple[Period, ...]:
    file = Path(__file__).with_name("d32_withdrawal.toml")
    rows: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["period"]
    return tuple(Period(**row) for row in rows)


DETECTOR = Detector(
    id="D32",
    version=1,
    title_zh="休药期或安全间隔期未满",
    title_en="Withdrawal period",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="uses are told in suyuan:inputUse of an event that moves nothing; only inputs whose period the event states "
    "or d32_withdrawal.toml knows (the row of the animal or crop, else the longest); moving and selling on a live "
    "animal is free; a use that was declared wrong does not count",
    guard_zh="用药和投入品由不涉及移动的事件中的 suyuan:inputUse 说明；"
    "只判断事件载明期限或 d32_withdrawal.toml 有期限的投入品（取该动物或作物的一行，"
    "没有则取最长的）；活体动物的移动和出售不限；已被声明有误的使用不计",
    basis="农产品质量安全法 art. 29; 兽药管理条例 art. 40; 农药管理条例 art. 34; dated in d32_withdrawal.toml",
    params=(Param("tolerance_days", 0, "d", "default, the office may change it: none; the office may set some"),),
    find=find,
)
