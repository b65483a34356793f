"""The demo from curtain to curtain."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from firmware_sim.broker import EmbeddedBroker
from firmware_sim.world import GatePassage, World, build_world
from suyuan.demo import registers
from suyuan.demo.documents import epcis_document, event_of
from suyuan.demo.gates import Gate, build_gates, enrol, start_readers, stop_readers, wrong_answers
from suyuan.demo.judge import Mark, Verdict, compare, document_mark, marks_held, passage_mark
from suyuan.demo.poster import CAPTURE_PATH, Poster
from suyuan.demo.processes import Supervised
from suyuan.demo.stage import Stage, set_stage
from trace_core.errors import Retryable

log = logging.getLogger(__name__)

SEED = 20160829
AT_ONCE = 3
"""Commands run side by side while the stage is set."""
BLOCK_LIST = "block_list.json"
START_LIMIT_S = 45.0
SETTLE_LIMIT_S = 60.0
SETTLED_FOR_S = 1.5
"""The figures must stay equal for so long: a late duplicate is still a duplicate."""
LEGAL_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    once: bool
    port: int
    state: Path | None
    seed: int
    dwell_s: float
    city: bool = False
    """Load the small sample city first: every page has something to show then."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo prints at its end."""

    verdict: Verdict
    wrong_answers: int
    """Tags whose gate said something else than their batch calls for."""
    quarantined: int
    """Bodies that the server did not take; the world emits none that it should refuse."""
    alerts: int
    violations: int
    answers: Counter[str]
    restarts: int
    page: str
    archive: str

    @property
    def clean(self) -> bool:
        return self.verdict.clean and self.wrong_answers == 0 and self.quarantined == 0

    def as_json(self) -> dict[str, Any]:
        verdict = self.verdict
        return {
            "emitted": verdict.emitted,
            "captured": verdict.captured,
            "lost": verdict.lost,
            "duplicates": verdict.duplicates,
            "unexpected": verdict.unexpected,
            "wrong_answers": self.wrong_answers,
            "quarantined": self.quarantined,
            "alerts": self.alerts,
            "violations": self.violations,
            "page": self.page,
            "archive": self.archive,
            "answers": dict(sorted(self.answers.items())),
            "restarts": self.restarts,
        }


def play(options: Options) -> Iterator[Outcome]:
    """Yields the outcome when the world has been played; the programs run until the generator is closed."""
    with ExitStack() as stack:
        folder = options.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="suyuan-demo-")))
        stage = set_stage(folder, options.port)
        before = _load_city(stage) if options.city else Counter()
        world = build_world(options.seed, datetime.now(UTC).replace(microsecond=0))
        _tell(f"the world: {len(world.producers)} producers, {len(world.batches)} batches; state in {folder}")
        server = _start(stack, stage, "server", "trace_server", "run", "--port", str(stage.port))
        helpers = stack.enter_context(ThreadPoolExecutor(max_workers=AT_ONCE))
        registers_ready = helpers.submit(_load_registers, stage, world)
        tokens_ready = {
            p.uscc: helpers.submit(_client, stage, f"producer-{p.company_prefix}", p.uscc) for p in world.producers
        }
        page, archive = registers_ready.result()
        tokens = {code: ready.result() for code, ready in tokens_ready.items()}
        programs = [server, _start(stack, stage, "worker", "trace_server", "worker")]
        gates = _open_gates(stack, stage, world, programs)
        (folder / "playing").touch()
        emitted: Counter[Mark] = Counter()
        _produce(stage, world, tokens, emitted)
        _pass_gates(gates, world.passages(), emitted, options.dwell_s)
        verdict = _settle(stage, gates, emitted, before)
        yield Outcome(
            verdict=verdict,
            wrong_answers=wrong_answers(gates, world, datetime.now(LEGAL_TIME).date()),
            quarantined=_count(stage, "quarantine", "list"),
            alerts=_count_alerts(stage),
            violations=len(stage.server_command("credit", "list", "--uscc", world.producers[3].uscc)["items"]),
            answers=sum((gate.screen.counts for gate in gates), Counter()),
            restarts=sum(program.restarts for program in programs),
            page=page,
            archive=archive,
        )


def _load_city(stage: Stage) -> Counter[Mark]:
    """The small sample city around the demo's own story; what it holds is no part of the figures."""
    made = stage.server_command("sample", "load", "--scale", "small")
    _tell(f"the sample city: {made['counts']['subjects']} subjects, {made['counts']['events']} events of a year")
    return marks_held(_held(stage))


def _load_registers(stage: Stage, world: World) -> tuple[str, str]:
    """Master data, the codes of all tagged items, one penalty decision. Returns the page's and archive's address."""
    today = datetime.now(LEGAL_TIME).date()
    catalog = stage.folder / "catalog.json"
    catalog.write_text(json.dumps(registers.catalog_document(world, today), ensure_ascii=False), encoding="utf-8")
    stage.server_command("catalog", "import", str(catalog))
    codes = [
        {"gtin": item.batch.gtin, "lot": item.batch.lot, "serial": str(item.serial), "epc": item.uri}
        for passage in world.passages()
        for item in passage.items
    ]
    code_file = stage.folder / "codes.json"
    code_file.write_text(json.dumps(codes), encoding="utf-8")
    labels = stage.server_command("label", "--file", str(code_file))["labels"]
    producer = world.producers[3]
    shown = next(batch for batch in world.batches if batch.producer_uscc == producer.uscc)
    decision = stage.folder / "decision.json"
    decision.write_text(
        json.dumps(registers.decision_document(producer, shown, today), ensure_ascii=False), encoding="utf-8"
    )
    record = stage.server_command("credit", "record", "--file", str(decision))
    check = ("--note", "demo", "--operator", "demo-second-person")
    stage.server_command("credit", "review", record["record_id"], *check)
    stage.server_command("credit", "publish", record["record_id"])
    page = next(label["url"] for label in labels if f"/10/{shown.lot}/" in label["url"])
    return page, f"{stage.url}/credit/{producer.uscc}"


