"""A scenario file: readers at sites, people who carry goods along routes past them, and what is wrong with the cables.

Everything is checked before anything starts; `load` gives each reader its own timetable of tags.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from firmware_sim.entries import LATEST_S, Entries, named
from firmware_sim.faults import CableFaults, PostFaults
from firmware_sim.journeys import Goods, Person, Route, Site, Stop, Visit, journeys
from firmware_sim.line import Incident, IncidentKind, Passage, ReaderPlan
from trace_core.errors import ConfigError, IdentifierError, TraceError
from trace_core.ids.gs1 import gtin
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag, ReaderProtocol, Transport

MAX_TAGS, MAX_READERS, MAX_BLOCKS, MAX_THINGS = 10_000, 4_000, 1_000, 200_000
MAX_SPEED = 100_000.0
DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {kind: kind for kind in ("sgtin", "sscc", "giai", "uid")}
SUFFIX = ".toml"
DEFAULT_ENDPOINT = {Transport.SERIAL: "pty", Transport.TCP: "tcp://127.0.0.1:0", Transport.MQTT: "mqtt"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario. Times are seconds of its own clock, which begins at `start` and runs `speed` times as fast
    as ours; 0 means without end (`duration_s`) or once (`repeat_s`)."""

    title: str
    seed: int
    start: datetime
    speed: float
    duration_s: float
    repeat_s: float
    readers: tuple[ReaderPlan, ...]
    sites: int = 0
    routes: int = 0
    people: int = 0
    things: int = 0

    def last_s(self) -> float:
        """When everything has happened: `duration_s`, or the end of the last passage that has one."""
        if self.duration_s:
            return self.duration_s
        ends = [p.arrive_s + p.stay_s for reader in self.readers for p in reader.passages]
        return max((end for end in ends if end < LATEST_S), default=0.0)


