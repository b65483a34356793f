"""What lies between gateway and server: no line for a week, bad lines, dying and refusing brokers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gateway_agent.links._base import Link, Request
from gateway_agent.links.opening import open_link
from tests.fault.rows._base import Bench, Outcome, Row, judge, total
from tests.fault.rows._machine import filter_rules, network_namespace, run
from tests.gateway.bad_line import BadLine, bad_line
from tests.gateway.broker_process import broker_process
from tests.gateway.scripted_broker import scripted_broker
from tests.gateway.test_uplink_reason_codes import CONNACK, DISCONNECT, PUBACK, SUBACK
from tests.gateway.uplink_rig import WAYS, Gate, Premises
from trace_server.accounts import operations as accounts

CHUNK = 500
DRAIN_PER_S = 2_000
SHORT_BAD_S, LONG_BAD_S = 0.8, 120.0


def verdict(place: Premises, one: Gate, runs: int, complaints: list[str], remark: str = "") -> Outcome:
    """By the server's tables; the server acknowledged what the outbox settled."""
    held: Counter[object] = Counter(place.held(one.id))
    return judge(runs, one.emitted, one.emitted[: one.outbox.acked], held, complaints=complaints, remark=remark)


def drained(one: Gate, limit_s: float, complaints: list[str]) -> None:
    try:
        one.drain(limit_s)
    except AssertionError as error:
        complaints.append(str(error)[:300])


def backlog(bench: Bench) -> Outcome:
    """Seven days without a line; then all of it, in order, once."""
    events = bench.repeats(20_000, 1_000_000)
    complaints: list[str] = []
    with bench.premises() as place:
        one = place.open_gate("backlog", "http", answer_limit_s=30)
        for first in range(1, events + 1, CHUNK):
            one.emit(range(first, first + CHUNK))
        place.start("http")
        begun = time.monotonic()
        drained(one, 3_000, complaints)
        rate = events / (time.monotonic() - begun)
        if bench.is_long and rate < DRAIN_PER_S:  # the short form shares its two cores with other tests
            complaints.append(f"drained at {rate:,.0f} events/s, {DRAIN_PER_S:,} promised")
        return verdict(place, one, 1, complaints, f"drained at {rate:,.0f} events/s")


def proxied(shape: str) -> Row:
    """A shape that a proxy makes."""

    def play(bench: Bench) -> Outcome:
        with _both_ways(bench) as place:
            outcomes = []
            for way in WAYS:
                port = place.port if way == "http" else place.broker.port
                with bad_line(port) as line:
                    outcomes.append(_endure(bench, place, _through(line, place, way), _Proxy(line, shape)))
            return total(outcomes)

    return Row(f"line-{shape}", "link", SHAPES[shape], play)


def filtered(name: str) -> Row:
    """A shape that the kernel makes, in a network namespace of its own."""

    def play(bench: Bench) -> Outcome:
        with network_namespace(), _both_ways(bench) as place:
            outcomes = []
            for way in WAYS:
                port = place.port if way == "http" else place.broker.port
                one = place.open_gate(f"gate-{way}", way)
                outcomes.append(_endure(bench, place, one, _Kernel(name, port)))
            return total(outcomes)

    return Row(f"line-{name}", "link", KERNEL_SHAPES[name], play, needs_root=True)


SHAPES = {
    "cut": "reset inside a reply",
    "portal": "captive portal: 200 and a page of HTML",
    "dead": "nothing passes, nothing closes",
    "closed": "connections refused",
}
KERNEL_SHAPES = {"loss": "loss 30 %", "slow": "100 kbit/s", "silence": "one-way silence (half-open TCP)"}


class _Proxy:
    def __init__(self, line: BadLine, shape: str) -> None:
        self._line, self._shape = line, shape

    def spoil(self) -> None:
        self._line.shape = self._shape

    def mend(self) -> None:
        self._line.shape = "clear"


class _Kernel:
    def __init__(self, name: str, port: int) -> None:
        self._name, self._port = name, port

    def spoil(self) -> None:
        match self._name:
            case "loss":
                filter_rules(f"tcp dport {self._port} numgen random mod 100 < 30 drop")
            case "silence":
                filter_rules(f"tcp sport {self._port} drop")
            case _:
                run(
                    "tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", "100kbit", "burst", "70kb", "limit", "1mb"
                )

    def mend(self) -> None:
        if self._name == "slow":
            run("tc", "qdisc", "del", "dev", "lo", "root")
        else:
            filter_rules()


def _endure(bench: Bench, place: Premises, one: Gate, fault: _Proxy | _Kernel) -> Outcome:
    """Events before, under and after the fault; pauses as the sender asks for them."""
    complaints: list[str] = []
    bad_s = LONG_BAD_S if bench.is_long else SHORT_BAD_S
    one.emit(range(1, 101))
    drained(one, 30, complaints)
    fault.spoil()
    begun, steps, count = time.monotonic(), 0, 100
    while time.monotonic() < begun + bad_s:
        if count < 50_000 and one.outbox.acked > count - 1_000:
            one.emit(range(count + 1, count + 301))
            count += 300
        pause_s = one.sender.step()
        steps += 1
        time.sleep(0.02 if pause_s is None else min(pause_s, bad_s))
    if steps > 100 * max(bad_s, time.monotonic() - begun):
        complaints.append(f"a busy loop: {steps} steps")
    fault.mend()
    drained(one, 60, complaints)
    return verdict(place, one, 1, complaints)


