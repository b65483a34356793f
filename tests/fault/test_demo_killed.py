"""`kill -9` of the gateways and of the server in the middle of the demo: nothing lost, doubled or invented."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

KILLS_EACH = 10
"""Of the gateways, and of the server."""


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ten_kills_of_gateway_and_server_lose_and_double_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("SUYUAN_SEED", "0")) or random.SystemRandom().randrange(2**32)
    print(f"seed {seed}: SUYUAN_SEED={seed} repeats the order of kills")  # noqa: T201
    dice = random.Random(seed)
    kills = [*["gateway"] * KILLS_EACH, *["server"] * KILLS_EACH]
    dice.shuffle(kills)
    # Enough to do that the last kill still falls into the middle.
    words = [sys.executable, "-m", "suyuan", "demo", "--once", "--json", "--state", str(tmp_path), "--dwell", "0.8"]
    with (tmp_path / "demo.err").open("wb") as err:
        demo = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=err, start_new_session=True)
        try:
            done = _kill_at_random(demo, tmp_path, kills, dice)
            out, _ = demo.communicate(timeout=150)
        finally:
            _end(demo, tmp_path)
    assert done == len(kills), f"the demo ended after {done} kills: {(tmp_path / 'demo.err').read_text()[-2000:]}"
    verdict = json.loads(out)
    assert (verdict["lost"], verdict["duplicates"], verdict["unexpected"]) == (0, 0, 0), verdict
    assert (verdict["wrong_answers"], verdict["quarantined"]) == (0, 0), verdict
    assert verdict["restarts"] >= len(kills), verdict
    assert verdict["captured"] == verdict["emitted"] > 0
    assert demo.returncode == 0


def _end(demo: subprocess.Popen[bytes], folder: Path) -> None:
    """The demo, and what it would have ended itself had it not failed."""
    if demo.poll() is None:
        demo.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            demo.wait(timeout=30)
    texts = [file.read_text() for file in folder.glob("*.pid")]
    for pid in [demo.pid, *(int(text) for text in texts if text)]:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _kill_at_random(demo: subprocess.Popen[bytes], folder: Path, kills: list[str], dice: random.Random) -> int:
    """Returns how many kills fell while the demo was playing."""
    _wait_until_playing(demo, folder)
    done = 0
    for target in kills:
        time.sleep(dice.uniform(0.1, 0.9))
        if demo.poll() is not None:
            break
        names = sorted(folder.glob("gw-*.pid")) if target == "gateway" else [folder / "server.pid"]
        victim = _pid(dice.choice(names), demo)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(victim, signal.SIGKILL)
            done += 1
    return done


def _wait_until_playing(demo: subprocess.Popen[bytes], folder: Path) -> None:
    limit = time.monotonic() + 60
    while not (folder / "playing").exists():
        assert demo.poll() is None, (folder / "demo.err").read_text()
        assert time.monotonic() < limit, (folder / "demo.err").read_text()
        time.sleep(0.05)


def _pid(file: Path, demo: subprocess.Popen[bytes]) -> int:
    """The process now in charge; it may be between death and restart."""
    last: Any = None
    for _ in range(200):
        if demo.poll() is not None:
            break
        try:
            pid = int(file.read_text())
            os.kill(pid, 0)
        except (ValueError, FileNotFoundError, ProcessLookupError) as error:
            last = error
            time.sleep(0.05)
        else:
            return pid
    raise AssertionError(f"{file.name} names no running process: {last}")