def load(path: Path, *, seed: int | None = None) -> Scenario:
    """`seed` overrides the file's. Raises `ConfigError` with the place in the file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = f"a path, or one of {', '.join(sorted(shipped()))}"
        raise ConfigError("the scenario cannot be read", where=str(path), remedy=remedy) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the scenario is not TOML: {error}", where=str(path)) from error
    try:
        return parse(document if seed is None else document | {"seed": seed})
    except TraceError as error:
        raise ConfigError(error.what, where=f"{path}: {error.where}", remedy=error.remedy) from error


def shipped() -> dict[str, Path]:
    """The scenarios that come with the program, by name without suffix."""
    folder = Path(str(resources.files("firmware_sim") / "scenarios"))
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def find(name: str) -> Path:
    """The file itself, or the one of that name among those that come with the program."""
    given = Path(name)
    return given if given.exists() else shipped().get(name.removesuffix(SUFFIX), given)


def parse(document: Mapping[str, object]) -> Scenario:
    """A document as it came out of TOML. Raises `ConfigError`."""
    top = Entries(document, "")
    top.only(
        *("title", "seed", "start", "speed", "duration_s", "repeat_s", "reader", "faults"),
        *("tag", "site", "route", "person", "goods"),
    )
    seed = top.get("seed", int, 0)
    sites = named((_site(e) for e in top.tables("site", MAX_BLOCKS)), lambda s: s.id, "site")
    routes = named((_route(e, sites) for e in top.tables("route", MAX_BLOCKS)), lambda r: r.id, "route")
    people = named((_person(e) for e in top.tables("person", MAX_BLOCKS)), lambda p: p.id, "person")
    goods = [_goods(e, routes, people) for e in top.tables("goods", MAX_BLOCKS)]
    named(goods, lambda g: g.id, "goods")
    things = sum(g.count for g in goods)
    if things > MAX_THINGS:
        raise ConfigError(f"{things} things", where="goods", remedy=f"at most {MAX_THINGS}")
    blocks = [_readers(entry, top, sites) for entry in _reader_tables(top)]
    _every_stop_is_read(routes.values(), blocks)
    readers = _with_visits(blocks, list(journeys(goods, seed)), seed)
    return Scenario(
        title=top.text("title", "scenario"),
        seed=seed,
        start=_start(top),
        speed=top.number("speed", 1.0, 0.001, MAX_SPEED),
        duration_s=top.seconds("duration_s"),
        repeat_s=top.seconds("repeat_s"),
        readers=_with_tags(readers, top),
        sites=len(sites),
        routes=len(routes),
        people=len(people),
        things=things,
    )


def _start(top: Entries) -> datetime:
    start = top.get("start", datetime, DEFAULT_START)
    if start.tzinfo is None:
        raise ConfigError("the start has no time zone", where="start", remedy="write 2026-11-24T06:00:00+08:00")
    return start.astimezone(UTC)


# The world


def _site(entry: Entries) -> Site:
    entry.only("id", "name")
    return Site(entry.name(), entry.text("name"))


def _route(entry: Entries, sites: Mapping[str, Site]) -> Route:
    entry.only("id", "spread", "stop")
    stops = entry.tables("stop", MAX_BLOCKS)
    if not stops:
        raise ConfigError("a route has no stops", where=entry.at("stop"), remedy="write [[route.stop]]")
    return Route(entry.name(), tuple(_stop(s, sites) for s in stops), entry.number("spread", 0.1, 0.0, 0.9))


def _stop(entry: Entries, sites: Mapping[str, Site]) -> Stop:
    entry.only("site", "travel_s", "stay_s")
    site = entry.one_of("site", sites).id
    return Stop(site, entry.seconds("travel_s"), entry.number("stay_s", 5.0, 0.001, LATEST_S))


def _person(entry: Entries) -> Person:
    entry.only("id", "role", "pace", "from_s", "until_s", "badge")
    badge = _epc(entry, "badge") if "badge" in entry.values else b""
    from_s, until_s = entry.seconds("from_s"), entry.seconds("until_s", LATEST_S - 1)
    if from_s >= until_s:
        raise ConfigError("the shift ends before it begins", where=entry.at("until_s"))
    return Person(entry.name(), entry.text("role"), entry.number("pace", 1.0, 0.1, 10.0), from_s, until_s, badge)


def _goods(entry: Entries, routes: Mapping[str, Route], people: Mapping[str, Person]) -> Goods:
    entry.only("id", "kind", "gtin", "prefix", "count", "lot", "first_s", "every_s", "route", "person", "label")
    kind = entry.one_of("kind", KINDS, "sgtin")
    return Goods(
        id=entry.name(),
        kind=kind,
        key=_key(entry, kind),
        count=entry.count("count", 1, 1, MAX_THINGS),
        lot=entry.count("lot", 1, 1, 1_000),
        first_s=entry.seconds("first_s"),
        every_s=entry.seconds("every_s", 10.0),
        route=entry.one_of("route", routes),
        person=entry.one_of("person", people) if "person" in entry.values else None,
        label=entry.get("label", bool, default=False),
        where=entry.where,
    )


def _key(entry: Entries, kind: str) -> str:
    if kind == "uid":
        return ""
    if kind == "sgtin":
        try:
            return gtin(entry.text("gtin"))
        except IdentifierError as error:
            raise ConfigError(error.what, where=entry.at("gtin"), remedy="a GTIN-14 with its check digit") from error
    prefix = entry.text("prefix")
    if len(prefix) != 7 or not prefix.isdecimal() or not prefix.isascii():
        raise ConfigError(f"{prefix!r} is no company prefix", where=entry.at("prefix"), remedy="7 digits")
    return prefix


# Readers


def _reader_tables(top: Entries) -> list[Entries]:
    if isinstance(top.values.get("reader"), list):
        return top.tables("reader", MAX_READERS)
    return [top.table("reader")]


def _readers(entry: Entries, top: Entries, sites: Mapping[str, Site]) -> list[ReaderPlan]:
    """One `[[reader]]`: `count` lanes of the same kind."""
    entry.only("id", "protocol", "endpoint", "options", "site", "count", "faults", "incident", "skew_s", "drift_ppm")
    protocol = entry.one_of("protocol", protocols())
    options = entry.table("options").only(*protocol.options).values if "options" in entry.values else {}
    count = entry.count("count", 1, 1, MAX_READERS)
    first = ReaderPlan(
        id=entry.name() if "id" in entry.values else f"reader{entry.where.removeprefix('reader').strip('[]')}",
        protocol=protocol,
        endpoint=entry.text("endpoint", DEFAULT_ENDPOINT[protocol.transports[0]]),
        options=options,
        faults=_faults(entry, top, protocol),
        incidents=tuple(_incident(e, protocol) for e in entry.tables("incident", MAX_BLOCKS)),
        skew_s=entry.number("skew_s", 0.0, -LATEST_S, LATEST_S),
        drift_ppm=entry.number("drift_ppm", 0.0, -10_000.0, 10_000.0),
        site=entry.one_of("site", sites).id if "site" in entry.values else "",
    )
    _check_device(first, entry)
    if count > 1 and "{id}" not in first.endpoint and first.endpoint not in ("pty", "mqtt", "tcp://127.0.0.1:0"):
        where, remedy = entry.at("endpoint"), "write {id} where the name of each goes"
        raise ConfigError(f"{count} readers cannot share one endpoint", where=where, remedy=remedy)
    ids = [first.id] if count == 1 else [f"{first.id}-{number}" for number in range(1, count + 1)]
    return [replace(first, id=id_, endpoint=first.endpoint.replace("{id}", id_)) for id_ in ids]


def _check_device(plan: ReaderPlan, entry: Entries) -> None:
    try:
        plan.protocol.device(plan.options)
    except ConfigError as error:
        raise ConfigError(error.what, where=f"{entry.at('options')}.{error.where}", remedy=error.remedy) from error


def _faults(entry: Entries, top: Entries, protocol: ReaderProtocol) -> CableFaults | PostFaults | None:
    """The reader's own cable, or that of the file for all of them."""
    if "faults" in entry.values:
        table = entry.table("faults")
    elif "faults" in top.values:
        table = top.table("faults")
    else:
        return None
    kind = PostFaults if protocol.framed_by_transport else CableFaults
    table.only(*(f.name for f in fields(kind)))
    chances = {name: table.number(name, 0.0, 0.0, 1.0) for name in table.values if name != "dribble"}
    if kind is PostFaults:
        return PostFaults(**chances)
    return CableFaults(**chances, dribble=table.get("dribble", bool, default=False))


