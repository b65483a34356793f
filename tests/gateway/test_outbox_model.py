"""The outbox against a model: append, send, acknowledge, restart and rewind in any order lose and repeat nothing."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway_agent import renumbering
from gateway_agent.outbox_view import OutboxView, Run
from tests.gateway.make import append, new_outbox, number_of
from trace_core.uplink import ZERO_DIGEST, chain


class OutboxMachine(RuleBasedStateMachine):
    """`server` is what a server that follows the contract would hold; all numbers are unique."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-"))
        self.patches = pytest.MonkeyPatch()
        for name in ("RUN_ROWS", "RETIRE_RUN"):
            self.patches.setattr(renumbering, name, 2)
        self.outbox = new_outbox(self.folder)
        self.appended: list[int] = []
        self.server: dict[str, list[bytes]] = {}
        self.flying: Run | None = None

    def teardown(self) -> None:
        while self.outbox.move_on():
            pass
        self.the_server_holds_nothing_twice_and_the_rest_is_still_here()
        self.the_chain_holds()
        self.outbox.close()
        shutil.rmtree(self.folder)
        self.patches.undo()

    @rule(count=st.integers(1, 4))
    def commit(self, count: int) -> None:
        numbers = range(len(self.appended), len(self.appended) + count)
        append(self.outbox, numbers)
        self.appended += numbers

    @rule(size=st.integers(1, 5))
    def send(self, size: int) -> None:
        with closing(OutboxView(self.folder / "outbox.sqlite")) as view:
            self.flying = view.next_run(size, 1 << 20)

    @precondition(lambda self: self.flying is not None)
    @rule(lost=st.booleans(), backup=st.integers(0, 3))
    def receive(self, lost: bool, backup: int) -> None:
        """The batch arrives; its acknowledgement may be lost on the way."""
        run = self.flying
        assert run is not None
        held = self.server.setdefault(run.epoch, [])
        if run.first_seq > len(held) + 1:
            self.outbox.rewind(len(held))
            return
        fresh = run.bodies[len(held) - run.first_seq + 1 :] if len(held) >= run.first_seq else run.bodies
        held += fresh
        if not lost and run.epoch == self.outbox.epoch:
            self.outbox.settle(run.first_seq, len(held), max(0, len(held) - backup))
        self.flying = None

    @rule()
    def move_on(self) -> None:
        self.outbox.move_on()

    @rule()
    def restart(self) -> None:
        epoch = self.outbox.epoch
        self.outbox.close()
        self.outbox = new_outbox(self.folder)
        assert self.outbox.epoch == epoch

    @rule()
    def ask_again(self) -> None:
        """An operator replays, or a restored server asks: from as far back as rows are kept."""
        assert self.outbox.rewind(self.outbox.floor_seq)

    @rule()
    def change_epoch(self) -> None:
        """Only what the server is known to hold stays behind."""
        held = self.server.get(self.outbox.epoch, [])
        if len(held) >= self.outbox.floor_seq or self.outbox.is_moving:
            self.outbox.begin_epoch(len(held))
            self.flying = None

    @invariant()
    def the_server_holds_nothing_twice_and_the_rest_is_still_here(self) -> None:
        held = [number_of(body) for bodies in self.server.values() for body in bodies]
        assert len(held) == len(set(held))
        if self.outbox.is_moving:
            return  # nothing is sent meanwhile; what comes of it is looked at afterwards
        with closing(OutboxView(self.folder / "outbox.sqlite")) as view:
            run = view.next_run(10_000, 1 << 30)
        waiting = [number_of(body) for body in run.bodies] if run else []
        assert set(held) | set(waiting) == set(self.appended)
        assert waiting == sorted(waiting)

    @invariant()
    def the_chain_holds(self) -> None:
        with closing(OutboxView(self.folder / "outbox.sqlite")) as view:
            run = view.next_run(10_000, 1 << 30)
        if run is not None:
            assert chain(run.previous_digest, run.bodies) == run.digest
            assert run.first_seq > 1 or run.previous_digest == ZERO_DIGEST


OutboxMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOutbox = OutboxMachine.TestCase
