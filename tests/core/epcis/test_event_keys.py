"""The key of a stored event: the standard's hash can be shared by different events, the key cannot."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.epcis.make import object_event
from tests.core.epcis.strategies import events
from trace_core.epcis.document import event_from_json, event_to_json
from trace_core.epcis.event import Event
from trace_core.epcis.event_hash import event_hash, event_key

EXAMPLES = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
CONTEXT = [{"suyuan": "urn:suyuan:epcis:", "u": "urn:u:", "e": "urn:u:=x:"}]
# Values that read like what stands between them in the pre-hash string of the standard.
PIECES = (
    "urn:x:a",
    "urn:x:aepc=urn:x:a",
    "urn:x:aquantity=1",
    "urn:x:auom=KGM",
    "a",
    "a=b",
    "b{urn:u:}a=b",
    "{urn:u:}b=a",
)
URIS = st.sampled_from([piece for piece in PIECES if piece.startswith("urn")])
NAMES = st.sampled_from(["u:a", "u:b", "u:a=b", "e:a"])
VALUES = st.recursive(
    st.sampled_from(PIECES),
    lambda inner: st.lists(inner, min_size=2, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=2),
    max_leaves=4,
)
QUANTITIES = st.builds(
    lambda uri, number, uom: {
        "epcClass": uri,
        **({} if number is None else {"quantity": number} | ({} if uom is None else {"uom": uom})),
    },
    URIS,
    st.none() | st.just(1),
    st.none() | st.sampled_from(["KGM"]),
)
TRANSACTIONS = st.builds(
    lambda uri, kind: {"bizTransaction": uri, **({} if kind is None else {"type": kind})}, URIS, st.none() | URIS
)
MEMBERS = st.fixed_dictionaries(
    {"epcList": st.lists(URIS, max_size=3)},
    optional={
        "quantityList": st.lists(QUANTITIES, min_size=1, max_size=2),
        "bizTransactionList": st.lists(TRANSACTIONS, min_size=1, max_size=2),
        "u:a": VALUES,
        "u:b": VALUES,
        "ilmd": st.dictionaries(NAMES, VALUES, min_size=1, max_size=2),
    },
)


def told(value: Any, name: str = "") -> Any:
    """What a member says, whatever its order: lists are repeated members, nested or not."""
    if isinstance(value, dict):
        return frozenset(Counter(part for key, item in value.items() for part in told_parts(key, item)).items())
    return value


def told_parts(name: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        return [part for item in value for part in told_parts(name, item)]
    return [(name, told(value))]


@EXAMPLES
@given(MEMBERS, MEMBERS)
def test_different_events_never_share_a_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    keys = [
        event_key(event_from_json(object_event(**{"@context": CONTEXT, "action": "ADD", **members})), "client:a")
        for members in (one, other)
    ]
    assert (keys[0] == keys[1]) == (told(one) == told(other))


@EXAMPLES
@given(events(), st.randoms(use_true_random=False))
def test_an_event_keeps_its_key_however_its_members_are_ordered(event: Event, rng: random.Random) -> None:
    members = list(event_to_json(event).items())
    rng.shuffle(members)
    assert event_key(event_from_json(dict(members)), "client:a") == event_key(event, "client:a")


def test_events_made_to_share_a_hash_have_keys_of_their_own() -> None:
    pairs = (
        ({"epcList": ["urn:x:a", "urn:x:b"]}, {"epcList": ["urn:x:aepc=urn:x:b"]}),
        ({"u:a": "1", "u:b": "2"}, {"u:a": "1{urn:u:}b=2"}),
        ({"u:a": {"u:b": "1"}, "u:c": "2"}, {"u:a": {"u:b": "1", "u:c": "2"}}),
    )
    for one, other in pairs:
        first, second = (event_from_json(object_event(**{"@context": CONTEXT, **members})) for members in (one, other))
        assert event_hash(first) == event_hash(second)
        assert event_key(first, "gateway:g") != event_key(second, "gateway:g")


def test_each_sender_has_keys_of_its_own() -> None:
    event = event_from_json(object_event())
    assert event_key(event, "client:a") != event_key(event, "client:b")
