"""Clocks and guards of applications; values in, values out."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from trace_core.errors import InputError
from trace_server.repairs.model import Guidance, RepairState
from trace_server.workdays.model import Period, Unit

MAX_TEXT = 4096
MAX_PAPERS = 50
TRAINING = "培训记录："
"""How the record of a training begins among the papers."""
OPEN = frozenset({RepairState.SUBMITTED, RepairState.RETURNED, RepairState.ACCEPTED})


@lru_cache(maxsize=1)
def clocks() -> tuple[dict[str, Any], ...]:
    """The rows of `clocks.toml`, newest first."""
    rows = tomllib.loads((Path(__file__).parent / "clocks.toml").read_text(encoding="utf-8"))["clock"]
    return tuple(sorted(rows, key=lambda row: row["effective_from"], reverse=True))


def period(state: RepairState, day: date) -> Period | None:
    """How long the authority may take in `state` by the rule in force on `day`; None when it is not its turn."""
    for row in clocks():
        if row["state"] == state and row["effective_from"] <= day:
            return Period(row["working_days"], Unit.WORKING_DAYS)
    return None


@lru_cache(maxsize=1)
def guidance() -> Guidance:
    """The texts of `guidance.toml`."""
    found = tomllib.loads((Path(__file__).parent / "guidance.toml").read_text(encoding="utf-8"))
    steps = tuple((row["text"], row["text_en"]) for row in found["step"])
    return Guidance(steps, found["legal_basis"], found["confirmed"])


def with_training(papers: tuple[str, ...], training: str) -> tuple[str, ...]:
    """The papers with the record of a training, "" for none, as one of them."""
    return (*papers, f"{TRAINING}{training.strip()}") if training.strip() else papers


def require_text(text: str, where: str) -> str:
    """Raises `InputError` for nothing and for too much."""
    if not 1 <= len(text.strip()) <= MAX_TEXT:
        raise InputError("1 to 4,096 characters are needed", where=where)
    return text.strip()


def require_papers(papers: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers of the papers that show the correction. Raises `InputError`."""
    found = tuple(paper.strip() for paper in papers if paper.strip())
    if not 1 <= len(found) <= MAX_PAPERS or any(len(paper) > 200 for paper in found):
        raise InputError(f"1 to {MAX_PAPERS} papers with their numbers are needed", where="papers")
    return found
