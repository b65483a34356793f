"""Hostile bodies through the door: each is taken, or refused in words; none crashes, hangs or piles up memory.

`SUYUAN_SOAK=1` sends 200,000, others each time; the short form the same few.
"""

from __future__ import annotations

import json
import os
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fault.server.hostile import JSON, XML, known_killers, mutants, payloads
from tests.fault.server.place import Place, furnish
from tests.server.ingest.make import run
from trace_core.uplink import CONTENT_TYPE, encode_batch
from trace_server.db import Database

SOAK = os.environ.get("SUYUAN_SOAK") == "1"
BODIES = 40_000 if SOAK else 700
"""Of each form, on each database."""
SLOWEST_S = 1.0
GROWTH_KB = 64 * 1024
TAKEN = frozenset({200, 201, 202})
REFUSED = frozenset({400, 401, 403, 409, 413, 415, 422})


@pytest.fixture
def place(database: Database) -> Place:
    return furnish(database)


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("SUYUAN_SEED", "0")) or (random.SystemRandom().randrange(2**32) if SOAK else 20261124)
    print(f"repeat: SUYUAN_SEED={seed}")  # noqa: T201
    return random.Random(seed)


class Door:
    """Hands bodies in and judges the answers. Time is this thread's own: others may be busy on the machine."""

    def __init__(self, http: FlaskClient) -> None:
        self._http = http
        self.answers: Counter[int] = Counter()
        self.slowest = 0.0

    def hand_in(self, path: str, raw: bytes, headers: dict[str, str]) -> int:
        began = time.thread_time()
        answer = self._http.post(path, data=raw, headers=headers)
        took = time.thread_time() - began
        self.slowest = max(self.slowest, took)
        self.answers[answer.status_code] += 1
        _judge(answer, raw)
        assert took < SLOWEST_S, (took, raw[:2000])
        return int(answer.status_code)

    def told(self) -> str:
        counts = dict(sorted(self.answers.items()))
        return f"{self.answers.total()} bodies: {counts}, slowest {self.slowest * 1000:.0f} ms"


def _judge(answer: Any, raw: bytes) -> None:
    if answer.status_code in TAKEN:
        return
    assert answer.status_code in REFUSED, (answer.status_code, raw[:2000])
    assert answer.mimetype == "application/problem+json", raw[:2000]
    problem = json.loads(answer.data)
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    assert len(answer.data) < 200_000


@pytest.mark.parametrize("content_type", [JSON, XML])
def test_bent_and_broken_documents_are_taken_or_refused_in_words(
    place: Place, dice: random.Random, content_type: str
) -> None:
    door = Door(place.app.test_client())
    own = place.headers("events:capture") | {"Content-Type": content_type}
    behaviours: tuple[dict[str, str], ...] = ({}, {"GS1-Capture-Error-Behaviour": "proceed"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, raw in enumerate(islice(mutants(dice, content_type), BODIES)):
        path = "/api/v1/events" if number % 5 == 4 else "/api/v1/capture"
        door.hand_in(path, raw, own | behaviours[number % 2])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{content_type}: {door.told()}, {grown} kB more memory")  # noqa: T201
    assert grown < GROWTH_KB
    assert BODIES // 50 < door.answers[202] < BODIES


def test_what_parsers_have_died_of_is_refused(place: Place) -> None:
    door = Door(place.app.test_client())
    for content_type, raw in known_killers():
        own = place.headers("events:capture") | {"Content-Type": content_type}
        for path in ("/api/v1/capture", "/api/v1/events"):
            door.hand_in(path, raw, own)
        if content_type == JSON:
            door.hand_in("/api/v1/queries", raw, place.headers("events:read") | {"Content-Type": JSON})
    print(door.told())  # noqa: T201


def test_a_gateway_that_signs_nonsense_is_answered(place: Place, dice: random.Random) -> None:
    """A broken body is held, not refused: a gateway must get on with what comes after it."""
    door = Door(place.app.test_client())
    for number, raw in enumerate(islice(_signed_bodies(dice), BODIES // 2)):
        path = ("/api/v1/uplink", "/api/v1/uplink", "/api/v1/gateways/heartbeat", "/api/v1/gateways/keys")[number % 4]
        door.hand_in(path, raw, place.signed(raw) | {"Content-Type": CONTENT_TYPE})
    print(door.told())  # noqa: T201
    assert door.answers[200] > BODIES // 10


def _signed_bodies(dice: random.Random) -> Iterator[bytes]:
    """Batches of bent events; of each second one bytes are wrong too."""
    whole = encode_batch(run(1, 3))
    for raw in payloads(dice):
        yield raw
        broken = bytearray(dice.choice((raw, whole, b"{}", b"\x1f\x8b" + raw[2:])))
        for _ in range(dice.randint(0, 4)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        yield bytes(broken)
