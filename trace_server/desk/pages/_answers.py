"""What every page of the desk needs: whose desk it is, words in the reader's language, a way on, a file."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from trace_core.errors import NotAllowed, TraceError
from trace_server.desk.operations import Company
from trace_server.desk.words import SENTENCES
from trace_server.faces.rendering import FieldError, translate
from trace_server.users.access import chosen_language, current_person, finish


def company() -> Company:
    """The company of the person who asks. Raises `NotAllowed` for somebody who acts for none."""
    user = current_person().user
    if not user.scope.subject:
        raise NotAllowed("this desk is for people of a company")
    return Company(user.scope.subject, user.actor)


def words(table: Mapping[str, str]) -> dict[str, str]:
    """A table of `words.py` in the language of the request."""
    language = chosen_language()
    return {name: translate(text, language) for name, text in table.items()}


def sentence(error: TraceError, otherwise: str = "") -> str:
    """What went wrong in the reader's words; `otherwise`: a Chinese message for what has no sentence of its own."""
    found = SENTENCES.get(error.what, otherwise)
    return translate(found, chosen_language()) if found else error.what


def mistake(error: TraceError, field: str) -> tuple[FieldError, ...]:
    """What went wrong, at its field, else at `field`."""
    return (FieldError(error.where.strip("/") or field, sentence(error)),)


def go(path: str) -> Response:
    """On to `path`, a path of ours, with GET."""
    return finish(Response(status=303, headers={"Location": path}))


def attachment(content: bytes, media_type: str, name: str) -> Response:
    """A file to keep; `name` is ours, in ASCII."""
    answer = finish(Response(content, content_type=media_type))
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
