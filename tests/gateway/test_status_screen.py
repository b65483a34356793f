"""The operator's screen, in terminal and browser: the verdict large while it is fresh, all facts, both languages."""

from __future__ import annotations

import http.client
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from gateway_agent.status_page import StatusPage, page
from gateway_agent.status_screen import FRESH_S, make_screen, terminal_frame
from gateway_agent.status_words import LABELS, REASONS, VERDICTS, duration, reason
from tests.gateway.cursor_server import cursor_server
from tests.gateway.make import POINT, epc
from tests.gateway.process import GatewayProcess, ended, serial_reader, until
from tests.services import free_port
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown(number: int, verdict: str = "refuse", why: str = "overdue", age_s: float = 1.0) -> dict[str, object]:
    at = (NOW - timedelta(seconds=age_s)).isoformat()
    uri = f"urn:epc:id:sgtin:0614141.812345.{number}"
    return {"shown_at": at, "read_point": POINT, "epc": "", "uri": uri, "answer": verdict, "reason": why} | {
        "list_age_s": 60.0,
        "seq": number,
        "epoch": "0" * 16,
    }


def status(*answers: Mapping[str, object], **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "running": True,
        "unsent": 3,
        "oldest_unsent_age_s": 75.0,
        "readers": [{"name": "door", "state": "silent", "detail": "<b>no such port</b>", "since": NOW.isoformat()}],
        "answers": list(answers),
        "clock": {"state": "unsure", "since": NOW.isoformat(), "skew_s": None},
        "block_list": {"version": 7, "age_s": 7300, "is_stale": False, "problem": ""},
        "link": {"state": "retrying", "last_error": "no answer: the server is away"},
        "counts": {"reads": 90, "observed": 4, "suppressed": 80, "weak": 5, "ghosts": 1},
        "outbox": {"level": "free", "hours_left": 812.5},
    }
    return fields | changes


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ["禁止", "超期未检", "送检"]), ("en", ["REFUSE", "overdue", "inspection"])]
)
def test_a_fresh_answer_is_large_with_its_reason_and_what_to_do(language: str, words: list[str]) -> None:
    screen = make_screen(status(shown(1)), NOW, language)
    assert screen.verdict == "refuse"
    assert all(word in f"{screen.word} {screen.why} {screen.do}" for word in words)
    assert all(word in page(screen, language) for word in words)


def test_an_old_answer_is_in_the_table_only() -> None:
    screen = make_screen(status(shown(1, "allow", age_s=FRESH_S + 1)), NOW, "en")
    assert (screen.verdict, screen.word, screen.do) == ("", "WAITING", "")
    assert [line.answer for line in screen.reads] == ["ALLOW"]


def test_the_last_20_reads_are_shown_newest_first() -> None:
    answers = [shown(number, age_s=100.0 - number) for number in range(1, 31)]
    screen = make_screen(status(*answers), NOW, "en")
    assert [line.code.rpartition(".")[2] for line in screen.reads] == [str(n) for n in range(30, 10, -1)]


def test_every_fact_that_an_operator_needs_is_there_and_what_is_wrong_is_marked() -> None:
    facts = {label: (value, is_bad) for label, value, is_bad in make_screen(status(shown(1)), NOW, "en").facts}
    assert facts["Unsent events"] == ("3", False)
    assert facts["Oldest of them"] == ("1 min", False)
    assert facts["Storage lasts"] == ("about 812.5 h", False)
    assert facts["Block list"] == ("version 7, 2 h old", False)
    assert facts["Clock"][1]
    assert facts["Clock"][0].startswith("unsure since ")
    assert facts["Server"] == ("retrying", True)
    assert facts["Reader door"] == ("silent · <b>no such port</b>", True)
    assert facts["Last problem"] == ("no answer: the server is away", True)


