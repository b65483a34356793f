"""What every desk answers with: words in the reader's language, and a way on after a change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from flask import Response

from trace_core.errors import InputError, NotAllowed, TraceError
from trace_server.accounts.model import Role
from trace_server.console.credit_words import SENTENCES as CREDIT_SENTENCES
from trace_server.console.supervision_words import SENTENCES as SUPERVISION_SENTENCES
from trace_server.console.words import SENTENCES
from trace_server.faces.rendering import FieldError, translate
from trace_server.users.access import chosen_language, current_person, finish
from trace_server.users.model import User

MAX_VERSION_DIGITS = 9
MAX_CURSOR = 128


def words(table: Mapping[str, str]) -> dict[str, str]:
    """A table of `words.py` in the language of the request."""
    language = chosen_language()
    return {name: translate(text, language) for name, text in table.items()}


def mistakes(error: TraceError, field: str, *, known: Collection[str] = ()) -> tuple[FieldError, ...]:
    """What went wrong, at its field, else at `field`; `known`: the fields of the form, when that is not every one."""
    sentence = SENTENCES.get(error.what) or CREDIT_SENTENCES.get(error.what) or SUPERVISION_SENTENCES.get(error.what)
    where = error.where if error.where and (not known or error.where in known) else field
    return (FieldError(where, translate(sentence, chosen_language()) if sentence else error.what),)


def own_user() -> User:
    """Who asks. Raises `NotAllowed` for a producer's person who acts for no company."""
    user = current_person().user
    if user.role is Role.PRODUCER and not user.scope.subject:
        raise NotAllowed("this account acts for nobody")
    return user


def version_of(form: Mapping[str, str]) -> int:
    """The version that a form was made from. Raises `InputError` for none."""
    text = form.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < MAX_VERSION_DIGITS):
        raise InputError("somebody else changed it meanwhile", where="version")
    return int(text)


def place(cursor: str) -> tuple[datetime, str] | None:
    """Where a list goes on: `moment~id` as the list before gave it. Raises `InputError`."""
    moment, _, key = cursor[:MAX_CURSOR].partition("~")
    if not key:
        return None
    try:
        return datetime.fromisoformat(moment.replace(" ", "+")), key
    except ValueError as error:
        raise InputError("this is no cursor of this server", where="cursor") from error


def go(path: str) -> Response:
    """On to `path`, a path of ours, with GET."""
    return finish(Response(status=303, headers={"Location": path}))
