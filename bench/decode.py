"""Bytes of every reader protocol → `TagRead`, against the least that could be done with the same bytes.

One JSON object a line: ours and reference in frames (or payloads) per second, taken in turns in one run.
`distinct`: every frame is another one. `repeated`: 500 tags in the field, as a gate sees them. `field`: what the
simulated device of a protocol sends with 50 tags before it, rounds, reports and replies included, in reads a second;
the reference only cuts it where the device cut it.
"""

from __future__ import annotations

import json
import random
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.core.readers.rig import Rig, population
from trace_core.readers import protocols
from trace_core.readers._base import CodeRead, FieldTag, HostOutput, HostSession, TagRead
from trace_core.readers.magicrf.frames import TagNotice

FLOOR = 150_000
"""Least MagicRF frames a second on one core."""
ROUNDS = 5
FRAMES = 40_000
PAYLOADS = 10_000
PIECES = 2_000
FIELD = 50
READ_BYTES = 4_096
"""What the gateway's port gives at most in one read."""
NOTICE = struct.Struct(">BBBHbH12sHBB")


def main() -> int:
    """Exit code: 0 done, 1 when the floor was missed."""
    slowest = FLOOR
    for case, unique in (("magicrf distinct", FRAMES), ("magicrf repeated", 500)):
        blob = b"".join(_notices(unique, FRAMES))
        reads = [blob[i : i + READ_BYTES] for i in range(0, len(blob), READ_BYTES)]
        rate = _report(case, FRAMES, lambda reads=reads: _decode("magicrf", reads), lambda blob=blob: _unpack(blob))
        slowest = min(slowest, rate)
    for dialect in ("impinj", "zebra", "generic"):
        payloads = _payloads(dialect)
        count = len(payloads)
        _report(f"mqtt_json {dialect}", count, lambda p=payloads: _decode("mqtt_json", p), lambda p=payloads: _loads(p))
    for name, protocol in sorted(protocols_once.items()):
        if not protocol.framed_by_transport:
            _measure_field(name)
    return int(slowest < FLOOR)


class _Tape:
    """A host session that keeps what it is given."""

    def __init__(self, session: HostSession) -> None:
        self.session = session
        self.pieces: list[bytes] = []
        self.start, self.tick = session.start, session.tick

    def receive(self, data: bytes, now: float) -> Sequence[HostOutput]:
        self.pieces.append(data)
        return self.session.receive(data, now)


def _measure_field(name: str) -> None:
    rig = Rig(protocols_once[name])
    rig.host = tape = _Tape(rig.host)
    found = population(3, FIELD, protocols_once[name])
    rig.tags = [replace(tag, code=f"]d2010952123454321321{n:06}") for n, tag in enumerate(found)]
    rig.run(3.0)
    tape.pieces.clear()
    while len(tape.pieces) < PIECES:
        rig.run(1.0)
    session, pieces = tape.session, tape.pieces
    count = _reads(session, pieces)
    size = sum(map(len, pieces))
    _report(f"{name} field", count, lambda: _reads(session, pieces), lambda: count * (_cut(pieces) == size))


def _reads(session: HostSession, pieces: Sequence[bytes]) -> int:
    """Fed again: the session is in the middle of its work, whatever it asks for is not sent."""
    outputs = (output for piece in pieces for output in session.receive(piece, 2e9))
    return sum(isinstance(output, TagRead | CodeRead) for output in outputs)


def _cut(pieces: Sequence[bytes]) -> int:
    return sum(len(struct.unpack(f"{len(piece)}s", piece)[0]) for piece in pieces)


def _report(case: str, count: int, ours: Callable[[], int], reference: Callable[[], int]) -> float:
    """Prints the case and returns our best rate a second."""
    best = {"ours": 0.0, "reference": 0.0}
    for _ in range(ROUNDS):
        for name, work in (("ours", ours), ("reference", reference)):
            begun = time.perf_counter()
            done = work()
            best[name] = max(best[name], count / (time.perf_counter() - begun))
            if done != count:
                raise SystemExit(f"decode: {case}: {name} gave {done} of {count}")
    line = {"bench": "decode", "case": case, "ours": round(best["ours"]), "reference": round(best["reference"])}
    print(json.dumps(line | {"unit": "frames/s", "ratio": round(best["ours"] / best["reference"], 3)}), flush=True)
    return best["ours"]


def _decode(protocol: str, pieces: Sequence[bytes]) -> int:
    session = protocols_once[protocol].host({})
    return sum(isinstance(output, TagRead) for piece in pieces for output in session.receive(piece, 0.0))


def _unpack(blob: bytes) -> int:
    return sum(1 for _ in NOTICE.iter_unpack(blob))


def _loads(payloads: Sequence[bytes]) -> int:
    return sum(1 for payload in payloads if json.loads(payload))


def _notices(unique: int, count: int) -> list[bytes]:
    rng = random.Random(1)
    pool = [TagNotice.of(rng.randbytes(12), -rng.randrange(30, 90)).to_bytes() for _ in range(unique)]
    return [pool[i % unique] for i in range(count)]


def _payloads(dialect: str) -> list[bytes]:
    device = protocols_once["mqtt_json"].device({"dialect": dialect, "report_ms": 1})
    rng = random.Random(2)
    tags = [FieldTag(rng.randbytes(12), rssi_dbm=-rng.randrange(30, 90)) for _ in range(500)]
    found: list[bytes] = []
    now = 1.8e9
    while len(found) < PAYLOADS:
        found += device.tick(now, tags)
        now += 0.01
    return found[:PAYLOADS]


protocols_once = protocols()

if __name__ == "__main__":
    sys.exit(main())
