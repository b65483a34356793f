"""Load the city: registers, a year of events with the rules run over them, and what people made of it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time

from trace_core.errors import Conflict
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.blocklist import operations as blocklist
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.credit.upkeep import keep_up
from trace_server.detect import run as detect
from trace_server.fleet import operations as fleet
from trace_server.jobs.runner import named, run_due
from trace_server.lists import operations as lists
from trace_server.recall import jobs as recall
from trace_server.reports import jobs as report_jobs
from trace_server.reports import operations as reports
from trace_server.reports.model import Asker, Wish
from trace_server.sample import city as cities
from trace_server.sample import equipment, inspections, journeys, public, recalls, registers, store, trust, words
from trace_server.sample.agenda import Agenda, Clock
from trace_server.sample.enforcement import Enforcement
from trace_server.sample.faults import Faults
from trace_server.sample.journeys import EVENTS_A_LOT, YEAR
from trace_server.sample.model import LEGAL_TIME, SCALES, City, Lot, Summary, Told, Trade
from trace_server.sample.sending import Sender
from trace_server.services import Services
from trace_server.users import operations as users
from trace_server.users.model import Scope

WEEK, LAST_DAYS = 7, 14
"""What gateways and systems send arrives week by week, in the last days day by day."""
LOOKS = 30
"""Days between two looks of the market offices at new alerts; a week in the last two months."""
EARLIEST = timedelta(days=6 * YEAR)
REPORTS = {"small": 0, "city": 4}
"""Reports that are made: a file takes seconds."""
PEOPLE = (Role.REGULATOR, Role.CREDIT_OFFICE, Role.AUDITOR, Role.ADMINISTRATOR, Role.REPORT_DESK, Role.PRODUCER)
Tell = Callable[[str], None]


def moment_of(day: date) -> datetime:
    """When the city's year ends: as the day begins, so that nothing of it lies in the future."""
    return datetime.combine(day, clock_time(), LEGAL_TIME)


def load(
    services: Services, *, seed: int, scale: str, as_of: date, events: int | None = None, into_existing: bool = False,
    with_people: bool = False, tell: Tell = lambda _: None,
) -> Summary:  # fmt: skip
    """Build the city's year up to `as_of`. The same seed, scale, day and number of events give the same city.

    Raises `Conflict` for a database that somebody works with, unless `into_existing`.
    """
    started = time.monotonic()
    with services.db.read() as conn:
        if not into_existing and not store.is_empty(conn):
            raise Conflict(
                "the database has data already", where="database_url",
                remedy="load the sample into a new one, or say --into-existing",
            )  # fmt: skip
    size = SCALES[scale]
    size = replace(size, events=events) if events is not None else size
    end = moment_of(as_of)
    clock = Clock(end - EARLIEST)
    city = cities.build(seed, size, end)
    _Load(replace(services, clock=clock), clock, city, seed, tell).run()
    summary = Summary(seed, scale, as_of.isoformat())
    if with_people:
        summary.invitations = invite(services, city)
    with services.db.read() as conn:
        summary.counts, summary.rules = store.counts(conn), store.alerts_by_rule(conn)
        summary.digest = store.digest(conn)
    summary.seconds = round(time.monotonic() - started, 1)
    return summary


def invite(services: Services, city: City) -> dict[str, str]:
    """An account for each role; returns name → one-time code. Nobody gets a password."""
    found, maker = {}, next(one.maker for one in city.goods if not one.is_raw)
    for role in PEOPLE:
        scope = Scope(subject=maker.uscc) if role is Role.PRODUCER else Scope()
        made, code = users.add_user(
            services.db, services.clock(), registers.ACTOR, name=f"sample-{role.value.replace('_', '-')}",
            display_name=f"示例{role.value}", role=role, scope=scope,
            department=_department(role),
        )  # fmt: skip
        found[made.name] = code
    return found


def _department(role: Role) -> str:
    named_departments = {
        Role.REGULATOR: words.COUNTIES[0].department,
        Role.CREDIT_OFFICE: words.CREDIT_DEPARTMENT,
        Role.REPORT_DESK: "举报办",
    }
    return named_departments.get(role, "" if role is Role.PRODUCER else words.CITY_DEPARTMENT)


