"""What every desk answers with: words in the reader's language, and a way on after a change."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from trace_core.errors import TraceError
from trace_server.console.words import SENTENCES
from trace_server.faces.rendering import FieldError, translate
from trace_server.users.access import chosen_language, finish


def words(table: Mapping[str, str]) -> dict[str, str]:
    """A table of `words.py` in the language of the request."""
    language = chosen_language()
    return {name: translate(text, language) for name, text in table.items()}


def mistakes(error: TraceError, field: str) -> tuple[FieldError, ...]:
    """What went wrong, at its field, else at `field`."""
    sentence = SENTENCES.get(error.what)
    return (FieldError(error.where or field, translate(sentence, chosen_language()) if sentence else error.what),)


def go(path: str) -> Response:
    """On to `path`, a path of ours, with GET."""
    return finish(Response(status=303, headers={"Location": path}))
