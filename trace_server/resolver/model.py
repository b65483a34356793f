"""Links, the hosts they may lead to, and what a request asks for.

Source: GS1-Conformant Resolver Standard 1.1, RFC 9264 (linkset), GS1 Web Vocabulary 1.16 (link types).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

DEFAULT_LINK = "defaultLink"
VOCABULARY = "https://ref.gs1.org/voc/"
LINK_TYPES = frozenset(
    {
        "activityIdeas", "allergenInfo", "appDownload", "backgroundInfo", "brandHomepageClinical",
        "brandHomepagePatient", "careersInfo", "certificationInfo", "consumerHandlingStorageInfo", "defaultLink",
        "defaultLinkMulti", "dpp", "eifu", "epcis", "epil", "eventsInfo", "faqs", "handledBy", "hasRetailers",
        "homepage", "ingredientsInfo", "instructions", "jws", "leaveReview", "locationInfo", "logisticsInfo",
        "loyaltyProgram", "masterData", "menuInfo", "nutritionalInfo", "openingHoursInfo", "paymentLink", "pip",
        "productSustainabilityInfo", "promotion", "purchaseSuppliesOrAccessories", "quickStartGuide",
        "recallStatus", "recipeInfo", "registerProduct", "registryEntry", "relatedImage", "relatedVideo",
        "reportFound", "review", "safetyInfo", "scheduleTime", "serviceInfo", "smartLabel", "smpc", "socialMedia",
        "statisticInfo", "subscribe", "support", "sustainabilityInfo", "traceability", "tutorial", "userAgreement",
        "verificationService", "whatsInTheBox",
    }
)  # fmt: skip
"""Names without their prefix `gs1:`."""


class HostState(StrEnum):
    """Only to an approved host may a link lead."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class HostEvent(StrEnum):
    """What moves a host from state to state (`states.py`)."""

    APPROVE = "approve"
    WITHDRAW = "withdraw"
    PROPOSE = "propose"


@dataclass(frozen=True, slots=True)
class Host:
    """A host name (with its port, if any) of the register of targets, and who answers for it."""

    host: str
    state: HostState
    proposed_by: str
    decided_by: str
    reason: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """One link from `anchor` (canonical Digital Link) to `href`. Empty language or media type: any."""

    anchor: str
    link_type: str
    """A name of `LINK_TYPES`."""
    href: str
    title: str
    language: str = ""
    media_type: str = ""
    is_default: bool = False
    forward_query: bool = True
    link_id: str = ""
    """Empty for links that the resolver makes itself."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for: `link_type` "" is the default link; languages and media types best first."""

    link_type: str = ""
    languages: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    is_linkset: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """All links of a thing, the most specific level first; `description` in the language of the register."""

    anchor: str
    description: str
    links: tuple[Link, ...]
