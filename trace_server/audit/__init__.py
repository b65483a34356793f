"""The hash-chained log of what people and programs decided. `record` is all that other modules need."""

from trace_server.audit.operations import record

__all__ = ["record"]
