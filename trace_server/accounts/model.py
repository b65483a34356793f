"""Gateways, clients, roles and permissions as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Permission(StrEnum):
    """One thing a route lets its caller do."""

    EVENTS_CAPTURE = "events:capture"
    EVENTS_READ = "events:read"
    BATCHES_WRITE = "batches:write"
    QUARANTINE_READ = "quarantine:read"
    QUARANTINE_REPLAY = "quarantine:replay"
    CREDIT_READ = "credit:read"
    CREDIT_RECORD = "credit:record"
    GATEWAYS_READ = "gateways:read"
    """The fleet's health on the console."""
    GATEWAYS_MANAGE = "gateways:manage"
    CLIENTS_MANAGE = "clients:manage"
    USERS_MANAGE = "users:manage"
    """People: invite, change, shut out; and what the server does for them."""
    AUDIT_READ = "audit:read"
    METRICS_READ = "metrics:read"
    RESOLVER_MANAGE = "resolver:manage"
    LINKS_WRITE = "links:write"
    RECALLS_READ = "recalls:read"
    RECALLS_MANAGE = "recalls:manage"
    RECALLS_ANSWER = "recalls:answer"
    JOBS_READ = "jobs:read"
    """One's own jobs."""
    MASTERDATA_WRITE = "masterdata:write"
    LISTS_MANAGE = "lists:manage"
    RESTRICTIONS_CHECK = "restrictions:check"
    REPAIRS_APPLY = "repairs:apply"
    REPAIRS_DECIDE = "repairs:decide"
    COMMITMENTS_READ = "commitments:read"
    """A company's client reads its own."""
    COMMITMENTS_SIGN = "commitments:sign"
    COMMITMENTS_DECIDE = "commitments:decide"
    OBJECTIONS_READ = "objections:read"
    """A company's client reads its own."""
    OBJECTIONS_RAISE = "objections:raise"
    OBJECTIONS_DECIDE = "objections:decide"
    RANGES_REQUEST = "ranges:request"
    RANGES_READ = "ranges:read"
    """A company's client sees its own ranges only."""
    RANGES_GRANT = "ranges:grant"
    CASES_READ = "cases:read"
    CASES_HANDLE = "cases:handle"
    EQUIPMENT_READ = "equipment:read"
    EQUIPMENT_WRITE = "equipment:write"
    """Register, put in use, take out, scrap; a client bound to a subject: its own."""
    EQUIPMENT_INSPECT = "equipment:inspect"
    REPORTS_READ = "reports:read"
    """That reports were issued, and how they stand."""
    REPORTS_REQUEST = "reports:request"
    """Ask for reports and take the files; a company: on itself."""
    REPORTS_WITHDRAW = "reports:withdraw"
    DESK_USE = "desk:use"
    """The producers' desk, for one's own company."""

    COMPLAINTS_READ = "complaints:read"
    COMPLAINTS_HANDLE = "complaints:handle"
    REPORTERS_OPEN = "reporters:open"
    """Ask for a reporter's sealed identity, or decide on a colleague's request."""
    REWARDS_DECIDE = "rewards:decide"
    IMPORTS_SUBMIT = "imports:submit"
    """Hand in official tables."""
    IMPORTS_READ = "imports:read"
    REGISTERS_READ = "registers:read"
    """Subjects with names, old codes, premises and documents; persons masked."""
    REGISTERS_WRITE = "registers:write"
    INDICATIONS_MANAGE = "indications:manage"
    SHOPS_MANAGE = "shops:manage"
    """Identity marks of online sellers."""
    LISTINGS_REPORT = "listings:report"
    """A platform's listings, sales and answers."""
    POLICIES_READ = "policies:read"
    POLICIES_DRAFT = "policies:draft"
    """Write, simulate, review and roll back versions of the grading policy."""
    POLICIES_APPROVE = "policies:approve"
    """Approve a version, let it begin, send it back."""
    INSPECTIONS_READ = "inspections:read"
    INSPECTIONS_PLAN = "inspections:plan"
    """Make plans of inspections, draw and publish them."""
    INSPECTIONS_DO = "inspections:do"
    """Be drawn as an inspector and enter results."""


