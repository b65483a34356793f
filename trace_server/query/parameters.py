"""Parameters of a SimpleEventQuery → `Query`. Tables say which parameter is read how; unknown ones are errors.

Values are JSON (a query document) or text (a URL, lists divided by `|`).
Source: EPCIS 2.0 section 8.2.7.1; the prose wins over query-schema-2.0.1.json, whose patterns are escaped twice.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Final

from trace_core.epcis import cbv
from trace_core.epcis.event import EVENT_TYPES, Action
from trace_core.epcis.jsonld import STANDARD, Context
from trace_core.errors import EventError
from trace_core.ids.canonical import canonical_key, canonical_uri
from trace_server.ingest.model import ActionCode, EventType
from trace_server.query import matching as match
from trace_server.query.model import Criterion, MasterData, NoMasterData, Order, Query, QueryInvalid, Selection
from trace_server.query.patterns import is_exact, pattern
from trace_server.query.values import count, identifiers, is_absence, listed, moment, number, scalars, texts

MAX_PARAMETERS: Final = 64
MAX_PLACES: Final = 5000
"""Places that SQL is asked for one by one; of more, each event is judged by itself."""
_PATTERN_LISTS: Final[Mapping[str, match.Values]] = {
    "MATCH_epc": match.epcs("epc_list", "child_epcs"),
    "MATCH_parentID": match.epcs("parent_id"),
    "MATCH_inputEPC": match.epcs("input_epc_list"),
    "MATCH_outputEPC": match.epcs("output_epc_list"),
    "MATCH_anyEPC": match.epcs("epc_list", "child_epcs", "input_epc_list", "output_epc_list", "parent_id"),
    "MATCH_epcClass": match.classes("quantity_list", "child_quantity_list"),
    "MATCH_inputEPCClass": match.classes("input_quantity_list"),
    "MATCH_outputEPCClass": match.classes("output_quantity_list"),
    "MATCH_anyEPCClass": match.classes(
        "quantity_list", "child_quantity_list", "input_quantity_list", "output_quantity_list"
    ),
}
_WORDS: Final[Mapping[str, tuple[cbv.Vocabulary, match.Values]]] = {
    "EQ_bizStep": (cbv.BIZ_STEPS, match.attribute("biz_step")),
    "EQ_disposition": (cbv.DISPOSITIONS, match.attribute("disposition")),
    "EQ_persistentDisposition_set": (cbv.DISPOSITIONS, match.persistent("set")),
    "EQ_persistentDisposition_unset": (cbv.DISPOSITIONS, match.persistent("unset")),
    "EQ_errorReason": (cbv.ERROR_REASONS, match.declared("reason")),
    "EQ_type": (cbv.MEASUREMENTS, match.sensed("type", metadata=False)),
}
_IDENTIFIERS: Final[Mapping[str, match.Values]] = {
    "EQ_readPoint": match.attribute("read_point"),
    "EQ_bizLocation": match.attribute("biz_location"),
    "EQ_transformationID": match.attribute("transformation_id"),
    "EQ_eventID": match.attribute("event_id"),
    "EQ_correctiveEventID": match.declared("corrective_event_ids"),
    "EQ_deviceID": match.sensed("device_id"),
    "EQ_dataProcessingMethod": match.sensed("data_processing_method"),
    "EQ_microorganism": match.sensed("microorganism", metadata=False),
    "EQ_chemicalSubstance": match.sensed("chemical_substance", metadata=False),
    "EQ_bizRules": match.sensed("biz_rules"),
    "EQ_uriValue": match.sensed("uri_value", metadata=False),
}
_WITHIN: Final[Mapping[str, match.Values]] = {
    "WD_readPoint": match.attribute("read_point"),
    "WD_bizLocation": match.attribute("biz_location"),
}
_TIMES: Final[Mapping[str, match.Values]] = {
    "eventTime": match.attribute("event_time"),
    "recordTime": match.attribute("record_time"),
    "errorDeclarationTime": match.declared("declaration_time"),
    "errorDeclaration_Time": match.declared("declaration_time"),
    "time": match.sensed("time"),
    "startTime": match.sensed("start_time", reports=False),
    "endTime": match.sensed("end_time", reports=False),
}
_TYPED: Final[Mapping[str, tuple[cbv.Vocabulary, str, str]]] = {
    "bizTransaction": (cbv.BIZ_TRANSACTION_TYPES, "biz_transaction_list", "biz_transaction"),
    "source": (cbv.SOURCE_DESTINATION_TYPES, "source_list", "source"),
    "destination": (cbv.SOURCE_DESTINATION_TYPES, "destination_list", "destination"),
}
_ELEMENTS: Final[Mapping[str, match.Values]] = {
    "bizStep": match.attribute("biz_step"),
    "disposition": match.attribute("disposition"),
    "readPoint": match.attribute("read_point"),
    "bizLocation": match.attribute("biz_location"),
    "epcClass": _PATTERN_LISTS["MATCH_anyEPCClass"],
}
"""Fields whose values may have master data, for HASATTR_ and EQATTR_."""

_NUMBER: Final = re.compile(
    r"(EQ|GT|GE|LT|LE)_(quantity|value|minValue|maxValue|meanValue|sDev|percRank|percValue)(?:_([A-Z0-9]{2,4}))?\Z"
)
_TYPED_NAME: Final = re.compile(r"EQ_(bizTransaction|source|destination)_(.+)\Z", re.DOTALL)
_FIELD: Final = re.compile(
    r"(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?((?:ILMD|ERROR_DECLARATION|SENSORELEMENT|SENSORMETADATA|SENSORREPORT"
    r"|readPoint|bizLocation)_)?(.+[:#].+)\Z",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    r"(?:(?P<has>HASATTR)_(?P<of>.+)|EQ_?ATTR_(?:(?P<field>bizStep|disposition|readPoint|bizLocation|epcClass)_(?P<name>.+)"
    r"|(?P<extension>.+)_(?P<last>[^_]+)))\Z",
    re.DOTALL,
)
_CONTROL: Final = frozenset({"@context", "orderBy", "orderDirection", "eventCountLimit", "maxEventCount"})


def parse_query(
    parameters: Mapping[str, object], context: Context = STANDARD, known: MasterData | None = None
) -> Query:
    """The query of `parameters`, whose prefixes mean what `context` and their own `@context` say.

    Raises `QueryInvalid` with the parameter's name in `where`.
    """
    if len(parameters) > MAX_PARAMETERS:
        raise QueryInvalid("the query has too many parameters", remedy=f"at most {MAX_PARAMETERS}")
    if "@context" in parameters:
        try:
            context = context.extended(parameters["@context"], "@context")
        except EventError as error:
            raise QueryInvalid(error.what, where="@context", remedy=error.remedy) from error
    reader = _Reader(context, known or NoMasterData())
    criteria = [Criterion(name, reader.test(name, value)) for name, value in parameters.items() if name not in _CONTROL]
    return _ordered(Query(parameters, _selection(parameters, reader), tuple(criteria)), reader)


class _Reader:
    """What the names in parameters mean."""

    def __init__(self, context: Context, known: MasterData) -> None:
        self._context = context
        self._known = known

    def test(self, name: str, value: object) -> match.Test:
        """The test that one parameter is."""
        for table, make in self._tables():
            if name in table:
                return make(name, value)
        head, _, rest = name.partition("_")
        if head in ("GE", "LT") and rest in _TIMES:
            return match.compared(_TIMES[rest], head, moment(name, value))
        for grammar, read in ((_NUMBER, self._number), (_TYPED_NAME, self._typed), (_ATTRIBUTE, self._attribute),
                              (_FIELD, self._field)):  # fmt: skip
            found = grammar.match(name)
            if found is not None:
                return read(name, found, value)
        raise QueryInvalid(f"{name!r:.200} is no parameter of SimpleEventQuery", where=name[:200])

    def names(self, parameter: str, field: str) -> frozenset[str]:
        """The spellings of one extension field; XML namespaces often lack the `#` that a full name puts in."""
        prefix, _, rest = field.partition(":")
        if not rest.startswith("//") and prefix != "urn" and prefix not in self._context.terms:
            raise QueryInvalid(
                f"the prefix {prefix!r:.80} is not declared", where=parameter[:200],
                remedy="declare it in @context or GS1-Extensions, or write the full name, namespace#field",
            )  # fmt: skip
        try:
            name = self._context.name(field, parameter)
        except EventError as error:
            raise QueryInvalid(error.what, where=parameter[:200], remedy=error.remedy) from error
        namespace, _, local = name[1:].partition("}")
        return frozenset({name, f"{{{namespace.removesuffix('#')}}}{local}"})

    def words(self, name: str, value: object) -> frozenset[str]:
        """Terms of a vocabulary as web URIs."""
        vocabulary = _WORDS[name][0]
        return frozenset(self._word(vocabulary, name, text) for text in texts(name, value))

    def within(self, name: str, value: object) -> frozenset[str]:
        """Places and everything below them."""
        found = set[str]()
        for text in texts(name, value):
            place = canonical_uri(text)
            found |= {place} | self._known.descendants(place)
        return frozenset(found)

    def _tables(self) -> tuple[tuple[Mapping[str, object], Callable[[str, object], match.Test]], ...]:
        return (
            (_PATTERN_LISTS, lambda n, v: match.like(_PATTERN_LISTS[n], tuple(pattern(one) for one in texts(n, v)))),
            (_WORDS, lambda n, v: match.one_of(_WORDS[n][1], self.words(n, v))),
            (_IDENTIFIERS, lambda n, v: match.identifier_of(_IDENTIFIERS[n], identifiers(n, v))),
            (_WITHIN, lambda n, v: match.identifier_of(_WITHIN[n], self.within(n, v))),
            (_PLAIN, lambda n, v: _PLAIN[n](n, v)),
        )

    def _word(self, vocabulary: cbv.Vocabulary, name: str, text: str) -> str:
        uri = vocabulary.uri(text)
        if uri is None:
            raise QueryInvalid(f"{text!r:.100} is no {vocabulary.title} of CBV 2.0", where=name[:200])
        return self._context.iri(uri) if uri is text else uri

    def _number(self, name: str, found: re.Match[str], value: object) -> match.Test:
        op, field, uom = found.groups()
        values = match.quantities(uom) if field == "quantity" else match.measured(match.NUMBERS[field], uom)
        if op == "EQ":
            wanted = frozenset(number(name, one) for one in listed(name, value))
            return match.one_of(values, wanted)
        return match.compared(values, op, number(name, value))

    def _typed(self, name: str, found: re.Match[str], value: object) -> match.Test:
        vocabulary, list_name, member = _TYPED[found[1]]
        kind = self._word(vocabulary, name, found[2])
        return match.identifier_of(match.typed(list_name, member, kind), identifiers(name, value))

    def _attribute(self, name: str, found: re.Match[str], value: object) -> match.Test:
        field = found["of"] or found["field"] or found["extension"]
        values = _ELEMENTS.get(field)
        if values is None:
            values = match.leaves(match.fields("", self.names(name, field), inner=False))
        given = texts(name, value)
        if found["has"]:
            tests = [match.has_attribute(values, self._known, self._context.iri(one), None) for one in given]
            return lambda event: any(test(event) for test in tests)
        attribute = self._context.iri(found["name"] or found["last"])
        return match.has_attribute(values, self._known, attribute, frozenset(given))

    def _field(self, name: str, found: re.Match[str], value: object) -> match.Test:
        op, inner, part, field = found.groups()
        values = match.fields(part or "", self.names(name, field), inner=bool(inner))
        if op == "EXISTS":
            return match.exists(values)
        leaves = match.leaves(values)
        if op == "EQ":
            return match.equals_any(leaves, scalars(name, value))
        bound = value if isinstance(value, str) else ""
        return match.beyond(leaves, op, match.as_time(bound) or number(name, value))


def _event_types(name: str, value: object) -> match.Test:
    wanted = frozenset(texts(name, value))
    if not wanted <= EVENT_TYPES.keys():
        raise QueryInvalid("there is no such event type here", where=name, remedy=f"use {', '.join(EVENT_TYPES)}")
    return lambda event: event.type in wanted


def _actions(name: str, value: object) -> match.Test:
    wanted = frozenset(texts(name, value))
    if not wanted <= set(Action):
        raise QueryInvalid("there is no such action", where=name, remedy="use ADD, OBSERVE or DELETE")
    return lambda event: getattr(event, "action", None) in wanted


def _boolean(name: str, value: object) -> match.Test:
    if value not in (True, False, "true", "false"):
        raise QueryInvalid("the value must be true or false", where=name)
    wanted = value in (True, "true")
    return match.one_of(match.sensed("boolean_value", metadata=False), frozenset({wanted}))


def _presence(values: match.Values) -> Callable[[str, object], match.Test]:
    """EXISTS_: the value says nothing in the prose; `false` in the OpenAPI document asks for its absence."""
    there = match.exists(values)

    def make(_: str, value: object) -> match.Test:
        if is_absence(value):
            return lambda event: not there(event)
        return there

    return make


def _string_values(member: str) -> Callable[[str, object], match.Test]:
    values = match.sensed(member, metadata=False)
    return lambda name, value: match.one_of(values, frozenset(texts(name, value)))


_PLAIN: Final[Mapping[str, Callable[[str, object], match.Test]]] = {
    "eventType": _event_types,
    "EQ_action": _actions,
    "EQ_stringValue": _string_values("string_value"),
    "EQ_hexBinaryValue": _string_values("hex_binary_value"),
    "EQ_booleanValue": _boolean,
    "EXISTS_errorDeclaration": _presence(match.attribute("error_declaration")),
    "EXISTS_sensorElementList": _presence(lambda event: event.sensor_element_list),
}


_BOUNDED: Final = ("EQ", "GT", "GE", "LT", "LE")
NAMED: Final[Mapping[str, str]] = {
    **dict.fromkeys(_PATTERN_LISTS, "list of identifiers or patterns"),
    **{name: f"list of {vocabulary.title}s" for name, (vocabulary, _) in _WORDS.items()},
    **dict.fromkeys((*_IDENTIFIERS, *_WITHIN), "list of URIs"),
    **dict.fromkeys(_PLAIN, "list of texts, or true or false"),
    **{f"{op}_{name}": "RFC 3339 time" for name in _TIMES if "_" not in name for op in ("GE", "LT")},
    **{f"{op}_{name}": "number" for name in ("quantity", *match.NUMBERS) for op in _BOUNDED},
    "orderBy": "eventTime, recordTime or an extension field",
    "orderDirection": "DESC or ASC",
    "eventCountLimit": "events of the whole answer; with orderBy",
    "maxEventCount": "413 when more events match",
}
"""Parameters with a name of their own, and what their values are."""
FREE_NAMES: Final = (
    "(EQ|GT|GE|LT|LE)_{quantity or sensor value}_{UN/ECE Rec. 20 unit}, "
    "EQ_(bizTransaction|source|destination)_{type}, HASATTR_{field}, EQATTR_{field}_{attribute}, "
    "(EQ|GT|GE|LT|LE|EXISTS)_[INNER_][ILMD_|ERROR_DECLARATION_|SENSORELEMENT_|SENSORMETADATA_|SENSORREPORT_|readPoint_"
    "|bizLocation_]{prefix:field}"
)


def _selection(parameters: Mapping[str, object], reader: _Reader) -> Selection:
    """What of the parameters SQL can decide. They are known to be sound."""
    given = parameters.get
    types = texts("eventType", given("eventType")) if "eventType" in parameters else []
    actions = texts("EQ_action", given("EQ_action")) if "EQ_action" in parameters else []
    times = {name: moment(name, given(name)) for name in parameters if name in _SQL_TIMES}
    objects = []
    for name in _PATTERN_LISTS:
        if name in parameters:
            named = texts(name, parameters[name])
            if all(map(is_exact, named)):
                objects.append(frozenset(canonical_key(canonical_uri(text)) for text in named))
    return Selection(
        types=frozenset(EventType[name] for name in types),
        actions=frozenset(ActionCode[name] for name in actions),
        event_from=times.get("GE_eventTime"),
        event_before=times.get("LT_eventTime"),
        record_from=times.get("GE_recordTime"),
        record_before=times.get("LT_recordTime"),
        biz_steps=reader.words("EQ_bizStep", given("EQ_bizStep")) if "EQ_bizStep" in parameters else frozenset(),
        dispositions=reader.words("EQ_disposition", given("EQ_disposition"))
        if "EQ_disposition" in parameters
        else frozenset(),
        read_points=_places(parameters, reader, "readPoint"),
        biz_locations=_places(parameters, reader, "bizLocation"),
        is_correction=None
        if "EXISTS_errorDeclaration" not in parameters
        else not is_absence(given("EXISTS_errorDeclaration")),
        objects=tuple(objects),
    )


_SQL_TIMES: Final = frozenset({"GE_eventTime", "LT_eventTime", "GE_recordTime", "LT_recordTime"})


def _places(parameters: Mapping[str, object], reader: _Reader, field: str) -> frozenset[str]:
    equal, within = f"EQ_{field}", f"WD_{field}"
    if equal in parameters:
        return identifiers(equal, parameters[equal])
    places = reader.within(within, parameters[within]) if within in parameters else frozenset[str]()
    return places if len(places) <= MAX_PLACES else frozenset()


def _ordered(query: Query, reader: _Reader) -> Query:
    """`query` with its order and limits."""
    given = query.parameters
    direction = given.get("orderDirection", "DESC")
    if direction not in ("ASC", "DESC"):
        raise QueryInvalid("the direction is ASC or DESC", where="orderDirection")
    limit, most = count(given, "eventCountLimit"), count(given, "maxEventCount")
    if limit is not None and most is not None:
        raise QueryInvalid("eventCountLimit and maxEventCount exclude each other", where="maxEventCount")
    named = given.get("orderBy")
    if named is None:
        if limit is not None:
            raise QueryInvalid("eventCountLimit needs orderBy: which events are the first?", where="eventCountLimit")
        return dataclasses.replace(query, max_event_count=most)
    if not isinstance(named, str) or not named:
        raise QueryInvalid("orderBy names one field", where="orderBy")
    is_column = named in set(Order)
    if not is_column and ":" not in named:
        raise QueryInvalid(
            f"{named!r:.80} is no field to sort by", where="orderBy", remedy="eventTime, recordTime or an extension"
        )
    return dataclasses.replace(
        query,
        order_by=Order(named) if is_column else Order.RECORD_TIME,
        order_fields=frozenset() if is_column else reader.names("orderBy", named),
        is_descending=direction == "DESC",
        event_count_limit=limit,
        max_event_count=most,
    )
