"""HTML routes of the public site beside the code page: one file a subject, all on one blueprint."""

from trace_server.publicity.pages import archive, check, data, lists, penalties, recalls, supervision, texts
from trace_server.publicity.pages.frame import blueprint

__all__ = ["archive", "blueprint", "check", "data", "lists", "penalties", "recalls", "supervision", "texts"]
