"""Generated events: every field of every type, extensions nested and repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from trace_core.epcis import cbv
from trace_core.epcis import event as ev

NAMESPACES = ("https://ns.example.com/epcis/", "http://ns.example.com/epcis", "urn:suyuan:epcis:", "urn:example:ns#")
WORDS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_-", min_size=1, max_size=12).map(lambda w: "n" + w)
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
NAMES = st.tuples(st.sampled_from(NAMESPACES), WORDS).map(lambda pair: f"{{{pair[0]}}}{pair[1]}")
NUMBERS = st.one_of(
    st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
)
TIMES = st.integers(0, 4 * 10**15).map(lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))
ZONES = st.integers(-14 * 4, 14 * 4).map(lambda quarter: timezone(timedelta(minutes=15 * quarter)))


def _sgtin(numbers: tuple[int, int, int]) -> str:
    return f"urn:epc:id:sgtin:{numbers[0]:07}.{numbers[1]:06}.{numbers[2]}"


SGTINS = st.tuples(st.integers(0, 9_999_999), st.integers(0, 999_999), st.integers(1, 10**9)).map(_sgtin)
LOTS = st.tuples(st.integers(0, 9_999_999), WORDS).map(lambda p: f"urn:epc:class:lgtin:{p[0]:07}.012345.{p[1]}")
URIS = st.one_of(
    SGTINS,
    LOTS,
    st.tuples(st.integers(0, 9_999_999), WORDS).map(lambda p: f"https://id.example.com/414/{p[0]:013}/254/{p[1]}"),
    WORDS.map(lambda word: f"https://example.org/things/{word}"),
    WORDS.map(lambda word: f"urn:uuid:{word}"),
)
EPC_LISTS = st.lists(SGTINS, max_size=5, unique=True).map(tuple)
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.dictionaries(st.one_of(NAMES, WORDS), inner, max_size=3)
    ),
    max_leaves=6,
)
EXTENSIONS = st.dictionaries(NAMES, VALUES, max_size=3)


def _term(vocabulary: cbv.Vocabulary) -> st.SearchStrategy[str]:
    known = st.sampled_from(sorted(vocabulary.names)).map(lambda name: vocabulary.prefix + name)
    return st.one_of(known, WORDS.map(lambda word: f"https://example.org/terms/{word}"))


QUANTITIES = st.lists(
    st.builds(ev.QuantityElement, LOTS, NUMBERS, st.one_of(st.none(), st.sampled_from(["KGM", "EA"]))), max_size=3
).map(tuple)
METADATA = st.builds(
    ev.SensorMetadata,
    time=st.none() | TIMES,
    start_time=st.none() | TIMES,
    device_id=st.none() | URIS,
    biz_rules=st.none() | URIS,
    extensions=EXTENSIONS,
)
REPORTS = st.builds(
    ev.SensorReport,
    type=_term(cbv.MEASUREMENTS),
    exception=st.none() | _term(cbv.SENSOR_EXCEPTIONS),
    time=st.none() | TIMES,
    value=st.none() | NUMBERS,
    component=st.none() | _term(cbv.COMPONENTS),
    string_value=st.none() | TEXTS,
    boolean_value=st.none() | st.booleans(),
    hex_binary_value=st.none() | st.just("f0F0"),
    uri_value=st.none() | URIS,
    perc_rank=st.none() | NUMBERS,
    uom=st.none() | st.just("CEL"),
    biz_rules=st.none() | URIS,
    extensions=EXTENSIONS,
)
SENSORS = st.lists(
    st.builds(
        ev.SensorElement,
        st.lists(REPORTS, min_size=1, max_size=2).map(tuple),
        st.none() | METADATA,
        EXTENSIONS,
    ),
    max_size=2,
).map(tuple)
DISPOSITIONS = _term(cbv.DISPOSITIONS)
ERRORS = st.builds(
    ev.ErrorDeclaration,
    TIMES,
    st.none() | _term(cbv.ERROR_REASONS),
    st.lists(URIS, max_size=2).map(tuple),
    EXTENSIONS,
)
TRANSACTIONS = st.builds(ev.BizTransaction, URIS, st.none() | _term(cbv.BIZ_TRANSACTION_TYPES))
PERSISTENT = st.builds(ev.PersistentDisposition, st.lists(DISPOSITIONS, min_size=1, max_size=2).map(tuple), st.just(()))


@st.composite
def _common(draw: st.DrawFn) -> dict[str, object]:
    read_point = draw(st.none() | URIS)
    biz_location = draw(st.none() | URIS)
    return {
        "event_time": draw(TIMES),
        "event_time_zone_offset": draw(st.sampled_from(["+08:00", "-06:00", "+00:00", "+14:00"])),
        "record_time": draw(st.none() | TIMES),
        "event_id": draw(st.none() | URIS),
        "error_declaration": draw(st.none() | ERRORS),
        "certification_info": draw(st.lists(URIS, max_size=2).map(tuple)),
        "biz_step": draw(st.none() | _term(cbv.BIZ_STEPS)),
        "disposition": draw(st.none() | DISPOSITIONS),
        "persistent_disposition": draw(st.none() | PERSISTENT),
        "read_point": read_point,
        "read_point_extensions": draw(EXTENSIONS) if read_point else {},
        "biz_location": biz_location,
        "biz_location_extensions": draw(EXTENSIONS) if biz_location else {},
        "biz_transaction_list": draw(st.lists(TRANSACTIONS, min_size=1, max_size=3).map(tuple)),
        "source_list": draw(st.lists(st.builds(ev.Source, _term(cbv.SOURCE_DESTINATION_TYPES), URIS), max_size=2)),
        "destination_list": draw(
            st.lists(st.builds(ev.Destination, _term(cbv.SOURCE_DESTINATION_TYPES), URIS), max_size=2)
        ),
        "sensor_element_list": draw(SENSORS),
        "extensions": draw(EXTENSIONS),
    }


@st.composite
def events(draw: st.DrawFn) -> ev.Event:
    """An event of any type."""
    common = draw(_common())
    for name in ("source_list", "destination_list"):
        common[name] = tuple(common[name])  # type: ignore[arg-type]
    kind = draw(st.sampled_from(sorted(ev.EVENT_TYPES)))
    if kind == "TransformationEvent":
        lists = {name: draw(EPC_LISTS) for name in ("input_epc_list", "output_epc_list")}
        quantities = {name: draw(QUANTITIES) for name in ("input_quantity_list", "output_quantity_list")}
        return ev.TransformationEvent(
            **common, **lists, **quantities, ilmd=draw(EXTENSIONS), transformation_id=draw(st.none() | URIS)
        )
    action = draw(st.sampled_from(list(ev.Action)))
    if kind == "ObjectEvent":
        ilmd = draw(EXTENSIONS) if action == ev.Action.ADD else {}
        return ev.ObjectEvent(
            **common, action=action, epc_list=draw(EPC_LISTS), quantity_list=draw(QUANTITIES), ilmd=ilmd
        )
    parent = draw(URIS if kind == "AssociationEvent" else st.none() | URIS)
    if kind == "TransactionEvent":
        return ev.TransactionEvent(
            **common, action=action, parent_id=parent, epc_list=draw(EPC_LISTS), quantity_list=draw(QUANTITIES)
        )
    return ev.EVENT_TYPES[kind](
        **common, action=action, parent_id=parent, child_epcs=draw(EPC_LISTS), child_quantity_list=draw(QUANTITIES)
    )
