"""What every reader protocol promises. A new protocol gets all of this for nothing, by being in the registry."""

from __future__ import annotations

import os
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.faults import Cable, CableFaults, Post, PostFaults
from tests.core.readers.damage import damaged_line
from tests.core.readers.rig import (
    START_S,
    Rig,
    bad_of,
    byte_by_byte,
    frames_of,
    heard,
    held_bytes,
    population,
    reads_of,
)
from tests.core.readers.vectors import Vector, load
from trace_core.readers import protocols
from trace_core.readers._base import BadBytes, CodeRead, DeviceEvent, ReaderProtocol, Send, TagRead

FRAMES = 1_000_000 if os.environ.get("SUYUAN_SOAK") else 100_000
"""Frames of the damage test, one in five damaged; `make soak` runs the million."""
BUFFER_LIMIT = 64 * 1_024
"""Bytes that a session may hold whatever it is fed."""
LONG_FRAME = 4_096

ALL = list(protocols().values())
STREAMS = [p for p in ALL if not p.framed_by_transport]
MESSAGES = [p for p in ALL if p.framed_by_transport]
VECTORS = [vector for protocol in ALL for vector in load(protocol.name)]
TO_HOST = [v for v in VECTORS if v.direction == "to_host"]
TO_DEVICE = [v for v in VECTORS if v.direction == "to_device"]
every = pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
every_stream = pytest.mark.parametrize("protocol", STREAMS, ids=lambda p: p.name)
every_message = pytest.mark.parametrize("protocol", MESSAGES, ids=lambda p: p.name)


def named(name: str) -> ReaderProtocol:
    return protocols()[name]


# Outside vectors


@every
def test_a_protocol_has_vectors_from_outside_with_their_source(protocol: ReaderProtocol) -> None:
    vectors = load(protocol.name)
    assert any(v.reads for v in vectors)
    assert any(v.refused for v in vectors)
    assert all(v.source for v in vectors)
    assert protocol.sources


@pytest.mark.parametrize("vector", TO_HOST, ids=str)
def test_the_host_reads_outside_bytes_as_their_source_says(vector: Vector) -> None:
    outputs = heard(named(vector.protocol).host(vector.options), [vector.data])
    assert reads_of(outputs) == list(vector.reads)
    assert [o for o in outputs if isinstance(o, CodeRead)] == list(vector.codes)
    assert [o.state.value for o in outputs if isinstance(o, DeviceEvent)] == list(vector.events)
    assert bool(bad_of(outputs)) == vector.refused


@pytest.mark.parametrize("vector", TO_DEVICE, ids=str)
def test_the_simulated_device_answers_outside_bytes_as_their_source_says(vector: Vector) -> None:
    reply = named(vector.protocol).device(vector.options).receive(vector.data, START_S)
    expected = {key: bytes.fromhex(value) for key, value in vector.reply.items()}
    assert reply == expected.get("reply", reply)
    assert reply.startswith(expected.get("reply_starts", b""))
    assert reply.endswith(expected.get("reply_ends", b""))


# Round trip


@every
def test_tags_in_the_field_reach_the_host_bit_for_bit(protocol: ReaderProtocol) -> None:
    rig = Rig(protocol)
    rig.tags = population(1, protocol=protocol)
    rig.run(3.0)
    assert rig.epcs() == {tag.epc for tag in rig.tags}
    assert not rig.bad
    assert rig.states()[:1] == ["online"]
    by_epc = {tag.epc: tag for tag in rig.tags}
    for read in rig.reads:
        assert read.rssi_dbm is None or read.rssi_dbm == pytest.approx(by_epc[read.epc].rssi_dbm, abs=0.5)
        assert read.antenna in (None, by_epc[read.epc].antenna)


@every
def test_a_tag_that_left_is_not_read_any_more(protocol: ReaderProtocol) -> None:
    rig = Rig(protocol)
    rig.tags = population(2, 2, protocol)
    rig.run(2.0)
    gone = rig.tags.pop()
    rig.run(0.1)
    rig.reads.clear()
    rig.run(2.0)
    assert gone.epc not in rig.epcs()
    assert rig.epcs() == {rig.tags[0].epc}


@every
def test_an_empty_field_gives_no_reads_and_no_alarm(protocol: ReaderProtocol) -> None:
    rig = Rig(protocol).run(120.0)
    assert not rig.reads
    assert not rig.bad
    assert rig.states() in (["online"], [])


# Streams: the cable lies


@every_stream
def test_one_byte_at_a_time_gives_the_same_reads(protocol: ReaderProtocol) -> None:
    slow, fast = Rig(protocol, out=byte_by_byte, back=byte_by_byte), Rig(protocol)
    for rig in (slow, fast):
        rig.tags = population(3, 8, protocol)
        rig.run(2.0)
    assert slow.reads == fast.reads
    assert slow.reads
    assert not slow.bad