def _incident(entry: Entries, protocol: ReaderProtocol) -> Incident:
    entry.only("kind", "at_s", "for_s", "baud", "by_s")
    kind = entry.one_of("kind", {k.value: k for k in IncidentKind})
    if kind is IncidentKind.BAUD and protocol.line is None:
        raise ConfigError(f"{protocol.name} has no line speed", where=entry.at("kind"), remedy="choose another kind")
    baud = entry.count("baud", 0, 1_200, 921_600) if kind is IncidentKind.BAUD else 0
    by_s = entry.number("by_s", 0.0, -LATEST_S, LATEST_S)
    return Incident(kind, entry.seconds("at_s"), entry.seconds("for_s"), baud, by_s)


# Timetables


def _every_stop_is_read(routes: Iterable[Route], blocks: Sequence[Sequence[ReaderPlan]]) -> None:
    """A stop where nothing reads is most likely a mistake in the file."""
    read = {block[0].site for block in blocks}
    for number, route in enumerate(routes):
        for place, stop in enumerate(route.stops):
            if stop.site not in read:
                where = f"route[{number}].stop[{place}].site"
                raise ConfigError(f"no reader stands at {stop.site!r}", where=where, remedy="give one this site")


def _with_visits(blocks: Sequence[Sequence[ReaderPlan]], visits: Sequence[Visit], seed: int) -> list[ReaderPlan]:
    """Each trip passes one lane of each kind of reader at the site."""
    at_site: dict[str, list[Visit]] = {}
    for visit in visits:
        at_site.setdefault(visit.site, []).append(visit)
    plans = []
    for block in blocks:
        drawn = random.Random(f"{seed} lanes {block[0].id}")  # noqa: S311 - a repeatable world
        lanes: dict[int, int] = {}
        passages: list[list[Passage]] = [[] for _ in block]
        for visit in at_site.get(block[0].site, ()) if block[0].site else ():
            if visit.identity is block[0].protocol.identity:
                lane = lanes.setdefault(visit.trip, drawn.randrange(len(block)))
                passages[lane].append(Passage(visit.tag, visit.arrive_s, visit.stay_s))
        plans += [replace(plan, passages=tuple(own)) for plan, own in zip(block, passages, strict=True)]
    return list(named(plans, lambda p: p.id, "reader").values())


def _with_tags(readers: Sequence[ReaderPlan], top: Entries) -> tuple[ReaderPlan, ...]:
    """The tags that the file names one by one, each at the reader it names, or at the only one."""
    own: dict[str, list[Passage]] = {reader.id: list(reader.passages) for reader in readers}
    known = {reader.id: reader.id for reader in readers}
    for entry in top.tables("tag", MAX_TAGS):
        entry.only("epc", "tid", "code", "arrive_s", "stay_s", "rssi_dbm", "antenna", "reader")
        tid = entry.octets("tid") if "tid" in entry.values else None
        antenna, rssi_dbm = entry.count("antenna", 1, 1, 32), entry.number("rssi_dbm", -55.0, -127.0, 0.0)
        tag = FieldTag(_epc(entry, "epc"), tid, antenna, rssi_dbm, entry.text("code"))
        default = readers[0].id if len(readers) == 1 else ""
        passage = Passage(tag, entry.seconds("arrive_s"), entry.seconds("stay_s") or float("inf"))
        own[entry.one_of("reader", known, default)].append(passage)
    return tuple(replace(reader, passages=tuple(own[reader.id])) for reader in readers)


def _epc(entry: Entries, name: str) -> bytes:
    epc = entry.octets(name)
    if len(epc) % 2 or not 0 < len(epc) <= 62:
        raise ConfigError(f"an EPC has 1 to 31 words of 16 bits, not {len(epc)} bytes", where=entry.at(name))
    return epc
