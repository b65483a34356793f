"""A million frames between reader and gateway, one in five lost, doubled, garbled, cut or in noise."""

from __future__ import annotations

from tests.core.readers.damage import damaged_line
from tests.fault.rows._base import Bench, Outcome, Row
from trace_core.readers import protocols

NEIGHBOURS_PER_DAMAGED = 1 / 1_000
"""Noise may look like the begin of a frame and hide the next; more of that is a fault of the codec."""


def damaged_frames(bench: Bench) -> Outcome:
    """Every protocol on a byte stream. *unexpected* = tags that were never there."""
    frames = bench.repeats(2_000, 1_000_000)
    streams = [protocol for protocol in protocols().values() if not protocol.framed_by_transport]
    lines = [damaged_line(protocol, frames, bench.dice.randrange(2**31)) for protocol in streams]
    damaged, lost = sum(line.damaged for line in lines), sum(line.lost for line in lines)
    allowed = damaged * NEIGHBOURS_PER_DAMAGED  # and four standard deviations: short runs scatter
    return Outcome(
        runs=sum(line.frames for line in lines),
        acknowledged=sum(line.read for line in lines),
        lost=max(0, lost - round(allowed + 4 * allowed**0.5)),
        unexpected=sum(line.invented for line in lines),
        remark=f"{len(streams)} protocols, {damaged:,} frames damaged, {lost} intact ones hidden by noise",
    )


ROWS = (Row("reader-line", "reader line", "1 frame in 5 damaged", damaged_frames),)
