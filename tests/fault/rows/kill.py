"""kill -9 of the gateway at every named point, and at random moments."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from gateway_agent.blocklist import BlockListFile, pinned_key
from gateway_agent.killpoints import POINTS
from gateway_agent.outbox import open_existing
from gateway_agent.outbox_schema import SCHEMA_VERSION
from tests.fault.rows._base import Bench, Outcome, Row, total
from tests.fault.rows._gate import Gate, gate, outbox_path
from tests.gateway.make import QUOTA, as_first_schema
from tests.gateway.process import until
from trace_server.blocklist import operations as blocklist
from trace_server.fleet import operations as fleet

SPREAD = {
    "frame-read": 40,
    "in-commit": 4,
    "after-commit": 4,
    "after-send": 2,
    "before-settle": 2,
    "in-settle": 2,
    "list-swap": 2,
    "in-upgrade": SCHEMA_VERSION - 1,
}
"""Passages among which the fatal one is drawn; other points are passed once a change."""
RESTART_LIMIT_S = 5.0


def at_points(bench: Bench) -> Outcome:
    """Each seed is a gateway of its own, killed once at every point in an order of its own."""
    outcomes = []
    with bench.premises() as place:
        place.start("http")
        for number in range(bench.repeats(1, 25)):
            points = list(POINTS)
            bench.dice.shuffle(points)
            with gate(place, f"kill-{number}", bench.dice.randrange(2**32), gateway="settings_trial_s = 2") as one:
                one.gateway.start()
                one.serve(20)
                for point in points:
                    _kill_at(one, point, bench.dice.randint(1, SPREAD.get(point, 1)))
                outcomes.append(one.finish(len(points)))
    return total(outcomes, f"{len(POINTS)} points")


def at_random_moments(bench: Bench) -> Outcome:
    kills = bench.repeats(4, 500)
    slowest = 0.0
    with bench.premises() as place:
        place.start("http")
        with gate(place, "kill-random", bench.dice.randrange(2**32)) as one:
            for _ in range(kills):
                one.gateway.start()
                one.work_for(bench.dice.uniform(0.3, 1.3))
                one.gateway.kill()
            one.work()
            one.gateway.start()
            slowest = one.serve(60)
            if bench.is_long and slowest > RESTART_LIMIT_S:
                one.complaints.append(f"served again only after {slowest:.1f} s")
            return one.finish(kills, f"served again after {slowest:.1f} s")


def _kill_at(one: Gate, point: str, passage: int) -> None:
    if one.gateway.running():
        one.gateway.kill()
    if point == "in-upgrade":
        as_first_schema(outbox_path(one))
    if point == "list-swap":
        blocklist.publish(one.place.db, datetime.now(UTC), actor="test")
    if point.startswith("settings"):
        fleet.set_settings(one.place.db, datetime.now(UTC), "test", one.id, {"gateway": {"group_ms": 7.0}})
    if point.startswith("key"):
        _finish_change_of_key(one)
        (one.gateway.state / "rotate-key").touch()
    one.gateway.start(kill_at=f"{point}:{passage}")
    try:
        one.work_until_dead()
    except AssertionError as error:
        raise AssertionError(f"{point}:{passage} of {one.id}: {error}") from error
    if point == "list-swap":
        _expect_whole_list(one)
    if point == "in-upgrade":
        with closing(open_existing(outbox_path(one), QUOTA)):
            pass


def _finish_change_of_key(one: Gate) -> None:
    """A change that an earlier kill left half done would answer the next request without passing the point."""
    unfinished = one.gateway.state / "key.next.pem"
    if not unfinished.exists():
        return

    def finished() -> bool:
        one.work()
        return not unfinished.exists()

    one.gateway.start()
    until(finished, "the change of the key before this one is finished", limit_s=30)
    one.gateway.kill()


def _expect_whole_list(one: Gate) -> None:
    """The old list, the new one, or none where there was none; never half of one."""
    state = one.gateway.state
    file = BlockListFile(state / "block_list.json", pinned_key(state))
    newest = blocklist.newest(one.place.db)
    if file.problem or newest is None or file.version not in {0, newest.version - 1, newest.version}:
        one.complaints.append(f"after a kill in the swap: list {file.version}, {file.problem}")


ROWS = (
    Row("kill-points", "gateway", "kill -9 at a named point", at_points),
    Row("kill-random", "gateway", "kill -9 at random moments", at_random_moments),
)
