"""The wall clock jumps under a running gateway."""

from __future__ import annotations

import time
from pathlib import Path

from tests.fault.rows._base import Bench, Outcome, Row, total
from tests.fault.rows._gate import gate
from tests.gateway.process import until

JUMPS = (
    "@1970-01-01 00:00:10", "+1", "@2100-01-01 00:00:00", "-86400", "+86400", "-3600", "+3600", "-5", "-600", "+600",
    "@2024-12-31 23:59:58", "+0.5",
)  # fmt: skip
"""As libfaketime takes them: 1970 and 2100, days, hours, small steps back, no battery, nearly true."""
DWELL_S = (0.25, 2.0)


def jumps(bench: Bench) -> Outcome:
    """libfaketime turns the wall clock alone; the clock since boot goes on, as in the kernel. Order is by sequence."""
    outcomes = []
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        return Outcome(0, complaints=("no libfaketime: run `make deps`",))
    with bench.premises() as place:
        place.start("http")
        for number in range(bench.repeats(1, 10)):
            order = list(JUMPS)
            bench.dice.shuffle(order)
            stamp = bench.folder / f"faketime-{number}"
            stamp.write_text("+1\n")
            environment = {
                "LD_PRELOAD": str(found[0]),
                "FAKETIME_TIMESTAMP_FILE": str(stamp),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
            with gate(place, f"clock-{number}", bench.dice.randrange(2**32), environment=environment) as one:
                one.gateway.start()
                until(lambda: "running; state in" in one.gateway.log(), "the gateway started", limit_s=30)
                for jump in order:
                    draft = stamp.with_suffix(".new")
                    draft.write_text(f"{jump}\n")
                    draft.replace(stamp)
                    one.work_for(DWELL_S[bench.is_long])
                    one.serve(10)
                stamp.write_text("+0.5\n")
                time.sleep(0.1)
                outcomes.append(one.finish(len(order)))
    return total(outcomes)


ROWS = (Row("clock-jumps", "gateway", "clock jumps: 1970, 2100, days, hours, steps back", jumps),)
