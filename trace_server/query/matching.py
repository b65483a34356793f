"""Does an event match a query: pure, no database. What the SQL path returns is held to this by a property test.

Each maker below gives a test of one event. Source: EPCIS 2.0 section 8.2.7.1.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from trace_core.epcis.event import Event, Extensions, ExtensionValue
from trace_core.epcis.json_values import read_time
from trace_core.epcis.jsonld import STANDARD
from trace_core.epcis.units import convert
from trace_core.errors import EventError
from trace_core.ids.canonical import canonical_uri
from trace_server.query.model import MasterData, Query

Test = Callable[[Event], bool]
Values = Callable[[Event], Iterable[Any]]
"""The values of one field in an event; none when it has no such field."""
Bound = float | datetime

COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "EQ": operator.eq,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
NUMBERS: Final[Mapping[str, str]] = {
    "value": "value",
    "minValue": "min_value",
    "maxValue": "max_value",
    "meanValue": "mean_value",
    "sDev": "s_dev",
    "percRank": "perc_rank",
    "percValue": "perc_value",
}
"""Number of a sensor report → attribute."""
_QUANTITY_LISTS: Final = ("quantity_list", "child_quantity_list", "input_quantity_list", "output_quantity_list")
_NOTHING: Final[Extensions] = {}


def matches(event: Event, query: Query) -> bool:
    """True when `event`, complete with its eventID and recordTime, satisfies every parameter."""
    return all(criterion.holds(event) for criterion in query.criteria)


def attribute(name: str) -> Values:
    """The value of one attribute, if the event has it."""

    def values(event: Event) -> Iterable[Any]:
        value = getattr(event, name, None)
        return () if value is None else (value,)

    return values


def one_of(values: Values, wanted: frozenset[Any]) -> Test:
    """Some value is in `wanted`."""
    return lambda event: any(value in wanted for value in values(event))


def identifier_of(values: Values, wanted: frozenset[str]) -> Test:
    """Some value names one of `wanted`, which are canonical."""
    return lambda event: any(canonical_uri(value) in wanted for value in values(event))


def like(values: Values, patterns: tuple[Callable[[str], bool], ...]) -> Test:
    """Some value fits some pattern."""

    def holds(event: Event) -> bool:
        return any(fits(uri) for uri in map(canonical_uri, values(event)) for fits in patterns)

    return holds


def compared(values: Values, op: str, bound: Bound) -> Test:
    """Some value stands in relation `op` to `bound`."""
    compare = COMPARE[op]
    return lambda event: any(compare(value, bound) for value in values(event))


def exists(values: Values) -> Test:
    """There is a value."""
    return lambda event: next(iter(values(event)), None) is not None


def epcs(*lists: str) -> Values:
    """The EPCs of some lists; `parent_id` counts as a list of one."""

    def values(event: Event) -> Iterator[str]:
        for name in lists:
            found = getattr(event, name, None)
            if isinstance(found, str):
                yield found
            elif found:
                yield from found

    return values


def classes(*lists: str) -> Values:
    """The classes of some quantity lists."""
    return lambda event: [element.epc_class for name in lists for element in getattr(event, name, ())]


def quantities(uom: str | None) -> Values:
    """Every quantity as it stands, or in the unit `uom` where it can be converted."""

    def values(event: Event) -> Iterator[float]:
        for name in _QUANTITY_LISTS:
            for element in getattr(event, name, ()):
                if element.quantity is not None:
                    number = element.quantity if uom is None else convert(element.quantity, element.uom, uom)
                    if number is not None:
                        yield number

    return values


def typed(list_name: str, member: str, kind: str) -> Values:
    """Business transactions, sources or destinations of one type."""
    return lambda event: [getattr(item, member) for item in getattr(event, list_name) if item.type == kind]


def persistent(member: str) -> Values:
    """Persistent dispositions that the event sets or unsets."""
    return lambda event: getattr(event.persistent_disposition, member, ())


def declared(member: str) -> Values:
    """A member of the error declaration, lists laid flat."""

    def values(event: Event) -> Iterable[Any]:
        value = getattr(event.error_declaration, member, None)
        if value is None:
            return ()
        return value if isinstance(value, tuple) else (value,)

    return values


def sensed(member: str, *, metadata: bool = True, reports: bool = True) -> Values:
    """A member of the sensor metadata and of the sensor reports."""

    def values(event: Event) -> Iterator[Any]:
        for element in event.sensor_element_list:
            parts = (element.sensor_metadata,) if metadata else ()
            for part in (*parts, *(element.sensor_report if reports else ())):
                value = getattr(part, member, None)
                if value is not None:
                    yield value

    return values


def measured(member: str, uom: str | None) -> Values:
    """A number of the sensor reports, in the unit `uom` where it can be converted."""
    is_difference, has_unit = member == "s_dev", member not in ("perc_rank",)

    def values(event: Event) -> Iterator[float]:
        for element in event.sensor_element_list:
            for report in element.sensor_report:
                number = getattr(report, member)
                if number is not None and uom is not None and has_unit:
                    number = convert(number, report.uom, uom, is_difference=is_difference)
                if number is not None:
                    yield number

    return values


PARTS: Final[Mapping[str, Callable[[Event], Iterable[Extensions]]]] = {
    "": lambda event: (event.extensions,),
    "ILMD_": lambda event: (getattr(event, "ilmd", _NOTHING),),
    "ERROR_DECLARATION_": lambda event: (event.error_declaration.extensions,) if event.error_declaration else (),
    "SENSORELEMENT_": lambda event: [element.extensions for element in event.sensor_element_list],
    "SENSORMETADATA_": lambda event: [
        element.sensor_metadata.extensions for element in event.sensor_element_list if element.sensor_metadata
    ],
    "SENSORREPORT_": lambda event: [
        report.extensions for element in event.sensor_element_list for report in element.sensor_report
    ],
    "readPoint_": lambda event: (event.read_point_extensions,),
    "bizLocation_": lambda event: (event.biz_location_extensions,),
}
"""Where extension fields stand, by the word in the parameter's name."""