class Role(StrEnum):
    """What an API client is."""

    PRODUCER = "producer"
    REGULATOR = "regulator"
    CREDIT_OFFICE = "credit_office"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    MONITOR = "monitor"
    PLATFORM = "platform"
    """An online platform (电子商务平台); acts for its own USCC."""
    REPORT_DESK = "report_desk"
    """举报办: takes reports of retaliation, opens identities by two persons, computes rewards."""


FOR_COMPANY = frozenset({Role.PRODUCER, Role.PLATFORM})
"""Roles that act for one company: without its USCC they may do nothing, an empty one means an authority."""

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PRODUCER: frozenset(
        {
            Permission.EQUIPMENT_READ,
            Permission.EQUIPMENT_WRITE,
            Permission.EVENTS_CAPTURE,
            Permission.BATCHES_WRITE,
            Permission.LINKS_WRITE,
            Permission.JOBS_READ,
            Permission.RECALLS_ANSWER,
            Permission.REPAIRS_APPLY,
            Permission.RANGES_REQUEST,
            Permission.RANGES_READ,
            Permission.DESK_USE,
            Permission.REPORTS_READ,
            Permission.REPORTS_REQUEST,
            Permission.COMMITMENTS_READ,
            Permission.COMMITMENTS_SIGN,
            Permission.OBJECTIONS_READ,
            Permission.OBJECTIONS_RAISE,
        }
    ),
    Role.REGULATOR: frozenset(
        {
            Permission.REGISTERS_READ,
            Permission.REGISTERS_WRITE,
            Permission.IMPORTS_SUBMIT,
            Permission.IMPORTS_READ,
            Permission.POLICIES_READ,
            Permission.INSPECTIONS_READ,
            Permission.INSPECTIONS_PLAN,
            Permission.INSPECTIONS_DO,
            Permission.GATEWAYS_READ,
            Permission.REPORTS_READ,
            Permission.REPORTS_REQUEST,
            Permission.REPORTS_WITHDRAW,
            Permission.INDICATIONS_MANAGE,
            Permission.SHOPS_MANAGE,
            Permission.COMPLAINTS_READ,
            Permission.COMPLAINTS_HANDLE,
            Permission.EQUIPMENT_READ,
            Permission.EQUIPMENT_WRITE,
            Permission.EQUIPMENT_INSPECT,
            Permission.JOBS_READ,
            Permission.EVENTS_READ,
            Permission.QUARANTINE_READ,
            Permission.CREDIT_RECORD,
            Permission.CREDIT_READ,
            Permission.CASES_READ,
            Permission.CASES_HANDLE,
            Permission.RECALLS_READ,
            Permission.RECALLS_MANAGE,
            Permission.RANGES_READ,
            Permission.RANGES_GRANT,
            Permission.MASTERDATA_WRITE,
            Permission.LISTS_MANAGE,
            Permission.RESTRICTIONS_CHECK,
            Permission.COMMITMENTS_READ,
            Permission.COMMITMENTS_SIGN,
            Permission.COMMITMENTS_DECIDE,
            Permission.OBJECTIONS_READ,
            Permission.OBJECTIONS_RAISE,
            Permission.OBJECTIONS_DECIDE,
        }
    ),
    Role.CREDIT_OFFICE: frozenset(
        {
            Permission.REGISTERS_READ,
            Permission.REGISTERS_WRITE,
            Permission.IMPORTS_SUBMIT,
            Permission.IMPORTS_READ,
            Permission.POLICIES_READ,
            Permission.POLICIES_DRAFT,
            Permission.POLICIES_APPROVE,
            Permission.INSPECTIONS_READ,
            Permission.REPORTS_READ,
            Permission.REPORTS_REQUEST,
            Permission.REPORTS_WITHDRAW,
            Permission.CREDIT_READ,
            Permission.CREDIT_RECORD,
            Permission.JOBS_READ,
            Permission.LISTS_MANAGE,
            Permission.RESTRICTIONS_CHECK,
            Permission.REPAIRS_APPLY,
            Permission.REPAIRS_DECIDE,
            Permission.COMMITMENTS_READ,
            Permission.COMMITMENTS_SIGN,
            Permission.COMMITMENTS_DECIDE,
            Permission.OBJECTIONS_READ,
            Permission.OBJECTIONS_RAISE,
            Permission.OBJECTIONS_DECIDE,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Permission.AUDIT_READ,
            Permission.REGISTERS_READ,
            Permission.IMPORTS_READ,
            Permission.POLICIES_READ,
            Permission.INSPECTIONS_READ,
            Permission.GATEWAYS_READ,
            Permission.REPORTS_READ,
            Permission.COMPLAINTS_READ,
            Permission.EQUIPMENT_READ,
            Permission.JOBS_READ,
            Permission.EVENTS_READ,
            Permission.CREDIT_READ,
            Permission.QUARANTINE_READ,
            Permission.CASES_READ,
            Permission.RECALLS_READ,
            Permission.COMMITMENTS_READ,
            Permission.OBJECTIONS_READ,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.GATEWAYS_READ,
            Permission.JOBS_READ,
            Permission.GATEWAYS_MANAGE,
            Permission.CLIENTS_MANAGE,
            Permission.USERS_MANAGE,
            Permission.QUARANTINE_REPLAY,
            Permission.RESOLVER_MANAGE,
            Permission.LINKS_WRITE,
            Permission.MASTERDATA_WRITE,
        }
    ),
    Role.MONITOR: frozenset({Permission.METRICS_READ}),
    Role.PLATFORM: frozenset({Permission.LISTINGS_REPORT}),
    Role.REPORT_DESK: frozenset(
        {
            Permission.COMPLAINTS_READ,
            Permission.COMPLAINTS_HANDLE,
            Permission.REPORTERS_OPEN,
            Permission.REWARDS_DECIDE,
            Permission.CASES_READ,
            Permission.CASES_HANDLE,
        }
    ),
}
"""The whole of access control: a role may do what its row says, and nothing else."""


