"""Whom an API client of a test acts for."""

from __future__ import annotations

from trace_server.accounts.model import FOR_COMPANY, Role

COMPANY = "91320900MA1T000210"
"""A company that no other test data mention as owner of goods or places."""


def company_of(role: Role) -> str:
    """A company's USCC for a role that acts for one, "" for an authority's."""
    return COMPANY if role in FOR_COMPANY else ""