def _client(stage: Stage, name: str, subject: str) -> str:
    made = stage.server_command("client", "add", "--name", name, "--role", "producer", "--subject", subject)
    return str(made["token"])


def _start(stack: ExitStack, stage: Stage, name: str, module: str, *words: str) -> Supervised:
    program = stage.supervised(name, module, *words)
    program.start()
    stack.callback(program.stop)
    return program


def _open_gates(stack: ExitStack, stage: Stage, world: World, programs: list[Supervised]) -> list[Gate]:
    """Start broker, readers and gateways; all end when the stack closes. Every gate has its block list then."""
    broker = stack.enter_context(EmbeddedBroker())
    gates = build_gates(stage, world, broker)
    start_readers(gates)
    stack.callback(stop_readers, gates)
    _wait_for_server(stage, programs[0].log_tail)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as installers:
        list(installers.map(lambda gate: enrol(stage, gate), gates))
    for gate in gates:
        config = str(stage.config_file(gate.gateway_id))
        programs.append(_start(stack, stage, gate.gateway_id, "gateway_agent", "run", "--config", config))
    _until(
        lambda: all((stage.state_dir(g.gateway_id) / BLOCK_LIST).exists() for g in gates), "a gate has no block list"
    )
    _tell(f"server at {stage.url}, worker, {len(gates)} gateways, {sum(len(g.readers) for g in gates)} readers")
    return gates


def _wait_for_server(stage: Stage, last_words: Callable[[], str]) -> None:
    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{stage.url}/readyz", timeout=2) as answer:  # noqa: S310 - our own http URL
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        _until(answers, "the server does not answer")
    except Retryable as error:
        raise Retryable(f"{error}: {last_words()}") from error


def _until(true: Callable[[], bool], complaint: str) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while not true():
        if time.monotonic() > limit:
            raise Retryable(f"{complaint} after {START_LIMIT_S:.0f} s")
        time.sleep(0.1)


def _produce(stage: Stage, world: World, tokens: dict[str, str], emitted: Counter[Mark]) -> None:
    """Farms and works tell what they made, packed and shipped: one document a step, in the order of time."""
    poster = Poster(stage.url)
    steps = [step for step in world.steps if not isinstance(step, GatePassage)]
    for number, step in enumerate(steps, 1):
        event = event_of(step)
        emitted[document_mark(event)] += 1
        poster.post(CAPTURE_PATH, epcis_document([event]), tokens[step.place.owner_uscc])
        if number % 40 == 0 or number == len(steps):
            _tell(f"producers: {number} of {len(steps)} steps captured")


def _pass_gates(gates: Sequence[Gate], passages: Sequence[GatePassage], emitted: Counter[Mark], dwell_s: float) -> None:
    """Each gate works on its own queue, as two sites do."""
    failures: list[BaseException] = []
    lock = threading.Lock()

    def work(gate: Gate) -> None:
        own = [passage for passage in passages if passage.read_point == gate.read_point]
        for number, passage in enumerate(own, 1):
            with lock:
                emitted.update(passage_mark(passage.read_point, epc) for epc in passage.tags)
            try:
                gate.pass_through(passage, dwell_s)
            except BaseException as error:  # noqa: BLE001 - raised again below
                failures.append(error)
                return
            if number % 10 == 0 or number == len(own):
                _tell(f"{gate.gateway_id}: {number} of {len(own)} cases passed")

    threads = [threading.Thread(target=work, args=(gate,), name=gate.gateway_id) for gate in gates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _settle(stage: Stage, gates: Sequence[Gate], emitted: Counter[Mark], before: Counter[Mark]) -> Verdict:
    """Compare until the outboxes are empty and the figures stay put, or the limit is over. `before` was there."""
    limit = time.monotonic() + SETTLE_LIMIT_S
    clean_since: float | None = None
    while True:
        drained = not any(_unsent(stage, gate) for gate in gates)
        verdict = compare(emitted, marks_held(_held(stage)) - before)
        now = time.monotonic()
        clean_since = (clean_since or now) if verdict.clean and drained else None
        if now > limit or (clean_since is not None and now - clean_since >= SETTLED_FOR_S):
            return verdict
        time.sleep(0.3)


def _unsent(stage: Stage, gate: Gate) -> int:
    status = stage.gateway_command("status", "--config", str(stage.config_file(gate.gateway_id)), "--json")
    return int(json.loads(status)["unsent"])


def _held(stage: Stage) -> list[dict[str, Any]]:
    lines = stage.run_server_command("events", "list", "--json").splitlines()
    return [json.loads(line) for line in lines]


def _count_alerts(stage: Stage) -> int:
    """After the worker has looked at all that was captured."""
    stage.run_server_command("worker", "--once")
    return _count(stage, "alerts", "list")


def _count(stage: Stage, *words: str) -> int:
    return len(stage.run_server_command(*words, "--json").splitlines())


@contextmanager
def playing(options: Options) -> Iterator[Outcome]:
    """The outcome; the programs end with the block."""
    curtain = play(options)
    try:
        yield next(curtain)
    finally:
        curtain.close()  # type: ignore[attr-defined]


def _tell(words: str) -> None:
    log.info(words)
