"""Kinds of penalty (处罚类别): the list of 双公示 2018 and that of 行政处罚法 2021 art. 9, mapped both ways."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OTHER_PREFIX = "其他"


class PenaltyKind(StrEnum):
    """The finest kinds that both lists can be read into."""

    WARNING = "warning"
    CRITICISM = "criticism"
    FINE = "fine"
    CONFISCATION = "confiscation"
    LICENCE = "licence"
    """Suspended or revoked: the 2018 list does not tell which."""
    LICENCE_SUSPENDED = "licence-suspended"
    LICENCE_REVOKED = "licence-revoked"
    GRADE_LOWERED = "grade-lowered"
    STOPPED = "stopped"
    CLOSED = "closed"
    RESTRICTED = "restricted"
    BANNED = "banned"
    DETENTION = "detention"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PenaltyName:
    """One kind with its names in the list of 2018 (as written to files) and in the law of 2021."""

    kind: PenaltyKind
    name_2018: str
    name_2021: str


_LICENCE_2018 = "暂扣或者吊销许可证、暂扣或者吊销执照"

PENALTY_NAMES: tuple[PenaltyName, ...] = (
    PenaltyName(PenaltyKind.WARNING, "警告", "警告"),
    PenaltyName(PenaltyKind.CRITICISM, "其他-通报批评", "通报批评"),
    PenaltyName(PenaltyKind.FINE, "罚款", "罚款"),
    PenaltyName(PenaltyKind.CONFISCATION, "没收违法所得、没收非法财物", "没收违法所得、没收非法财物"),
    PenaltyName(PenaltyKind.LICENCE, _LICENCE_2018, "暂扣许可证件、吊销许可证件"),
    PenaltyName(PenaltyKind.LICENCE_SUSPENDED, _LICENCE_2018, "暂扣许可证件"),
    PenaltyName(PenaltyKind.LICENCE_REVOKED, _LICENCE_2018, "吊销许可证件"),
    PenaltyName(PenaltyKind.GRADE_LOWERED, "其他-降低资质等级", "降低资质等级"),
    PenaltyName(PenaltyKind.STOPPED, "责令停产停业", "责令停产停业"),
    PenaltyName(PenaltyKind.CLOSED, "其他-责令关闭", "责令关闭"),
    PenaltyName(PenaltyKind.RESTRICTED, "其他-限制开展生产经营活动", "限制开展生产经营活动"),
    PenaltyName(PenaltyKind.BANNED, "其他-限制从业", "限制从业"),
    PenaltyName(PenaltyKind.DETENTION, "行政拘留", "行政拘留"),
)

_KIND_BY_NAME: dict[str, PenaltyKind] = {
    **{name.name_2021: name.kind for name in reversed(PENALTY_NAMES)},
    **{name.name_2018: name.kind for name in reversed(PENALTY_NAMES)},
    "没收违法所得": PenaltyKind.CONFISCATION,
    "没收非法财物": PenaltyKind.CONFISCATION,
}
_NAME_2018: dict[PenaltyKind, str] = {name.kind: name.name_2018 for name in PENALTY_NAMES}


def penalty_kind(name: str) -> PenaltyKind | None:
    """The kind that a name of either list stands for; None when the name is in neither.

    `其他-…` with any text is `OTHER`, unless the law of 2021 gives that text its own kind.
    """
    found = _KIND_BY_NAME.get(name)
    if found is not None:
        return found
    rest = name.removeprefix(OTHER_PREFIX)
    if rest == name or (rest and not rest.startswith("-")):
        return None
    return _KIND_BY_NAME.get(rest.removeprefix("-"), PenaltyKind.OTHER)


def name_2018(name: str) -> str:
    """The name that the file format of 2018 wants for a name of either list; text of `其他-…` is kept."""
    kind = penalty_kind(name)
    return _NAME_2018.get(kind, name) if kind is not None else name