def fields(part: str, names: frozenset[str], *, inner: bool) -> Values:
    """Values of the extension field `names` (spellings of one) in a part of the event, at its top or anywhere below."""
    tops = PARTS[part]

    def values(event: Event) -> Iterator[ExtensionValue]:
        for top in tops(event):
            if inner:
                for member in top.values():
                    yield from _below(member, names)
            else:
                yield from (value for name, value in top.items() if name in names)

    return values


def leaves(values: Values) -> Values:
    """Repeated elements one by one, typed values without their type."""
    return lambda event: [leaf for value in values(event) for leaf in _leaves(value)]


def equals_any(values: Values, wanted: Iterable[str | float | bool]) -> Test:
    """Some leaf is one of `wanted`: as text, as number, as time, or as the same identifier."""
    tests = [_sameness(item) for item in wanted]
    return lambda event: any(same(leaf) for leaf in values(event) for same in tests)


def beyond(values: Values, op: str, bound: Bound) -> Test:
    """Some leaf, read as what `bound` is, stands in relation `op` to it."""
    read = as_time if isinstance(bound, datetime) else as_number
    compare = COMPARE[op]

    def holds(event: Event) -> bool:
        return any(have is not None and compare(have, bound) for have in map(read, values(event)))

    return holds


def has_attribute(values: Values, known: MasterData, name: str, wanted: frozenset[str] | None) -> Test:
    """Some value is an element whose master data have the attribute, with one of `wanted` unless that is None."""

    def holds(event: Event) -> bool:
        for value in values(event):
            found = known.attributes(canonical_uri(value)).get(name) if isinstance(value, str) else None
            if found and (wanted is None or found & wanted):
                return True
        return False

    return holds


def as_number(value: object) -> float | None:
    """A JSON number, or text that is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def as_time(value: object) -> datetime | None:
    """Text that is an aware time."""
    if not isinstance(value, str) or "T" not in value:
        return None
    try:
        found = read_time(value, STANDARD, "")
    except EventError:
        return None
    return found if isinstance(found, datetime) else None


def _below(value: ExtensionValue, names: frozenset[str]) -> Iterator[ExtensionValue]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            if name in names:
                yield member
            yield from _below(member, names)
    elif isinstance(value, tuple):
        for item in value:
            yield from _below(item, names)


def _leaves(value: ExtensionValue) -> Iterator[ExtensionValue]:
    if isinstance(value, tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, Mapping):
        for name in ("@value", "@id", "#text"):
            if name in value:
                yield value[name]
    else:
        yield value


def _sameness(wanted: str | float | bool) -> Callable[[object], bool]:
    text = ("true" if wanted else "false") if isinstance(wanted, bool) else str(wanted)
    number, moment, uri = as_number(wanted), as_time(wanted), canonical_uri(text)

    def same(leaf: object) -> bool:
        if isinstance(leaf, bool):
            return text == ("true" if leaf else "false")
        if isinstance(leaf, str) and (leaf == text or (":" in leaf and canonical_uri(leaf) == uri)):
            return True
        if number is not None:
            return as_number(leaf) == number
        return moment is not None and as_time(leaf) == moment

    return same
