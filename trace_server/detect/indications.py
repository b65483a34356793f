"""What the rules of geographical indications share: acts with goods that carry one, and a register that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from trace_server.catalog.model import Batch
from trace_server.db import Connection, Dialect
from trace_server.detect import store
from trace_server.detect.batches import BatchRule, batch_findings
from trace_server.detect.detector import Outcome, Window, Withdrawn
from trace_server.detect.history import whole_events
from trace_server.detect.model import Alert, AlertState
from trace_server.detect.steps import LEGAL_TIME, SALE, is_leaving_trade, makes
from trace_server.indications import store as indications
from trace_server.indications.model import Indication, Register
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part

_GOODS = frozenset({LinkRole.OBJECT, LinkRole.CHILD, LinkRole.OUTPUT})


@dataclass(frozen=True, slots=True)
class IndicationRule:
    """A rule that follows from the register, a batch and one event."""

    takes: Callable[[Part], bool]
    judge: Callable[[Part, Batch, Indication, Register], str]
    """What was computed, empty: the event does not show it."""


def marks_goods(part: Part) -> bool:
    """Goods come into being, or get their mark."""
    return part.role in _GOODS and makes(part) and not is_leaving_trade(part)


def marks_or_sells(part: Part) -> bool:
    """The same, or they are sold."""
    return marks_goods(part) or (part.role in _GOODS and part.biz_step in SALE and not is_leaving_trade(part))


def legal_day(moment: datetime) -> date:
    """The day in Shanghai."""
    return moment.astimezone(LEGAL_TIME).date()


def indication_findings(conn: Connection, window: Window, rule: IndicationRule) -> Iterator[Outcome]:
    """Judge every such act with goods that the window names. One producer's doing with one product is one alert."""
    if not indications.has_any(conn):
        return
    register = indications.register(conn)
    yield from _judge(conn, window, rule, register)


def take_back(
    conn: Connection, dialect: Dialect, rule_id: str, rule: Callable[[Connection, Window], IndicationRule]
) -> Iterator[Withdrawn]:
    """Judge again what standing alerts rest on: the register may say something else by now, and no event tells it."""
    register = indications.register(conn)
    for page in standing(conn, dialect, rule_id):
        keys = {one.event_key for alert in page for one in alert.evidence}
        events = whole_events(conn, Window((), dialect), keys)
        window = Window(tuple(events), dialect)
        for outcome in _judge(conn, window, rule(conn, window), register):
            if isinstance(outcome, Withdrawn) and outcome.event_keys & keys:
                yield Withdrawn(outcome.group_key, outcome.event_keys & keys, "the register says otherwise now")


def standing(conn: Connection, dialect: Dialect, rule_id: str) -> Iterator[list[Alert]]:
    """Pages of the alerts of a rule that are open or wait."""
    for state in (AlertState.WAITING, AlertState.OPEN):
        after: tuple[datetime, bytes] | None = None
        while page := store.alerts(conn, dialect, rule_id=rule_id, state=state, after=after):
            after = page[-1].opened_at, page[-1].alert_key
            yield page


def _judge(conn: Connection, window: Window, rule: IndicationRule, register: Register) -> Iterator[Outcome]:
    of_product = register.of_product()

    def judge(part: Part, batch: Batch) -> str:
        return rule.judge(part, batch, of_product[batch.gtin], register)

    def values(batch: Batch) -> Mapping[str, str]:
        one = of_product[batch.gtin]
        return {"indication": one.gi_id, "name": one.name, "gtin": batch.gtin, "as_of": one.as_of.isoformat()}

    known = lambda batch: batch.gtin in of_product  # noqa: E731
    return batch_findings(conn, window, BatchRule(rule.takes, known, judge, _group, _subject, values))


def _group(part: Part, batch: Batch) -> str:  # noqa: ARG001 – contract of BatchRule
    return f"{batch.gtin}/{batch.producer_uscc}"


def _subject(part: Part, batch: Batch) -> str:  # noqa: ARG001 – contract of BatchRule
    return batch.producer_uscc