@contextmanager
def _both_ways(bench: Bench) -> Iterator[Premises]:
    with broker_process(bench.folder) as broker, bench.premises(broker) as place:
        for way in WAYS:
            place.start(way)
        yield place


def _through(line: BadLine, place: Premises, way: str) -> Gate:
    one = place.open_gate(f"gate-{way}", way)
    scheme = "http" if way == "http" else "mqtt"
    config = replace(one.sender._config, url=f"{scheme}://127.0.0.1:{line.own_port}", timeout_s=0.5)
    one.link = one.sender._link = open_link(config, one.id)
    one.link.answer_limit_s = 0.5
    return one


class _Twice:
    """Every request leaves twice, as a proxy that lost patience sends it."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    def send(self, token: bytes, request: Request, after_send: Callable[[], None]) -> None:
        self._link.send(token, request, after_send)
        self._link.send(token, request, after_send)


def sent_twice(bench: Bench) -> Outcome:
    outcomes = []
    with _both_ways(bench) as place:
        for way in WAYS:
            complaints: list[str] = []
            one = place.open_gate(f"gate-{way}", way)
            one.sender._link = _Twice(one.link)
            one.sender._max_events = 20
            count = bench.repeats(1_000, 50_000)
            one.emit(range(1, count + 1))
            drained(one, 600, complaints)
            outcomes.append(verdict(place, one, 1, complaints))
    return total(outcomes)


def reason_codes(bench: Bench) -> Outcome:
    """Every refusal that MQTT 5 has keeps the events and is said; later they reach the server, once."""
    kinds = {"connack": CONNACK, "suback": SUBACK, "puback": PUBACK, "disconnect": DISCONNECT}
    refusals = [(kind, code) for kind, codes in kinds.items() for code in codes]
    bench.dice.shuffle(refusals)
    refusals = refusals[: bench.repeats(10, len(refusals))]
    complaints: list[str] = []
    with bench.premises() as place:
        one = place.open_gate("gate-1", "http")
        for number, (kind, code) in enumerate(refusals):
            one.emit([number + 1])
            with scripted_broker(**{kind: code}) as broker:
                link = open_link(replace(one.sender._config, url=broker.url, timeout_s=2.0), one.id)
                link.answer_limit_s, one.sender._link = 0.3, link
                one.sender.step()
                link.close()
            if one.outbox.acked or "the broker" not in one.sender.state.last_error:
                complaints.append(f"{kind} {code:#x}: settled {one.outbox.acked}; {one.sender.state.last_error}")
        place.start("http")
        one.sender._link = one.link
        drained(one, 30, complaints)
        return verdict(place, one, len(refusals), complaints)


def broker_killed(keeps: str) -> Row:
    """SIGKILL after the broker confirmed batches."""

    def play(bench: Bench) -> Outcome:
        kills = bench.repeats(3, 100)
        settings = ["allow_anonymous true"]
        if keeps == "with":
            settings += ["persistence true", f"persistence_location {bench.folder}/", "autosave_interval 1"]
        complaints: list[str] = []
        with broker_process(bench.folder, settings) as broker, bench.premises(broker) as place:
            place.start("mqtt")
            one = place.open_gate("gate-1", "mqtt")
            for number in range(kills):
                one.emit(range(number * 60 + 1, number * 60 + 61))
                one.sender._max_events = bench.dice.choice((5, 10, 20))
                limit = time.monotonic() + bench.dice.uniform(0.0, 0.25)
                while time.monotonic() < limit and one.sender.step() == 0:
                    pass
                broker.kill()
                one.sender.step()
                broker.start()
            drained(one, 60, complaints)
            return verdict(place, one, kills, complaints)

    return Row(f"broker-{keeps}-persistence", "broker", f"kill -9 after PUBACK, {keeps} persistence", play)


def revoked(bench: Bench) -> Outcome:
    """The device is revoked under way: what it had was taken, what comes later stays on the box, and it says why."""
    complaints: list[str] = []
    outcomes = []
    with _both_ways(bench) as place:
        for way in WAYS:
            one = place.open_gate(f"gate-{way}", way)
            one.emit(range(1, 201))
            drained(one, 30, complaints)
            accounts.revoke_gateway(place.db, datetime.now(UTC), "test", one.id)
            taken = list(one.emitted)
            one.emit(range(201, 301))
            for _ in range(3):
                one.sender.step()
            if one.outbox.acked != len(taken) or one.outbox.last_seq != len(one.emitted):
                complaints.append(
                    f"{way}: settled {one.outbox.acked} of {len(taken)} taken, kept {one.outbox.last_seq}"
                )
            if one.sender.state.state != "refused" or not one.sender.state.alarms:
                complaints.append(f"{way}: it does not say that it is refused: {one.sender.state}")
            held: Counter[object] = Counter(place.held(one.id))
            outcomes.append(judge(1, taken, taken, held, complaints=complaints))
    return total(outcomes, "100 later events kept on each box")


ROWS = (
    Row("backlog", "gateway", "no network for 7 days", backlog),
    *(filtered(name) for name in KERNEL_SHAPES),
    *(proxied(shape) for shape in SHAPES),
    Row("line-twice", "link", "every request arrives twice", sent_twice),
    broker_killed("without"),
    broker_killed("with"),
    Row("reason-codes", "broker", "MQTT reason codes from 0x80 on", reason_codes),
    Row("revoked", "broker", "device revoked under way", revoked),
)