@every_stream
def test_glued_and_split_frames_give_the_same_reads(protocol: ReaderProtocol) -> None:
    frames = frames_of(protocol, population(4, protocol=protocol), 1.0)
    stream = b"".join(frames)
    whole = reads_of(heard(protocol.host({}), [stream]))
    assert whole == reads_of(heard(protocol.host({}), frames))
    for size in (1, 2, 3, 7, 64, 1_000):
        pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
        assert reads_of(heard(protocol.host({}), pieces)) == whole


@every_stream
def test_garbage_before_between_and_after_costs_no_frame(protocol: ReaderProtocol) -> None:
    rng = random.Random(5)
    frames = frames_of(protocol, population(5, protocol=protocol), 1.0)
    clean = reads_of(heard(protocol.host({}), frames))
    dirty = [piece for frame in frames for piece in (_harmless(rng, frame), frame)] + [rng.randbytes(5)]
    outputs = heard(protocol.host({}), dirty)
    assert reads_of(outputs) == clean
    assert bad_of(outputs)


@every_stream
def test_a_frame_cut_anywhere_gives_no_read_and_the_next_one_is_read(protocol: ReaderProtocol) -> None:
    frame, following = _tag_frames(protocol, 6, 2)
    for length in range(1, len(frame)):
        outputs = heard(protocol.host({}), [frame[:length] + following])
        assert reads_of(outputs) == reads_of(heard(protocol.host({}), [following])), length
        assert not reads_of(heard(protocol.host({}), [frame[:length]])), length


@every_stream
def test_any_one_damaged_byte_costs_that_frame_alone(protocol: ReaderProtocol) -> None:
    frame, *others = _tag_frames(protocol, 7, 3)
    expected = reads_of(heard(protocol.host({}), others))
    for position in range(len(frame)):
        for damaged in _damaged_at(frame, position):
            reads = reads_of(heard(protocol.host({}), [damaged + b"".join(others)]))
            assert reads[-len(expected) :] == expected, damaged.hex()
            assert {r.epc for r in reads} <= {r.epc for r in reads_of(heard(protocol.host({}), [frame, *others]))}


@every_stream
def test_a_length_that_lies_holds_up_nothing_for_long(protocol: ReaderProtocol) -> None:
    frame, *others = _tag_frames(protocol, 8, 3)
    expected = [read.epc for read in reads_of(heard(protocol.host({}), others))]
    for position in range(1, min(len(frame), 8)):
        for value in range(256):
            lying = frame[:position] + bytes((value,)) + frame[position + 1 :]
            epcs = [read.epc for read in reads_of(heard(protocol.host({}), [lying + b"".join(others)]))]
            assert epcs[-len(expected) :] == expected, lying.hex()


@every_stream
def test_the_waiting_buffer_stays_small_whatever_comes(protocol: ReaderProtocol) -> None:
    rng = random.Random(9)
    frame = _tag_frames(protocol, 9, 1)[0]
    starts = [frame[:n] + b"\xff\xff" for n in range(1, 6)]
    feeds = [rng.randbytes(200_000), frame[:1] * 100_000, b"".join(starts) * 10_000, b"\0" * 100_000, frame * 5_000]
    for options in ({}, {"dialect": "BB"} if "dialect" in protocol.options else {}):
        session = protocol.host(options)
        before = held_bytes(session)
        for feed in feeds:
            for i in range(0, len(feed), 777):
                session.receive(feed[i : i + 777], START_S)
                if i % 7_770 == 0:
                    assert held_bytes(session) - before < BUFFER_LIMIT


@every_stream
def test_damaged_frames_never_make_a_tag_that_is_not_there(protocol: ReaderProtocol) -> None:
    """quality.md §6, reader line: 0 invented tags, resynchronised within one frame."""
    line = damaged_line(protocol, FRAMES, seed=10)
    assert line.damaged >= FRAMES * 0.17
    assert line.invented == 0
    assert line.lost <= line.damaged // 1_000, "damage must cost the damaged frame, not its neighbours"


@every_stream
def test_all_tags_come_through_a_bad_cable_in_both_directions(protocol: ReaderProtocol) -> None:
    faults = CableFaults(lose=0.1, garble=0.1, repeat=0.1, noise=0.1, cut=0.1, split=0.3)
    for seed in range(5):
        rig = Rig(protocol, out=Cable(faults, seed).carry, back=Cable(faults, seed + 100).carry)
        rig.tags = population(seed, 10, protocol)
        rig.run(30.0)
        assert rig.epcs() == {tag.epc for tag in rig.tags}


