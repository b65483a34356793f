"""`suyuan demo --once --json` as a stranger runs it; what it is killed in is in tests/fault."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path


def test_the_demo_ends_by_itself_with_nothing_lost_doubled_or_invented(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "suyuan", "demo", "--once", "--json", "--state", str(tmp_path / "state")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    verdict = json.loads(line)
    assert (verdict["lost"], verdict["duplicates"], verdict["unexpected"]) == (0, 0, 0)
    assert (verdict["wrong_answers"], verdict["quarantined"], verdict["restarts"]) == (0, 0, 0)
    assert verdict["captured"] == verdict["emitted"] > 200
    assert verdict["answers"]["refuse"] > 0  # the world holds a batch past its date
    assert verdict["alerts"] > 0
    assert verdict["violations"] == 1
    assert verdict["page"].startswith("http://127.0.0.1:")
    assert "/01/" in verdict["page"]


def test_a_demo_that_is_interrupted_does_not_report_success(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "suyuan", "demo", "--once", "--json", "--state", str(tmp_path / "state")]
    demo = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(2.0)
    demo.send_signal(signal.SIGTERM)
    out, _ = demo.communicate(timeout=60)
    assert out == b""
    assert demo.returncode != 0
