"""The tutorial does what it says: its commands are run, in its order, in a copy of nothing but an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.services import free_port

ROOT = Path(__file__).parents[2]


def test_the_tutorial_runs_from_start_to_end(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    script = tmp_path / "tutorial.sh"
    # Installing is tested by everything else; the programs are those of the running interpreter.
    body = "\n".join(blocks).replace("make install\n", "").replace("$PWD/.venv/bin", str(Path(sys.executable).parent))
    script.write_text(f"set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{body}")
    done = subprocess.run(
        ["bash", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sgtin" in done.stdout or "/01/06901234567892/21/1000000001" in done.stdout
    assert re.search(r"<h1[^>]*>.*(正常|提示)", done.stdout), done.stdout