def test_a_refused_list_is_the_last_problem() -> None:
    listed = {"version": 0, "age_s": None, "is_stale": False, "problem": "a list was refused: forged"}
    facts = {label: value for label, value, _ in make_screen(status(block_list=listed), NOW, "en").facts}
    assert (facts["Block list"], facts["Last problem"]) == ("none", "a list was refused: forged")


@pytest.mark.parametrize(
    ("told", "text", "is_bad"),
    [
        (None, "this box's file", False),
        ({"version": 3, "outcome": {"version": 3, "result": "kept", "reason": ""}}, "version 3 from the server", False),
        (
            {"version": 3, "outcome": {"version": 4, "result": "rolled_back", "reason": "reader door did not come up"}},
            "version 3 from the server · version 4 rolled back: reader door did not come up",
            True,
        ),
        ({"version": 0, "problem": "no key is pinned"}, "this box's file · no key is pinned", True),
    ],
)
def test_the_settings_in_force_are_shown_and_why_newer_ones_are_not(
    told: Mapping[str, object] | None, text: str, *, is_bad: bool
) -> None:
    facts = {label: (value, bad) for label, value, bad in make_screen(status(settings=told), NOW, "en").facts}
    assert facts["Settings"] == (text, is_bad)


def test_nothing_before_the_first_read_is_no_error() -> None:
    fields = status(link=None, clock=None, counts=None, oldest_unsent_age_s=None)
    fields["outbox"]["hours_left"] = None
    screen = make_screen(fields, NOW, "zh")
    assert (screen.word, screen.why) == ("等待", "等待读取标签")


def test_text_from_outside_is_text_on_the_page_and_in_the_terminal() -> None:
    evil = shown(1, why="<script>alert(1)</script>\x1b[2J") | {"uri": "urn:x:<img>\x1b]0;x\x07"}
    screen = make_screen(status(evil), NOW, "en")
    text = page(screen, "en")
    assert "<script" not in text
    assert "<img" not in text
    assert "<b>no such" not in text
    frame = terminal_frame(screen, 100, 60, with_colour=False)
    assert "\x1b" not in ESCAPES.sub("", frame)
    assert "\x07" not in frame


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (200, 60)])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_frame_fits_the_terminal(width: int, height: int, language: str) -> None:
    frame = terminal_frame(make_screen(status(shown(1)), NOW, language), width, height, with_colour=True)
    rows = ESCAPES.sub("", frame).split("\r\n")
    assert len(rows) < height
    assert all(sum(2 if ord(c) > 0x2E7F else 1 for c in row) <= width for row in rows)
    assert "\x1b[97;41m" in frame


def test_every_reason_that_the_gateway_gives_has_words_in_both_languages() -> None:
    source = "".join(
        (Path(__file__).parents[2] / "gateway_agent" / name).read_text() for name in ("answering.py", "deciding.py")
    )
    given = set(re.findall(r'(?:REFUSE|WARN|unknown|without_list\)), "([a-z-]+)"', source))
    given |= {
        "no-pre-check",
        "pre-check-failed",
        "post-check-failed",
        "not-listed",
        "list-stale",
        "recalled",
        "expired",
    }
    assert {"overdue", "refused-act", "tid-mismatch", "no-list"} <= given
    assert given <= set(REASONS)
    assert all(all(text) for text in [*VERDICTS.values(), *LABELS.values()])
    assert reason("new-reason").why == ("new-reason", "new-reason")
    assert [duration(s, "en") for s in (0, 59, 60, 7200, 200_000)] == ["0 s", "59 s", "1 min", "2 h", "2 d"]


