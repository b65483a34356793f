"""From facts to the verdict line. The order of the checks is the order of harm: what must not be used comes first."""

from __future__ import annotations

from datetime import date

from trace_server.catalog.model import Licence, LicenceState
from trace_server.catalog.profiles import CategoryProfile
from trace_server.equipment.model import State
from trace_server.portal.equipment import EquipmentFacts
from trace_server.portal.model import PageFacts, Queries, Reason, Verdict

MANY_QUERIES_A_DAY = 20
"""Callers of one code in one day above which a copied label is likely (domain.md §3.8, D05: > 20 in 24 h).

A caller is one network in one hour: reloads and previews by one phone must not make goods look copied.
"""


EQUIPMENT_CATEGORY = "special_equipment"
_OF_STATE = {
    State.SCRAPPED: Reason.SCRAPPED,
    State.OVERDUE: Reason.OVERDUE,
    State.OUT_OF_SERVICE: Reason.OUT_OF_SERVICE,
    State.DUE_SOON: Reason.DUE_SOON,
}


def is_queried_too_often(queries: Queries) -> bool:
    """Whether today or yesterday was far beyond what one buyer and the people around them ask."""
    return max(queries.today, queries.yesterday) > MANY_QUERIES_A_DAY


def judge(facts: PageFacts, *, many_queries: bool) -> tuple[Verdict, Reason]:
    """The verdict and its reason. Pure: same facts, same verdict."""
    batch, equipment = facts.batch, facts.equipment
    if batch is not None and batch.recall is not None:
        return Verdict.RECALL, Reason.RECALLED
    if many_queries:
        return Verdict.SUSPECT, Reason.MANY_QUERIES
    if equipment is not None:
        return judge_equipment(equipment)
    for is_so, reason in (
        (facts.profile.name == EQUIPMENT_CATEGORY, Reason.UNREGISTERED),
        (batch is None, Reason.NO_BATCH),
        (batch is not None and batch.inspection is not None and not batch.inspection.passed, Reason.FAILED_INSPECTION),
        (facts.days_left is not None and facts.days_left < 0, Reason.EXPIRED),
        (is_licence_bad(facts), Reason.LICENCE),
        (is_near_expiry(facts), Reason.NEAR_EXPIRY),
        (not facts.journey.hops, Reason.NO_JOURNEY),
    ):
        if is_so:
            return Verdict.NOTICE, reason
    return Verdict.NORMAL, Reason.FINE


def judge_equipment(facts: EquipmentFacts) -> tuple[Verdict, Reason]:
    """What the register and the calendar say of a thing in use: overdue and scrapped must not be used."""
    reason = _OF_STATE.get(facts.state, Reason.EQUIPMENT_FINE)
    if reason is Reason.EQUIPMENT_FINE and not facts.asset.registration_no:
        reason = Reason.UNREGISTERED
    return (Verdict.NORMAL if reason is Reason.EQUIPMENT_FINE else Verdict.NOTICE), reason


def is_licence_bad(facts: PageFacts) -> bool:
    """The producer's newest licence is not in force on the day the batch was made or now."""
    licence = facts.licence
    return licence is not None and (licence.state is not LicenceState.VALID or facts.licence_expired)


def is_near_expiry(facts: PageFacts) -> bool:
    """Within the profile's days or per cent of the shelf life, whichever is less."""
    left = facts.days_left
    if left is None or facts.batch is None or facts.batch.expiry_date is None:
        return False
    life = (facts.batch.expiry_date - facts.batch.production_date).days
    near = near_days(facts.profile, life)
    return 0 <= left <= near


def near_days(profile: CategoryProfile, shelf_life_days: int) -> int:
    """Days before the end that count as near."""
    return min(profile.expiry.near_days, max(1, shelf_life_days * profile.expiry.near_percent // 100))


def shown_licence(licences: tuple[Licence, ...], today: date) -> Licence | None:
    """The licence to show: the newest in force today, else the newest of all."""
    in_force = [row for row in licences if row.state is LicenceState.VALID and row.valid_from <= today <= row.valid_to]
    if in_force:
        return max(in_force, key=lambda row: (row.valid_from, row.number))
    return max(licences, key=lambda row: (row.valid_from, row.number), default=None)


def missing_certificates(facts: PageFacts) -> tuple[str, ...]:
    """Kinds that the category requires of a batch made on its day and that it does not have."""
    if facts.batch is None:
        return ()
    has = {certificate.kind for certificate in facts.batch.certificates}
    made = facts.batch.production_date
    return tuple(
        rule.kind
        for rule in facts.profile.certificates
        if rule.required and rule.starts <= made and rule.kind not in has
    )