class GatewayState(StrEnum):
    """Only an active gateway's batches are taken."""

    INVITED = "invited"
    """Has a code, has not enrolled."""
    PENDING = "pending"
    """Has shown its key; a person must approve it."""
    ACTIVE = "active"
    REVOKED = "revoked"


class GatewayEvent(StrEnum):
    """What moves a gateway from state to state (`states.py`)."""

    ENROL = "enrol"
    ENROL_APPROVED = "enrol-approved"
    """Enrolled with a code whose giver approved it beforehand."""
    APPROVE = "approve"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A box at the gate. `read_points` are the EPCIS read points it may report from."""

    gateway_id: str
    site: str
    read_points: tuple[str, ...]
    state: GatewayState
    auto_approve: bool
    software: str
    hostname: str
    created_at: datetime
    key_id: str
    """Newest key in force, "" before enrolment."""
    key_made_at: datetime | None = None
    """When the server took that key."""


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A raw 32-byte Ed25519 public key of a gateway."""

    key_id: str
    gateway_id: str
    public_key: bytes
    is_revoked: bool
    ends_at: datetime | None = None
    """Set once another key took its place: until then both are good."""


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A one-time code, known by its hash only."""

    gateway_id: str
    expires_at: datetime
    used_by: str
    """Key id that used it, "" while unused."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a gateway learns when it has enrolled."""

    gateway_id: str
    key_id: str
    state: GatewayState


@dataclass(frozen=True, slots=True)
class Client:
    """An API client. `subject` is the USCC it acts for, "" when it acts for an authority."""

    client_id: str
    name: str
    role: Role
    subject: str
    created_at: datetime
    is_revoked: bool
    used_at: datetime | None = None
    """When its token was last shown, to the hour; None: never."""

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[self.role]
