"""Finding frames in a stream, and how far to believe them: what the serial protocols share."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_core.readers._base import BadBytes, TagRead
from trace_core.readers._checks import ends_with_genibus, ends_with_mcrf4xx, genibus, mcrf4xx, mercury, neg8
from trace_core.readers._framing import MAX_BAD, MORE, WAITING_FRAMES, WAITING_TAGS, Belief, Framer
from trace_core.readers._gen2 import epc_of, pc_and_epc

HEADER = 0x55


def frame(body: bytes) -> bytes:
    """Header, length of the body, body, low byte of the sum."""
    return bytes((HEADER, len(body))) + body + bytes((sum(body) & 0xFF,))


def measure(buffer: bytes, position: int) -> int:
    if buffer[position] != HEADER:
        return 0
    return buffer[position + 1] + 3 if position + 1 < len(buffer) else MORE


def is_intact(raw: bytes) -> bool:
    return sum(raw[2:-1]) & 0xFF == raw[-1]


def framer() -> Framer:
    return Framer(measure, is_intact, HEADER)


def test_the_checks_have_their_published_values() -> None:
    digits = b"123456789"
    assert (neg8(digits), mcrf4xx(digits), mercury(digits), genibus(digits)) == (0x23, b"\x91\x6f", 0xA69D, 0xD64E)


@given(st.binary(max_size=100))
def test_a_check_that_was_added_is_found_right(data: bytes) -> None:
    assert ends_with_mcrf4xx(data + mcrf4xx(data))
    assert ends_with_genibus(data + genibus(data).to_bytes(2, "big"))


@given(st.integers(1, 31).flatmap(lambda words: st.binary(min_size=2 * words, max_size=2 * words)))
def test_any_epc_comes_back_from_behind_its_pc(epc: bytes) -> None:
    assert epc_of(pc_and_epc(epc)) == epc
    assert epc_of(pc_and_epc(epc) + b"\0\0") is None


@pytest.mark.parametrize("epc", [b"", b"\1", bytes(64)])
def test_an_epc_that_no_pc_fits_is_our_own_mistake(epc: bytes) -> None:
    with pytest.raises(ValueError, match="words"):
        pc_and_epc(epc)
    assert epc_of(b"\0\0") is None


@given(bodies=st.lists(st.binary(min_size=1, max_size=20), max_size=8), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_frames_come_out_in_order_however_they_are_cut(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, bodies))
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    session = framer()
    out = [item for a, b in pairwise(edges) for item in session.feed(stream[a:b])]
    assert out == [frame(body) for body in bodies]
    assert not session.pending


def test_noise_is_no_break_and_a_damaged_frame_is_one() -> None:
    session = framer()
    good, broken = frame(b"hello"), frame(b"hello")[:-1] + b"\0"
    twice = frame(b"U\x01zy")[:-1] + b"\0"
    out = session.feed(b"noise" + good + broken + good + twice + good)
    assert out == [
        BadBytes("noise", b"noise"),
        good,
        BadBytes("broken_frame", broken),
        good,
        BadBytes("broken_frame", twice),
        good,
    ]


def test_a_partial_frame_is_given_up_byte_by_byte_and_one_inside_it_is_found() -> None:
    session = framer()
    assert session.feed(b"\x55\x40" + frame(b"in")) == []
    assert session.flush() == [BadBytes("partial", b"\x55\x40"), frame(b"in")]
    assert not session.pending


def test_long_noise_is_reported_in_pieces() -> None:
    out = framer().feed(b"\0" * (2 * MAX_BAD + 1))
    assert [len(item.data) for item in out if isinstance(item, BadBytes)] == [MAX_BAD, MAX_BAD, 1]


def read(number: int) -> TagRead:
    return TagRead(number.to_bytes(4, "big"))


def broken(belief: Belief) -> None:
    for piece in (b"in two", b"pieces"):
        belief.bad(BadBytes("broken_frame", piece))
    belief.bad(BadBytes("noise", b"after it"))
    belief.frame()


def suspicious(belief: Belief) -> Belief:
    for _ in range(3):
        broken(belief)
    assert belief.suspects
    return belief


def test_a_line_is_trusted_until_it_breaks_three_frames_close_together() -> None:
    belief = Belief(2)
    for _ in range(2):
        broken(belief)
    assert belief.judge(read(1), b"") == [read(1)]
    for _ in range(200):
        belief.frame()
    broken(belief)
    assert belief.judge(read(2), b"") == [read(2)]


def test_on_a_suspect_line_a_new_tag_waits_and_then_all_its_reads_come() -> None:
    belief = Belief(3)
    belief.frame()
    belief.judge(read(1), b"")
    suspicious(belief)
    assert belief.judge(read(1), b"") == [read(1)]
    assert belief.judge(read(2), b"") == []
    assert belief.judge(read(2), b"") == []
    assert belief.judge(read(2), b"") == [read(2)] * 3
    assert belief.judge(read(2), b"") == [read(2)]


def test_a_tag_that_never_comes_again_ends_as_bad_bytes_with_its_frame() -> None:
    belief = suspicious(Belief(2))
    assert belief.judge(read(1), b"frame of 1") == []
    for _ in range(WAITING_FRAMES):
        belief.frame()
    suspects = belief.judge(read(1), b"")
    assert suspects == [BadBytes("unconfirmed", b"frame of 1")]


def test_waiting_tags_are_bounded() -> None:
    belief = suspicious(Belief(2))
    out = [item for number in range(2 * WAITING_TAGS) for item in belief.judge(read(number), b"")]
    assert len(out) == WAITING_TAGS
    assert all(isinstance(item, BadBytes) for item in out)