@every_stream
def test_a_silent_reader_is_reported_once_and_taken_up_again(protocol: ReaderProtocol) -> None:
    rig = Rig(protocol)
    rig.tags = population(12, 3, protocol)
    rig.run(2.0)
    rig.unplugged = True
    rig.run(10.0)
    assert rig.states() == ["online", "silent"]
    rig.unplugged = False
    rig.reads.clear()
    rig.run(4.0)
    assert rig.states() == ["online", "silent", "online"]
    assert rig.epcs() == {tag.epc for tag in rig.tags}


# Messages: TCP keeps bytes whole, but messages get lost, repeated, reordered and cut


@every_message
def test_messages_lost_repeated_reordered_and_cut_make_no_tag(protocol: ReaderProtocol) -> None:
    post = Post(PostFaults(lose=0.1, repeat=0.2, reorder=0.2, cut=0.1), seed=13)
    rig = Rig(protocol, out=post.carry)
    rig.tags = population(13, 20, protocol)
    rig.run(20.0)
    assert rig.epcs() == {tag.epc for tag in rig.tags}
    assert post.damaged
    assert rig.bad


@every_message
def test_a_repeated_message_is_read_once(protocol: ReaderProtocol) -> None:
    rig = Rig(protocol, out=lambda message: [message, message])
    rig.tags = population(14, 5, protocol)
    once = Rig(protocol)
    once.tags = rig.tags
    assert rig.run(3.0).reads == once.run(3.0).reads


@every_message
def test_remembering_messages_takes_bounded_memory(protocol: ReaderProtocol) -> None:
    session = protocol.host({})
    for frame in frames_of(protocol, population(15, 200, protocol), 40.0):
        session.receive(frame, START_S)
    assert held_bytes(session) < 1_000_000


# Hostile bytes


@every
@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400), size=st.integers(1, 50))
def test_no_bytes_make_a_session_raise(protocol: ReaderProtocol, data: bytes, size: int) -> None:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert not reads_of(heard(protocol.host({}), pieces))
    device = protocol.device({})
    for piece in pieces:
        device.receive(piece, START_S)
    device.tick(START_S + 1, ())


@every_stream
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_frames_in_noise_are_read_the_same_however_they_are_split(
    protocol: ReaderProtocol, data: st.DataObject
) -> None:
    frames = _tag_frames(protocol, 16, 6)
    noise = st.binary(max_size=30)
    marks = st.sampled_from([frame[:n] for frame in frames[:2] for n in (1, 2, 5, 9)])
    parts = data.draw(st.lists(st.one_of(noise, marks, st.sampled_from(frames)), max_size=12))
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = reads_of(heard(protocol.host({}), [stream]))
    assert reads_of(heard(protocol.host({}), pieces)) == whole
    assert {read.epc for read in whole} <= {read.epc for read in reads_of(heard(protocol.host({}), frames))}


@every
def test_a_megabyte_of_noise_takes_less_than_a_second_of_hang_each_read(protocol: ReaderProtocol) -> None:
    rng = random.Random(17)
    session = protocol.host({})
    for _ in range(64):
        begun = time.perf_counter()
        for output in session.receive(rng.randbytes(16_384), START_S):
            assert not isinstance(output, TagRead)
            assert not isinstance(output, BadBytes) or len(output.data) <= 20_000
        assert time.perf_counter() - begun < 1.0


@every
def test_options_that_do_not_exist_or_fit_are_not_taken_silently(protocol: ReaderProtocol) -> None:
    assert protocol.options
    assert all(help_text for help_text in protocol.options.values())
    assert protocol.title
    assert protocol.transports


@every
def test_a_host_session_sends_nothing_to_a_device_but_bytes_it_understands(protocol: ReaderProtocol) -> None:
    device = protocol.device({})
    for output in protocol.host({}).start(START_S):
        assert isinstance(output, Send)
        device.receive(output.data, START_S)


def _tag_frames(protocol: ReaderProtocol, seed: int, count: int) -> list[bytes]:
    """`count` device frames, each with one tag of its own."""
    found: list[bytes] = []
    for tag in population(seed, count, protocol):
        frames = frames_of(protocol, [tag], 2.0)
        found.append(next(f for f in frames if reads_of(protocol.host({}).receive(f, START_S))))
    return found


def _harmless(rng: random.Random, frame: bytes) -> bytes:
    """Noise without the frame's first byte: it cannot be mistaken for the begin of a frame."""
    return rng.randbytes(rng.randrange(1, 20)).replace(frame[:1], b"\0").replace(b"\xaa", b"\0")


def _damaged_at(frame: bytes, position: int) -> list[bytes]:
    head, byte, tail = frame[:position], frame[position], frame[position + 1 :]
    flipped = [head + bytes((byte ^ 1 << bit,)) + tail for bit in range(8)]
    return [head + tail, head + bytes((byte, byte)) + tail, head + tail[::-1], *flipped]
