"""One screen for the operator (quality.md §1.3), as rows of text: for the terminal and for the page alike.

An answer is large only while it is fresh. An old "allow" over the next vehicle would be worse than none.
"""

from __future__ import annotations

import os
import sys
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway_agent import clock
from gateway_agent.status_words import ICONS, VERDICTS, duration, pick, reason, say

FRESH_S = 15.0
REFRESH_S = 0.2
READS = 20
_GLYPHS: Mapping[str, tuple[str, ...]] = {
    "A": (" ██ ", "█  █", "████", "█  █", "█  █"),
    "E": ("████", "█   ", "███ ", "█   ", "████"),
    "F": ("████", "█   ", "███ ", "█   ", "█   "),
    "G": (" ███", "█   ", "█ ██", "█  █", " ███"),
    "I": ("███", " █ ", " █ ", " █ ", "███"),
    "L": ("█   ", "█   ", "█   ", "█   ", "████"),
    "N": ("█  █", "██ █", "█ ██", "█  █", "█  █"),
    "O": (" ██ ", "█  █", "█  █", "█  █", " ██ "),
    "R": ("███ ", "█  █", "███ ", "█ █ ", "█  █"),
    "S": (" ███", "█   ", " ██ ", "   █", "███ "),
    "T": ("█████", "  █  ", "  █  ", "  █  ", "  █  "),
    "U": ("█  █", "█  █", "█  █", "█  █", " ██ "),
    "W": ("█   █", "█   █", "█ █ █", "██ ██", "█   █"),
}
_COLOURS = {"allow": "30;102", "warn": "30;103", "refuse": "97;41", "": "97;100"}


