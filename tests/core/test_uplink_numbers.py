"""Numbers of the uplink that JSON can say and no clock can hold."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from trace_core.errors import EventError
from trace_core.uplink import MAX_RETRY_AFTER_S, ZERO_DIGEST, Ack, Batch, ClockState, chain, encode_ack, encode_batch
from trace_core.uplink import decode_ack as read_ack
from trace_core.uplink import decode_batch as read_batch

NOW = datetime(2026, 11, 24, tzinfo=UTC)
EPOCH = "00112233aabbccdd"
ODD = ["1" + "0" * 400, "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "true", "null", '"x"', "[]"]


def ack_with(text: str, name: str) -> bytes:
    members: dict[str, Any] = json.loads(encode_ack(Ack(EPOCH, 1, 0, NOW)))
    return json.dumps(members | {name: "@"}).replace('"@"', text).encode()


def batch_with(text: str) -> bytes:
    bodies = (b"{}",)
    sent = Batch(EPOCH, 1, bodies, ZERO_DIGEST, chain(ZERO_DIGEST, bodies), "b", 1.0, NOW, ClockState.UNSURE)
    members = json.loads(gzip.decompress(encode_batch(sent)))
    return gzip.compress(json.dumps(members | {"monotonic": "@"}).replace('"@"', text).encode())


@pytest.mark.parametrize("text", ODD)
def test_an_odd_number_is_refused_in_a_batch(text: str) -> None:
    with pytest.raises(EventError):
        read_batch(batch_with(text))


@pytest.mark.parametrize("text", [*ODD, "-1", f"{MAX_RETRY_AFTER_S + 1}"])
def test_an_odd_wait_is_refused_in_an_acknowledgement(text: str) -> None:
    with pytest.raises(EventError):
        read_ack(ack_with(text, "retry_after_s"))


@pytest.mark.parametrize("text", ["[NaN]", "[Infinity]", "[1e999]"])
def test_an_odd_sequence_number_is_refused_in_an_acknowledgement(text: str) -> None:
    with pytest.raises(EventError):
        read_ack(ack_with(text, "quarantined"))


def test_the_longest_wait_is_taken() -> None:
    assert read_ack(ack_with(str(MAX_RETRY_AFTER_S), "retry_after_s")).retry_after_s == MAX_RETRY_AFTER_S
