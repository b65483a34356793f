"""What a code page says of a piece of equipment, from the register and its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trace_server.catalog import operations as catalog
from trace_server.catalog.model import Subject
from trace_server.catalog.operations import SHANGHAI
from trace_server.db import Connection, Dialect
from trace_server.equipment import store
from trace_server.equipment.kinds import kinds
from trace_server.equipment.model import Asset, Inspection, Kind, State
from trace_server.equipment.states import state_on
from trace_server.trace.acts import Act, ActKind, acts_of


@dataclass(frozen=True, slots=True)
class ShownAct:
    """The newest filling or maintenance as the public sees it: a day and a city."""

    day: date
    city: str
    city_en: str


@dataclass(frozen=True, slots=True)
class EquipmentFacts:
    """Everything that a page says of one registered thing, for one day."""

    asset: Asset
    state: State
    kind: Kind | None
    owner: Subject | None
    maintainer: Subject | None
    inspection: Inspection | None
    """The newest; None when the register has none of its own."""
    filling: ShownAct | None
    maintenance: ShownAct | None
    today: date

    @property
    def days_left(self) -> int | None:
        """Whole days until the last day of use; negative once it has passed."""
        due = self.asset.inspection_due
        return None if due is None else (due - self.today).days


def equipment_facts(conn: Connection, dialect: Dialect, uri: str, today: date) -> EquipmentFacts | None:
    """The thing with this canonical URI; None when it is not registered."""
    asset = store.asset(conn, uri)
    if asset is None:
        return None
    subjects = catalog.subjects_of(conn, dialect, {one for one in (asset.owner, asset.maintainer) if one})
    inspections = store.inspections(conn, dialect, [uri]).get(uri, [])
    acts = acts_of(conn, dialect, [uri]).get(uri, [])
    last = {act.kind: act for act in acts}
    places = catalog.places_of(conn, dialect, {act.place for act in last.values()})

    def shown(kind: ActKind) -> ShownAct | None:
        act: Act | None = last.get(kind)
        if act is None:
            return None
        place = places.get(act.place)
        day = act.event_time.astimezone(SHANGHAI).date()
        return ShownAct(day, place.city if place else "", place.city_en if place else "")

    return EquipmentFacts(
        asset=asset,
        state=state_on(asset, today),
        kind=kinds().get(asset.kind),
        owner=subjects.get(asset.owner),
        maintainer=subjects.get(asset.maintainer),
        inspection=inspections[0] if inspections else None,
        filling=shown(ActKind.FILLING),
        maintenance=shown(ActKind.MAINTENANCE),
        today=today,
    )