def get(port: int, path: str, method: str = "GET", host: str = "") -> tuple[int, Mapping[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={"Host": host} if host else {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, dict(response.getheaders()), text


@contextmanager
def served(fields: Mapping[str, Any]) -> Iterator[int]:
    port, stop = free_port(), threading.Event()
    thread = threading.Thread(target=StatusPage(port, lambda: fields).run, args=(stop,))
    thread.start()
    until(lambda: _answers(port), "the page is served")
    try:
        yield port
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def _answers(port: int) -> bool:
    try:
        return get(port, "/status.json")[0] == 200
    except OSError:
        return False


def test_the_page_needs_no_script_refreshes_itself_and_refuses_other_names() -> None:
    with served(status(shown(1))) as port:
        code, headers, text = get(port, "/")
        assert code == 200
        assert '<meta http-equiv="refresh" content="1">' in text
        assert "<script" not in text
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert 'lang="zh-CN"' in text
        assert '<html lang="en">' in get(port, "/en")[2]
        assert json.loads(get(port, "/status.json")[2])["unsent"] == 3
        assert get(port, "/", host=f"evil.example:{port}")[0] == 421
        assert get(port, "/../etc/passwd")[0] == 404
        assert get(port, "/", method="POST")[0] == 501


def test_a_port_that_is_taken_does_not_stop_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_agent.status_page.RETRY_S", 0.1)
    with served(status()) as port:
        stop = threading.Event()
        second = threading.Thread(target=StatusPage(port, dict).run, args=(stop,))
        second.start()
        time.sleep(0.3)
        assert second.is_alive()
        stop.set()
        second.join(5)
        assert not second.is_alive()


def test_page_and_terminal_of_a_running_gateway_show_what_passes(tmp_path: Path) -> None:
    port, line = free_port(), PtyEndpoint(link=tmp_path / "tty")
    magicrf = protocols()["magicrf"]
    with (
        cursor_server() as server,
        SimulatedReader(magicrf, magicrf.device({}), line, seed=3) as reader,
        ended(GatewayProcess(tmp_path, server.url, serial_reader(line.path), f"status_port = {port}")) as gateway,
    ):
        gateway.enrol()
        gateway.start_and_wait()
        reader.place(FieldTag(epc(1)))
        until(lambda: _shows(port, "注意"), "the answer is on the page", limit_s=60)
        screen = _terminal(tmp_path, gateway)
        assert "本机没有名单" in screen
        assert "0614141.812345.1" in screen
        assert gateway.terminate() == 0


def _shows(port: int, word: str) -> bool:
    """The page opens a moment after the gate: it is not what the gate waits for."""
    with suppress(ConnectionRefusedError):
        return word in get(port, "/")[2]
    return False


def _terminal(folder: Path, gateway: GatewayProcess) -> str:
    """What `status --watch` draws on a real terminal within a moment; Ctrl-C ends it cleanly."""
    master, slave = pty.openpty()
    words = [sys.executable, "-m", "gateway_agent", "status", "--watch", "--config", str(gateway.config)]
    command = ["env", "--default-signal=INT", *words]  # tests run in the background ignore Ctrl-C, and so would it
    environment = {**os.environ, "COLUMNS": "", "LINES": ""}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    drawn, limit = b"", time.monotonic() + 60
    while b"0614141.812345.1" not in drawn and time.monotonic() < limit:
        if select.select([master], [], [], 0.2)[0]:
            drawn += os.read(master, 65_536)
    process.send_signal(signal.SIGINT)
    os.close(slave)
    with suppress(OSError):  # EIO: nobody has the terminal any more
        while select.select([master], [], [], 10.0)[0]:  # a terminal that nobody reads would hold its program up
            drawn += os.read(master, 65_536)
    os.close(master)
    try:
        assert process.wait(10) == 0
    finally:
        process.kill()
    assert drawn.endswith(b"\x1b[?25h\x1b[?1049l")
    return ESCAPES.sub("", drawn.decode(errors="replace"))


def test_the_live_screen_is_for_terminals_only(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, "http://127.0.0.1:9", serial_reader("/dev/null"))
    done = gateway.command("status", "--watch", "--config", str(gateway.config))
    assert done.returncode == 2
    assert "terminal" in done.stderr