class _Load:
    """One load: what is told and what happens, led forward side by side."""

    def __init__(self, services: Services, clock: Clock, city: City, seed: int, tell: Tell) -> None:
        self.services, self.clock, self.city, self.seed, self.tell = services, clock, city, seed, tell
        self.agenda = Agenda(clock)
        people = random.Random(f"people/{seed}")  # noqa: S311 – a made-up city, no secret
        self.enforcement = Enforcement(services, city, self.agenda, people)
        self.things = equipment.things(city, seed)
        self.faults = Faults(city, random.Random(f"faults/{seed}"))  # noqa: S311 – a made-up city, no secret
        turns = range(1, city.scale.turns)
        self.earlier = [Faults(city, random.Random(f"faults/{seed}/{turn}"), turn) for turn in turns]  # noqa: S311 – as above
        self.lots, self.told = self._told()

    def _told(self) -> tuple[tuple[Lot, ...], list[Told]]:
        dice = random.Random(f"year/{self.seed}")  # noqa: S311 – a made-up city, no secret
        other = [
            *equipment.year(self.city, dice, self.things),
            *(one for part in (self.faults, *self.earlier) for one in part.told),
        ]
        count = max(12, (self.city.scale.events - len(other)) // EVENTS_A_LOT)
        lots = journeys.lots(self.city, dice, count)
        whole = [*journeys.year(self.city, dice, lots), *other]
        whole = [one for one in whole if one.at < self.city.as_of - timedelta(minutes=30)]
        whole.sort(key=lambda one: one.at)
        return (*lots, *(one for part in (self.faults, *self.earlier) for one in part.lots)), whole

    def run(self) -> None:
        """From the decisions of earlier years to the city's moment."""
        start = self.city.as_of - timedelta(days=YEAR + 1)
        self.enforcement.earlier()
        self.agenda.run(start)
        self.tell(f"{len(self.city.companies)} subjects, {len(self.lots)} batches, {len(self.told)} events to come")
        clients = registers.open_city(self.services, self.city, self.seed)
        registers.register_things(self.services, self.things)
        trust.begin(self.enforcement)
        public.begin(self.enforcement, self.faults)
        recalls.begin(self.enforcement, self.faults)
        inspections.begin(self.enforcement)
        self._year(start, Sender(self.services, clients, skewed=self.city.gates("hub")[1].gateway))
        self._end()

    def _year(self, start: datetime, sender: Sender) -> None:
        sent, known, looked = 0, date.min, start
        for until in _steps(start, self.city.as_of):
            day = until.astimezone(LEGAL_TIME).date()
            coming = [one for one in self.lots if known <= one.made_on < day]
            known = day
            registers.register_lots(self.services, coming, day)
            last = sent
            while last < len(self.told) and self.told[last].at < until:
                last += 1
            # What companies and gates tell of these days arrives at their end, and offices work meanwhile.
            self.agenda.run(until)
            sender.send(self.told[sent:last], ahead=self.city.as_of - until < timedelta(days=2 * LOOKS))
            sent = last
            wait = LOOKS if self.city.as_of - until > timedelta(days=2 * LOOKS) else WEEK
            if until - looked >= timedelta(days=wait) or until == self.city.as_of:
                looked = until
                self._look(sent)

    def _look(self, sent: int) -> None:
        """The rules judge what is new, then people look at what they found."""
        with self.services.db.begin() as conn:
            store.analyse(conn)
        self._detect()
        recall.follow(self.services)
        self.enforcement.look_at_alerts()
        self.tell(f"{self.clock.now:%Y-%m-%d}: {sent} events")

    def _detect(self) -> None:
        rules = detect.registry().values()
        now = self.clock.now
        for report in (detect.follow(self.services.db, now, rules), detect.sweep(self.services.db, now, rules)):
            if report.failed:
                raise Conflict(f"a rule failed on the sample: {report.failed}", where="detectors")

    def _end(self) -> None:
        """Codes, queries, heartbeats, grades, the gates' list, reports."""
        recent = [one for one in self.lots if one.items and one.number.startswith("L")]
        recent = recent[-max(20, len(recent) // 6) :]
        public.issue_codes(self.enforcement, recent)
        public.queries(self.enforcement, recent)
        self._beat()
        keep_up(self.services)
        lists.expire(self.services)
        self._detect()
        blocklist.refresh(self.services.db, self.clock.now)
        regrade_all(self.services)
        self._reports()
        with self.services.db.begin() as conn:
            store.analyse(conn)

    def _beat(self) -> None:
        """A heartbeat of each gateway; one fell silent days ago."""
        db = self.services.db
        silent = self.city.checkpoints[1].gateway
        gateways = [one for one in accounts.list_gateways(db) if one.site]
        own = {gate.gateway for gate in self.city.checkpoints}
        for gateway in gateways:
            if gateway.gateway_id not in own:
                continue
            at = self.clock.now - (timedelta(days=3) if gateway.gateway_id == silent else timedelta(seconds=20))
            beat = {
                "kind": "heartbeat", "boot_id": "sample", "monotonic": 86_400.0,
                "report": {
                    "unsent": 0, "free_hours": 700.0, "clock": {"state": "synchronised", "offset_s": 0.1},
                    "block_list": {"version": 1, "age_s": 420.0}, "readers": [{"name": "reader-1", "state": "online"}],
                },
            }  # fmt: skip
            fleet.hear(db, at, gateway, json.dumps(beat).encode())

    def _reports(self) -> None:
        makers = self.city.of(Trade.FACTORY)
        for place in range(REPORTS.get(self.city.scale.name, 0)):
            kind = ("credit", "special")[place % 2]
            wish = Wish(kind, (makers[place].uscc,), "政府采购资格审查(示例)")
            reports.request(self.services, Asker("sample:office-1", name="市信用办(示例)"), wish)
        if REPORTS.get(self.city.scale.name, 0):
            run_due(self.services, named(report_jobs.kinds))


def _steps(start: datetime, end: datetime) -> Iterator[datetime]:
    at = start
    while at < end:
        days = 1 if end - at <= timedelta(days=LAST_DAYS) else WEEK
        at = min(end, at + timedelta(days=days))
        yield at
