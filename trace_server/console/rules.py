"""What a page shows of an alert and of a case; values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from trace_server.cases.model import Actor, Triage
from trace_server.detect.detector import Detector
from trace_server.detect.model import Alert
from trace_server.users.model import User


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert with its rule and what a person made of it."""

    alert: Alert
    rule: Detector | None
    triage: Triage | None

    def title(self, language: str) -> str:
        """Name of the rule."""
        if self.rule is None:
            return self.alert.rule_id
        return self.rule.title_en if language == "en" else self.rule.title_zh


@dataclass(frozen=True, slots=True)
class Facet:
    """One choice of a list: what it is called, where it leads, how many there are."""

    title: str
    href: str
    count: int
    is_chosen: bool


def facets(path: str, chosen: dict[str, str], name: str, counts: dict[str, int], titles: dict[str, str]) -> list[Facet]:
    """The values of one column, as links that keep what else is chosen; the chosen one leads back to all."""
    found = []
    for value, count in sorted(counts.items()):
        others = {key: kept for key, kept in chosen.items() if kept and key not in (name, "cursor")}
        is_chosen = chosen.get(name) == value
        query = others if is_chosen else others | {name: value}
        href = f"{path}?{urlencode(query)}" if query else path
        found.append(Facet(titles.get(value, value), href, count, is_chosen))
    return found


def actor_of(user: User) -> Actor:
    """Somebody logged in, as the cases know him."""
    return Actor(user.actor, user.department, user.scope.regions, user.scope.categories)
