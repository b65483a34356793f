"""Read points: where the goods are when an antenna sees them, and what a read there means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway_agent.checkpoints import BY_NAME, Report, Role
from gateway_agent.fields import Fields, nearest
from trace_core.epcis.cbv import BIZ_STEPS

READ_POINT_PREFIXES = ("urn:epc:id:sgln:", "https://", "http://")


@dataclass(frozen=True, slots=True)
class ReadPoint:
    """`[[read_point]]`: where the goods are when an antenna of a reader sees them."""

    reader: str
    antenna: int | None
    id: str
    biz_location: str
    biz_step: str
    """Web URI of the CBV, or empty."""
    presence_window_s: float
    min_reads: int
    rssi_min_dbm: float | None
    antennas: tuple[int, ...] = ()
    """More than one antenna that look at the same place; then `antenna` is None."""
    report: Report = Report.ARRIVE
    directions: Mapping[tuple[int, int], str] | None = None
    """(antenna of before, antenna of after) → name."""
    role: Role = Role.GATE
    medium: str = ""
    act_of: str = ""
    checkpoint: str = ""
    fill_limit_kg: float | None = None
    """Heaviest filling allowed here (D52)."""

    @property
    def covered(self) -> tuple[int | None, ...]:
        """Its antennas; (None,) for all that no other read point names."""
        return self.antennas or (self.antenna,)


def parse_read_point(fields: Fields, readers: Sequence[str]) -> ReadPoint:
    """One table. Raises `ConfigError`."""
    fields = _with_presets(fields)
    reader = fields.text("reader")
    if reader not in readers:
        raise fields.error("reader", f"no reader {reader!r}", nearest(reader, readers) or "add a [[reader]]")
    place = fields.text("id")
    location = fields.text("biz_location")
    for key, value in (("id", place), ("biz_location", location)):
        if value and not value.startswith(READ_POINT_PREFIXES):
            raise fields.error(key, f"{value!r} is no place", "write urn:epc:id:sgln:… or a Digital Link with 414")
    step = fields.text("biz_step")
    step_uri = BIZ_STEPS.uri(step) if step else ""
    if step_uri is None:
        raise fields.error("biz_step", f"{step!r} is not in the CBV", nearest(step, BIZ_STEPS.names) or "see CBV 7.1")
    antenna, antennas = fields.optional_integer("antenna"), fields.integers("antennas")
    if antennas and antenna is not None:
        raise fields.error("antennas", "antenna is given too", "write one of the two")
    point = ReadPoint(
        reader=reader,
        antenna=antenna,
        id=place,
        biz_location=location,
        biz_step=step_uri,
        presence_window_s=fields.number("presence_window_s"),
        min_reads=fields.integer("min_reads"),
        rssi_min_dbm=fields.optional_number("rssi_min_dbm"),
        antennas=antennas,
        report=Report(fields.choice("report", Report)),
        directions=_directions(fields, antennas),
        role=Role(fields.choice("role", Role)),
        medium=fields.text("medium"),
        act_of=fields.text("act_of"),
        checkpoint=fields.text("checkpoint"),
        fill_limit_kg=fields.optional_number("fill_limit_kg"),
    )
    _check_together(fields, point)
    return point


def _with_presets(fields: Fields) -> Fields:
    """What the kind of checkpoint says where the table itself says nothing."""
    name = fields.text("checkpoint")
    if not name:
        return fields
    if name not in BY_NAME:
        raise fields.error("checkpoint", f"no kind {name!r}", nearest(name, BY_NAME) or f"one of {', '.join(BY_NAME)}")
    return fields.with_defaults(BY_NAME[name].presets)


def _directions(fields: Fields, antennas: tuple[int, ...]) -> Mapping[tuple[int, int], str] | None:
    """`{in = [1, 2], out = [2, 1]}`."""
    named = fields.mapping("direction")
    found: dict[tuple[int, int], str] = {}
    for name, pair in named.items():
        if not isinstance(pair, list) or len(pair) != 2 or pair[0] == pair[1] or not set(pair) <= set(antennas):
            raise fields.error(f"direction.{name}", "not a way between two antennas", "write in = [1, 2]")
        found[pair[0], pair[1]] = name
    if len(found) != len(named):
        raise fields.error("direction", "two names for one way", "write in = [1, 2], out = [2, 1]")
    return found or None


def _check_together(fields: Fields, point: ReadPoint) -> None:
    if point.directions and point.report is Report.ARRIVE:
        raise fields.error("direction", "a way is known only when the tag has left", 'write report = "both"')
    if point.role in (Role.PRE_CHECK, Role.ACT) and point.report is not Report.ARRIVE:
        raise fields.error("report", f"{point.role} is about arriving", 'write report = "arrive"')
    if point.role is Role.FILLING and point.report is Report.DEPART:
        raise fields.error("report", "the answer must come before the filling", 'write report = "both"')
    if point.role is Role.FILLING and not point.medium:
        raise fields.error("medium", "a filling point must know its medium", 'write medium = "lpg"')
    if point.fill_limit_kg is not None and point.role is not Role.FILLING:
        raise fields.error("fill_limit_kg", "nothing is filled here", 'it belongs to the point with role = "filling"')
    if (point.role is Role.ACT) != bool(point.act_of):
        raise fields.error("act_of", 'role = "act" and act_of go together', "name the id of the point that was asked")
