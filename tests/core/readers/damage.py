"""A reader line that damages one frame in five: what was sent, what was read, what should have been."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from firmware_sim.faults import Cable, CableFaults
from tests.core.readers.rig import START_S, frames_of, population, reads_of
from trace_core.readers._base import ReaderProtocol, TagRead


@dataclass(frozen=True, slots=True)
class Damage:
    """Counts of one run. `lost`: intact frames whose tag was not read."""

    frames: int
    damaged: int
    read: int
    invented: int
    lost: int


def damaged_line(protocol: ReaderProtocol, frames: int, seed: int) -> Damage:
    """`frames` frames of a device through a bad cable, one in four handed to it; the same seed repeats it."""
    tags = population(seed, 200, protocol)
    pool = [f for f in frames_of(protocol, tags, 5.0) if reads_of(protocol.host({}).receive(f, START_S))]
    known = {tag.epc for tag in tags}
    rng = random.Random(seed)
    each = CableFaults(lose=0.3, garble=0.4, repeat=0.2, noise=0.2, cut=0.2)
    cable, session = Cable(each, seed=seed + 1), protocol.host({})
    intact: Counter[bytes] = Counter()
    read: Counter[bytes] = Counter()
    for batch in range(0, frames, 50):
        arriving = bytearray()
        for _ in range(50):
            frame = rng.choice(pool)
            if rng.random() < 0.25:
                arriving += b"".join(cable.carry(frame))
            else:
                intact[frame] += 1
                arriving += frame
        outputs = session.receive(bytes(arriving), START_S + batch)
        read.update(o.epc for o in outputs if isinstance(o, TagRead))
    sent: Counter[bytes] = Counter()
    for frame, count in intact.items():
        sent[reads_of(protocol.host({}).receive(frame, START_S))[0].epc] += count
    return Damage(frames, cable.damaged, read.total(), len(set(read) - known), sum((sent - read).values()))
