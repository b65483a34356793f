"""The cable is what lies: seeded damage between a reader and its host.

`Cable` damages a byte stream, `Post` a stream of messages (there, TCP keeps bytes whole: messages can be lost,
repeated, reordered or, from a reader that restarts, cut short, but not garbled).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from firmware_sim.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class CableFaults:
    """Chance of each fault per frame written, 0 to 1. `dribble` delivers one byte at a time, always."""

    lose: float = 0.0
    """One byte is missing."""
    garble: float = 0.0
    """One bit is flipped."""
    repeat: float = 0.0
    """One byte comes twice."""
    noise: float = 0.0
    """Up to 16 random bytes come before the frame."""
    cut: float = 0.0
    """The end of the frame is missing."""
    split: float = 0.0
    """The frame comes in two reads."""
    dribble: bool = False


class Cable:
    """One direction of a serial cable. The same seed gives the same damage."""

    def __init__(self, faults: CableFaults, seed: int) -> None:
        self.damaged = 0
        """Frames that did not come through as they were sent."""
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311 - repeatable damage, not a secret

    def carry(self, frame: bytes) -> list[bytes]:
        """One frame in, what the other end reads out, in pieces."""
        if not frame:
            return []
        damaged = self._damage(frame)
        self.damaged += damaged != frame
        if self._faults.dribble:
            return [damaged[i : i + 1] for i in range(len(damaged))]
        if len(damaged) > 1 and self._random.random() < self._faults.split:
            at = self._random.randrange(1, len(damaged))
            return [damaged[:at], damaged[at:]]
        return [damaged] if damaged else []

    def _damage(self, frame: bytes) -> bytes:
        chance, faults = self._random.random, self._faults
        data = bytearray(frame)
        if chance() < faults.lose:
            del data[self._random.randrange(len(data))]
        if data and chance() < faults.garble:
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        if data and chance() < faults.repeat:
            at = self._random.randrange(len(data))
            data.insert(at, data[at])
        if data and chance() < faults.cut:
            del data[self._random.randrange(len(data)) :]
        if chance() < faults.noise:
            data[:0] = self._random.randbytes(self._random.randrange(1, 17))
        return bytes(data)


@dataclass(frozen=True, slots=True)
class PostFaults:
    """Chance of each fault per message, 0 to 1."""

    lose: float = 0.0
    repeat: float = 0.0
    reorder: float = 0.0
    cut: float = 0.0


class Post:
    """One direction of a message transport. The same seed gives the same damage."""

    def __init__(self, faults: PostFaults, seed: int) -> None:
        self.damaged = 0
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311 - repeatable damage, not a secret
        self._late: list[bytes] = []

    def carry(self, message: bytes) -> list[bytes]:
        """One message in, the messages that arrive out."""
        chance, faults = self._random.random, self._faults
        out, self._late = self._late, []
        if chance() < faults.lose:
            self.damaged += 1
            return out
        if message and chance() < faults.cut:
            self.damaged += 1
            return [*out, message[: self._random.randrange(1, len(message))] if len(message) > 1 else message]
        if chance() < faults.reorder:
            self._late = [message]
            return out
        return [message, *out] if chance() >= faults.repeat else [message, *out, message]


class FaultyEndpoint:
    """An endpoint behind two bad cables, one each way."""

    def __init__(self, endpoint: Endpoint, faults: CableFaults, seed: int) -> None:
        self.out = Cable(faults, seed)
        self.back = Cable(faults, seed + 1)
        self.inner = endpoint
        self._waiting: list[bytes] = []

    def read(self, timeout_s: float) -> bytes:
        if not self._waiting:
            self._waiting = self.back.carry(self.inner.read(timeout_s))
        return self._waiting.pop(0) if self._waiting else b""

    def write(self, data: bytes) -> None:
        for piece in self.out.carry(data):
            self.inner.write(piece)

    def close(self) -> None:
        self.inner.close()
