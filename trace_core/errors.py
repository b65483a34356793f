"""The error tree. Branches name who must act; every error says what is wrong, where, and how to mend it."""

from __future__ import annotations

from typing import ClassVar


class TraceError(Exception):
    """Root of every error that another person, device or program can cause.

    Our own mistakes are `ValueError` or `TypeError` and are never caught as this.
    """

    code: ClassVar[str] = "error"
    """Stable name; the last part of the problem type over HTTP (RFC 9457)."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        mend = f" ({self.remedy})" if self.remedy else ""
        return f"{place}{self.what}{mend}"


class FrameError(TraceError):
    """A device or a cable sent bytes that its protocol does not allow."""

    code = "bad-frame"


class IdentifierError(TraceError):
    """A code (GS1 key, EPC, USCC, Digital Link) is malformed or fails its check."""

    code = "bad-identifier"


class EventError(TraceError):
    """A sender's event or document breaks EPCIS or a rule of ours."""

    code = "bad-event"


class ConfigError(TraceError):
    """The operator must change a setting."""

    code = "bad-config"


class InputError(TraceError):
    """A person's or client's request cannot be taken as it stands."""

    code = "bad-input"


class TooLarge(InputError):
    """A body, field or count is over its limit."""

    code = "too-large"


class UplinkError(TraceError):
    """The way between gateway and server failed; which of the two below says what to do."""

    code = "uplink"


class Retryable(UplinkError):
    """Try again later; nothing was lost."""

    code = "uplink-retryable"


class Refused(UplinkError):
    """The server understood and will not take it: keep the data, raise an alarm, ask a person."""

    code = "uplink-refused"


class NotAllowed(TraceError):
    """Known or unknown, the caller may not do this."""

    code = "not-allowed"


class NotFound(TraceError):
    """There is no such thing, or the caller may not know of it."""

    code = "not-found"


class Conflict(TraceError):
    """The request contradicts what is stored."""

    code = "conflict"
