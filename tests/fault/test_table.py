"""Every row of the fault table in its short form: lost = duplicates = unexpected = 0.

`SUYUAN_SEED` repeats a run; `make faults` prints the same rows as one table, `make soak` their long form.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.fault.rows import ROWS
from tests.fault.rows._base import Outcome, Row, judge
from tests.fault.table import Line, main, play, text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_fault_costs_nothing_that_was_acknowledged(row: Row, tmp_path: Path, migrated_sqlite: Path) -> None:
    seed = int(os.environ.get("SUYUAN_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"repeat: python -m tests.fault.table --rows {row.name} --seed {seed}")  # noqa: T201
    line = play(row, tmp_path / row.name, migrated_sqlite, seed, is_long=False)
    print(text([line]))  # noqa: T201
    assert line.outcome.is_good, line.outcome


def test_the_judge_counts_what_is_lost_doubled_and_invented() -> None:
    outcome = judge(1, emitted="abcd", acknowledged="abc", held=Counter("bbcdx"))
    assert (outcome.lost, outcome.duplicates, outcome.unexpected) == (1, 1, 1)
    assert not outcome.is_good
    assert judge(1, "abc", "ab", Counter("abc")).is_good


def test_a_row_that_did_nothing_is_not_good() -> None:
    assert not Outcome(runs=0, acknowledged=5).is_good
    assert not Outcome(runs=3, acknowledged=0).is_good
    assert not Outcome(runs=3, acknowledged=5, complaints=("late",)).is_good


def test_the_table_says_what_is_broken_and_by_which_seed() -> None:
    line = Line(ROWS[0], Outcome(2, 9, lost=1, complaints=("no answer within 5 s",)), 77, 1.25)
    said = text([line])
    assert "BROKEN" in said
    assert "77" in said
    assert f"{ROWS[0].name}: no answer within 5 s" in said
    assert json.loads(json.dumps(line.as_json()))["lost"] == 1


def test_a_row_that_needs_root_fails_without_it_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    row = Row("mount", "gateway", "power cut", lambda bench: Outcome(1, 1), needs_root=True)
    line = play(row, tmp_path, tmp_path, 1, is_long=False)
    assert not line.outcome.is_good
    assert "needs root" in line.outcome.complaints[0]


def test_an_unknown_row_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", "no-such"]) == 2
    assert "no such row: no-such" in capsys.readouterr().err
