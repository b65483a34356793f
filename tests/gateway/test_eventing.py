"""The text of an event that the gateway splices together is what the general EPCIS writer would write."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_agent.answering import Answer, Identity, identify
from gateway_agent.blocklist import Verdict
from gateway_agent.clock import Moment
from gateway_agent.eventing import CONTEXT, PREFIXES, Origin, Place, event_body
from gateway_agent.observing import Observation
from tests.gateway.make import epc, read_point
from trace_core.epcis.document import event_from_json, event_to_json
from trace_core.epcis.event import SUYUAN_NAMESPACE, ExtensionValue
from trace_core.readers._base import TagRead
from trace_core.uplink import ClockState

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
COUNT = st.integers(0, 10**6)
READS = st.builds(
    TagRead,
    epc=st.binary(max_size=62),
    antenna=st.none() | st.integers(0, 65_535),
    rssi_dbm=st.none() | st.floats(-150, 50) | st.integers(-150, 50),
    tid=st.none() | st.binary(max_size=12),
    reader=st.none() | TEXT,
)
MOMENTS = st.builds(
    Moment,
    st.integers(100_000, 4_000_000_000_000_000).map(
        lambda us: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us)
    ),
    st.floats(0, 1e8),
)
STEPS = st.sampled_from(["", "https://ref.gs1.org/cbv/BizStep-receiving", "https://example.org/steps/%E6%94%B6"])
PLACES = st.sampled_from(["urn:epc:id:sgln:6901234.00001.0", "https://id.gs1.org/414/6901234000016/254/7"])
EXTRA = st.dictionaries(
    st.sampled_from(["weightKg", "check", "direction", "actOf"]), st.none() | TEXT | st.floats(0, 1e3) | COUNT
)
ORIGINS = st.builds(
    Origin, TEXT, st.uuids().map(str), st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m)))
)


POINTS = st.builds(
    lambda step, place, location: read_point(biz_step=step, id=place, biz_location=location),
    STEPS,
    PLACES,
    st.just("") | PLACES,
)
OBSERVATIONS = st.builds(
    Observation,
    presence=st.just(1),
    point=POINTS,
    read=READS,
    reader=st.just("door"),
    seen=MOMENTS,
    received=MOMENTS,
    reads=st.just(1),
    untold=st.tuples(COUNT, COUNT, COUNT),
)
IDENTITIES = st.sampled_from([identify(epc(1)), Identity("https://id.gs1.org/01/09521234543213/21/a%22b")])
ANSWERS = st.builds(Answer, st.sampled_from(Verdict), TEXT, st.none() | st.floats(0, 1e9))


@settings(max_examples=60, deadline=None)
@given(
    observation=OBSERVATIONS,
    identity=IDENTITIES,
    answer=ANSWERS,
    origin=ORIGINS,
    clock=st.sampled_from(ClockState),
    extra=EXTRA,
)
def test_a_spliced_event_is_what_the_general_writer_writes(
    observation: Observation,
    identity: Identity,
    answer: Answer,
    origin: Origin,
    clock: ClockState,
    extra: dict[str, ExtensionValue],
) -> None:
    read = observation.read
    place = Place("0123456789abcdef", 7)
    body = event_body(observation, identity, answer, origin=origin, place=place, clock=clock, extra=extra)
    fields = json.loads(body)
    event = event_from_json({name: value for name, value in fields.items() if name != "@context"}, CONTEXT)
    again = {"@context": CONTEXT, **event_to_json(event, PREFIXES)}
    assert body.decode() == json.dumps(again, ensure_ascii=False, separators=(",", ":"))
    told = {name.removeprefix(f"{{{SUYUAN_NAMESPACE}}}"): value for name, value in event.extensions.items()}
    assert told.get("rssiDbm") == read.rssi_dbm
    assert told["reason"] == answer.reason
    assert told["gateway"] == origin.gateway
    assert {name: told.get(name) for name in extra} == extra
    assert event.event_time_zone_offset == datetime(2000, 1, 1, tzinfo=origin.utc_offset).isoformat()[-6:]
    wall = min(observation.seen.wall, observation.received.wall)
    assert timedelta(0) <= wall - event.event_time < timedelta(milliseconds=1)
