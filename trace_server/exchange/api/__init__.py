"""HTTP routes of the exchange: the feed, webhooks, receipts and comparisons."""

from __future__ import annotations

from trace_server.exchange.api import feed, hooks, receipts
from trace_server.exchange.api._blueprint import blueprint

__all__ = ["blueprint", "feed", "hooks", "receipts"]
