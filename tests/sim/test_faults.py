"""Damage is repeatable, and no more than was asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.faults import Cable, CableFaults, Post, PostFaults

FRAMES = [bytes(range(n, n + 20)) for n in range(100)]
ALL_FAULTS = CableFaults(lose=0.3, garble=0.3, repeat=0.3, noise=0.3, cut=0.3, split=0.3)


def test_a_cable_without_faults_changes_nothing() -> None:
    cable = Cable(CableFaults(), seed=1)
    assert [cable.carry(frame) for frame in FRAMES] == [[frame] for frame in FRAMES]
    assert cable.damaged == 0
    assert cable.carry(b"") == []


def test_the_same_seed_gives_the_same_damage_and_another_seed_another() -> None:
    def through(seed: int) -> list[list[bytes]]:
        cable = Cable(ALL_FAULTS, seed)
        return [cable.carry(frame) for frame in FRAMES]

    assert through(1) == through(1)
    assert through(1) != through(2)


def test_damage_is_counted_only_where_bytes_changed() -> None:
    cable = Cable(ALL_FAULTS, seed=3)
    arrived = [b"".join(cable.carry(frame)) for frame in FRAMES]
    assert cable.damaged == sum(a != b for a, b in zip(arrived, FRAMES, strict=True))


@given(frame=st.binary(max_size=60), seed=st.integers(0, 1_000))
def test_splitting_and_dribbling_keep_every_byte(frame: bytes, seed: int) -> None:
    assert b"".join(Cable(CableFaults(split=1.0), seed).carry(frame)) == frame
    dribbled = Cable(CableFaults(dribble=True), seed).carry(frame)
    assert b"".join(dribbled) == frame
    assert all(len(piece) == 1 for piece in dribbled)


@given(frame=st.binary(min_size=1, max_size=60), seed=st.integers(0, 1_000))
def test_each_fault_does_what_its_name_says(frame: bytes, seed: int) -> None:
    def size(faults: CableFaults) -> int:
        return len(b"".join(Cable(faults, seed).carry(frame)))

    assert size(CableFaults(lose=1.0)) == len(frame) - 1
    assert size(CableFaults(repeat=1.0)) == len(frame) + 1
    assert size(CableFaults(cut=1.0)) < len(frame)
    assert len(frame) < size(CableFaults(noise=1.0)) <= len(frame) + 16
    garbled = b"".join(Cable(CableFaults(garble=1.0), seed).carry(frame))
    assert sum((a ^ b).bit_count() for a, b in zip(garbled, frame, strict=True)) == 1


def test_the_post_loses_repeats_and_reorders_but_never_changes_a_message() -> None:
    post = Post(PostFaults(lose=0.2, repeat=0.2, reorder=0.2), seed=4)
    arrived = [message for frame in FRAMES for message in post.carry(frame)]
    assert set(arrived) < set(FRAMES)
    assert len(arrived) > len(set(arrived))
    assert [FRAMES.index(m) for m in arrived] != sorted(FRAMES.index(m) for m in arrived)
    assert post.damaged


def test_the_post_can_cut_a_message_short() -> None:
    post = Post(PostFaults(cut=1.0), seed=5)
    (arrived,) = post.carry(FRAMES[0])
    assert FRAMES[0].startswith(arrived)
    assert 0 < len(arrived) < len(FRAMES[0])