@dataclass(frozen=True, slots=True)
class Line:
    """One read of the table."""

    time: str
    verdict: str
    answer: str
    reason: str
    code: str
    place: str


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything on it, in one language. `verdict` is the CBV-free word: allow, warn, refuse, or "" while waiting."""

    verdict: str
    word: str
    icon: str
    why: str
    do: str
    when: str
    reads: tuple[Line, ...]
    facts: tuple[tuple[str, str, bool], ...]
    """Label, value, whether somebody must look."""


def make_screen(status: Mapping[str, Any], now: datetime, language: str) -> Screen:
    """The screen for a document of `status.read_status`."""
    answers = list(status["answers"])[-READS:][::-1]
    newest = answers[0] if answers else None
    age_s = (now - datetime.fromisoformat(newest["shown_at"])).total_seconds() if newest else FRESH_S + 1
    verdict = str(newest["answer"]) if newest and age_s <= FRESH_S else ""
    found = reason(str(newest["reason"])) if newest else None
    is_fresh = found is not None and verdict != ""
    return Screen(
        verdict=verdict,
        word=pick(VERDICTS[verdict], language),
        icon=ICONS[verdict],
        why=pick(found.why, language) if found and is_fresh else say("waiting", language),
        do=pick(found.do, language) if found and is_fresh else "",
        when=say("ago", language, n=int(max(0.0, age_s))) if is_fresh else "",
        reads=tuple(_line(answer, language) for answer in answers),
        facts=tuple(_facts(status, language)),
    )


def _line(answer: Mapping[str, Any], language: str) -> Line:
    shown_at = datetime.fromisoformat(answer["shown_at"]).astimezone()
    return Line(
        time=shown_at.strftime("%H:%M:%S"),
        verdict=str(answer["answer"]),
        answer=pick(VERDICTS.get(str(answer["answer"]), ("", "")), language),
        reason=pick(reason(str(answer["reason"])).why, language),
        code=str(answer["uri"]).removeprefix("urn:epc:id:"),
        place=str(answer["read_point"]).removeprefix("urn:epc:id:sgln:"),
    )


def _facts(status: Mapping[str, Any], language: str) -> list[tuple[str, str, bool]]:
    def label(name: str, **words: object) -> str:
        return say(name, language, **words)

    outbox, oldest_s, hours = status["outbox"], status["oldest_unsent_age_s"], status["outbox"]["hours_left"]
    listed, link, at = status["block_list"], status["link"] or {}, status["clock"] or {}
    age = duration(listed["age_s"], language) if listed["age_s"] is not None else ""
    since = datetime.fromisoformat(at["since"]).astimezone().strftime("%m-%d %H:%M") if at.get("since") else "?"
    is_sure = at.get("state") == "synchronised"
    rows = [
        (label("title"), label("running" if status["running"] else "stopped"), not status["running"]),
        (label("unsent"), str(status["unsent"]), outbox["level"] != "free"),
        (label("oldest"), duration(oldest_s, language) if oldest_s is not None else label("none"), False),
        (label("hours"), label("hours_left", n=hours) if hours is not None else label("unknown"), _is_short(hours)),
        (
            label("list"),
            label("version", version=listed["version"], age=age) if age else label("no_list"),
            not age or bool(listed["is_stale"]),
        ),
        (label("clock"), label("synchronised" if is_sure else "unsure", since=since), not is_sure),
        (label("server"), label(str(link.get("state", "unknown"))), link.get("state") != "online"),
    ]
    rows.append(_settings(status.get("settings") or {}, language))
    for reader in status["readers"]:
        is_well = reader["state"] == "online"
        text = label(str(reader["state"])) + ("" if is_well else f" · {reader['detail']}")
        rows.append((label("reader", reader=reader["name"]), text, not is_well))
    counts = status["counts"] or {}
    names = ("reads", "observed", "suppressed", "weak", "ghosts")
    rows.append((label("counts"), " / ".join(str(counts.get(name, 0)) for name in names), False))
    problem = listed["problem"] or link.get("last_error") or ""
    rows.append((label("error"), str(problem) or label("none"), bool(problem)))
    return rows


def _settings(found: Mapping[str, Any], language: str) -> tuple[str, str, bool]:
    """The version from the server that is in force, and why the last one is not."""
    version, last, problem = found.get("version", 0), found.get("outcome") or {}, found.get("problem") or ""
    text = say("settings_version", language, n=version) if version else say("settings_file", language)
    if last and last["result"] != "kept":
        words = {"n": last["version"], "result": say(str(last["result"]), language), "why": last["reason"]}
        problem = say("settings_tried", language, **words)
    return (say("settings", language), " · ".join(part for part in (text, problem) if part), bool(problem))


def _is_short(hours: float | None) -> bool:
    return hours is not None and hours < 24.0


def terminal_frame(screen: Screen, width: int, height: int, *, with_colour: bool) -> str:
    """One frame of the terminal screen: `height` rows at most, none wider than `width` columns."""
    rows = _band(screen, width, with_colour=with_colour)
    for label, value, is_bad in screen.facts:
        mark = "!" if is_bad else " "
        rows.append(_cut(f"{mark} {_pad(label, 40)} {value}", width))
    rows.append("")
    rows += [
        _cut(f"  {line.time}  {_pad(line.answer, 8)} {_pad(line.reason, 34)} {line.code}", width)
        for line in screen.reads
    ]
    return "\r\n".join(f"{row}\x1b[K" for row in rows[: max(1, height - 1)])


def _band(screen: Screen, width: int, *, with_colour: bool) -> list[str]:
    """The verdict in letters five rows high: Latin ones in both languages, since a terminal has no large Chinese."""
    word = pick(VERDICTS[screen.verdict], "en")
    art = ["  ".join(_GLYPHS[letter][row] for letter in word) for row in range(5)]
    text = "  ".join(part for part in (screen.icon, screen.word, screen.why, screen.do, screen.when) if part)
    rows = ["", *(line.center(width)[:width] for line in art), "", _cut(f"  {text}", width), ""]
    if with_colour:
        colour = _COLOURS[screen.verdict]
        return [f"\x1b[{colour}m{_pad(row, width)}\x1b[0m" for row in rows]
    return rows


def watch(read: Callable[[], Mapping[str, Any]], language: str) -> None:
    """Redraw until Ctrl-C. For a terminal only; the screen before it comes back afterwards."""
    out = sys.stdout
    with_colour = "NO_COLOR" not in os.environ
    out.write("\x1b[?1049h\x1b[?25l")
    try:
        while True:
            size = os.get_terminal_size(out.fileno())
            screen = make_screen(read(), clock.now().wall, language)
            out.write("\x1b[H" + terminal_frame(screen, size.columns, size.lines, with_colour=with_colour) + "\x1b[J")
            out.flush()
            time.sleep(REFRESH_S)
    except KeyboardInterrupt:
        return
    finally:
        out.write("\x1b[?25h\x1b[?1049l")
        out.flush()


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int) -> str:
    return text + " " * max(0, width - _columns(text))


def _cut(text: str, width: int) -> str:
    """At most `width` columns; control characters out of a tag or an error must not reach the terminal."""
    kept, used = [], 0
    for character in text:
        shown = character if character.isprintable() else "·"
        used += _columns(shown)
        if used > width:
            break
        kept.append(shown)
    return "".join(kept)
