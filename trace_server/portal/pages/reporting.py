"""HTML routes of 举报 and 投诉: one question a page, no script, no cookie, nobody asked who they are.

What was typed is kept on the server, sealed under the random token in the form's address; it is forgotten when it is
sent, given up, or some hours old. The token to follow a report with is shown once and travels only inside forms.
These views are `@unlogged`: no log line and no counter says when somebody reported.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from trace_core.errors import ConfigError, Conflict, IdentifierError, InputError, NotFound, TooLarge, TraceError
from trace_server.accounts.access import public, unlogged
from trace_server.complaints import operations, photos, rules
from trace_server.complaints.model import Draft, Kind, State
from trace_server.complaints.operations import Named
from trace_server.complaints.words import EVENTS, KINDS, REWARD_STATES, SENTENCES, STATES
from trace_server.db import DatabaseAway
from trace_server.portal import codes
from trace_server.portal.pages import html, language_of_request, switch_to, the_portal
from trace_server.problems import TooManyRequests
from trace_server.sealed.operations import can_seal
from trace_server.services import services

STEPS = ("what", "where", "who", "check")
FIELDS = {"what": "what", "region": "where", "place": "where"}
"""Which question a missing field belongs to; the others belong to "who"."""
RETRY_S = 60

blueprint = Blueprint("reporting", __name__)


@blueprint.get("/report")
@public
@unlogged
def start() -> Response:
    """What it is about, and what becomes of it."""
    chosen = request.args.get("kind", "")
    error = InputError("choose what it is", where="kind-report") if "wrong" in request.args else None
    code, _ = _code(request.args.get("code", ""))
    return _page("report_start", "/report", 200, error, chosen=chosen if chosen in KINDS else "", code=code)


@blueprint.post("/report")
@public
@unlogged
def begin() -> Response:
    """A form of its own, in an address that nobody can guess."""
    chosen, (code, _) = request.form.get("kind", ""), _code(request.form.get("code", ""))
    if chosen not in KINDS:
        return _go("/report", f"&wrong=kind&code={quote(code, safe='')}")
    _admit()
    token = rules.new_draft_token()
    operations.keep_draft(services(), token, Draft(kind=Kind(chosen), code=code))
    return _go(f"/report/{token}/what")


@blueprint.get("/report/<token>/<step>")
@public
@unlogged
def step(token: str, step: str) -> Response:
    """One question, with what was typed before and what is wrong with it."""
    draft = _draft(token)
    if draft is None:
        return _gone()
    return _step(token, _known(step), draft, 200, _mistake(draft, step, request.args.get("wrong", "")))


@blueprint.post("/report/<token>/<step>")
@public
@unlogged
def answer(token: str, step: str) -> Response:
    """Keep the answer and lead on, or back to the question: no page that "back" leads to is an answer to a form."""
    if step == "exit":
        operations.drop_draft(services(), token)
        return _go("/")
    draft = _draft(token)
    if draft is None:
        return _gone()
    typed = _typed(draft, _known(step))
    try:
        if step == "check":
            return _send(token, draft)
        with_photo, wrong = _photographed(typed) if step == "what" else (typed, "")
        if not wrong:
            wrong = "text" if _mistake(with_photo, step, "text") else ""
        operations.keep_draft(services(), token, _tidied(with_photo))
    except Conflict:
        return _gone()
    except (InputError, ConfigError) as error:
        return _go(f"/report/{token}/{FIELDS.get(error.where, 'who')}", "&wrong=text")
    except DatabaseAway:
        return _step(token, step, typed, 503, InputError("nothing was saved", where="main"))
    if wrong:
        return _go(f"/report/{token}/{step}", f"&wrong={wrong}")
    return _go(f"/report/{token}/{STEPS[STEPS.index(step) + 1]}")


@blueprint.get("/report/follow")
@public
@unlogged
def ask_token() -> Response:
    """A field for the token."""
    return _ask_token()


@blueprint.post("/report/follow")
@public
@unlogged
def follow() -> Response:
    """State, clock and answers; something more from the reporter."""
    _admit()
    token, text = request.form.get("token", "")[:200], request.form.get("message", "")
    try:
        error: TraceError | None = None
        if "message" in request.form:
            try:
                operations.add_message(services(), token, text)
                text = ""
            except (InputError, Conflict) as mistake:
                error = mistake
        found = operations.follow(services(), token)
    except NotFound as nothing:
        return _ask_token(404, nothing, token)
    now = services().clock()
    complaint = found.complaint
    return _page(
        "report_follow",
        "/report/follow",
        400 if error else 200,
        error,
        found=found,
        complaint=complaint,
        clock=rules.clock_of(complaint.kind, complaint.state, rules.law_day(now)),
        law_day=rules.law_day,
        last_day=rules.last_day,
        token=token,
        message=text,
        now=now,
        is_sent="message" in request.form and error is None,
    )


def _step(token: str, step: str, draft: Draft, status: int = 200, error: TraceError | None = None) -> Response:
    return _page(
        f"report_{step}",
        f"/report/{token}/{step}",
        status,
        error,
        token=token,
        draft=draft,
        kind=draft.kind.value if draft.kind else "report",
        number=STEPS.index(step) + 2,
        back="/report" if step == "what" else f"/report/{token}/{STEPS[STEPS.index(step) - 1]}",
        regions=rules.regions(),
        can_name=can_seal(services().settings),
    )


def _send(token: str, draft: Draft) -> Response:
    _admit()
    _, named = _code(draft.code)
    follow_token = operations.send(services(), token, draft, named)
    kind = draft.kind or Kind.REPORT
    clock = rules.clock_of(kind, State.RECEIVED, rules.law_day(services().clock()))
    return _page("report_sent", "/report", 200, None, token=follow_token, clock=clock)


def _ask_token(status: int = 200, error: TraceError | None = None, typed: str = "") -> Response:
    if error is not None:
        error = NotFound(error.what, where="token")
    return _page("report_token", "/report/follow", status, error, typed=typed)


def _typed(draft: Draft, step: str) -> Draft:
    """The draft with what this form says, as it stands."""
    form = request.form
    if step == "what":
        return replace(draft, what=form.get("what", "")[: 2 * rules.MAX_WHAT])
    if step == "where":
        return replace(draft, region=form.get("region", "")[:6], place=form.get("place", "")[: 2 * rules.MAX_PLACE])
    if step == "who":
        is_named = form.get("is_named", "") == "yes" or draft.kind is Kind.COMPLAINT
        return replace(draft, is_named=is_named, name=form.get("name", "")[:200], contact=form.get("contact", "")[:200])
    return draft


def _photographed(draft: Draft) -> tuple[Draft, str]:
    """The draft with the photo of this form, and what is wrong with that: "photo", "large" or ""."""
    kept = replace(draft, photo=b"") if "drop_photo" in request.form else draft
    file = request.files.get("photo")
    data = file.stream.read(rules.MAX_PHOTO_BYTES + 1) if file else b""
    if not data:
        return kept, ""
    try:
        return replace(kept, photo=photos.clean(data)), ""
    except TooLarge:
        return kept, "large"
    except InputError:
        return kept, "photo"


def _tidied(draft: Draft) -> Draft:
    """Whoever chose to be nobody leaves no name behind."""
    return draft if draft.is_named else replace(draft, name="", contact="")


def _mistake(draft: Draft, step: str, wrong: str) -> TraceError | None:
    """What the draft lacks after this step; None when nothing is wrong (any more)."""
    if wrong == "large":
        return TooLarge("the photo is too large", where="photo")
    if wrong == "photo":
        return InputError("this file is no photo", where="photo")
    if not wrong:
        return None
    try:
        if step == "what":
            rules.require_what(draft.what)
        elif step == "where":
            rules.require_region(draft.region)
            if draft.place.strip():
                rules.require_text(draft.place, "place", rules.MAX_PLACE)
        elif step == "who":
            _require_name(draft)
    except (InputError, ConfigError) as error:
        return error
    return None


def _require_name(draft: Draft) -> None:
    """Raises `InputError`, `ConfigError`."""
    if draft.kind is Kind.COMPLAINT or draft.is_named:
        if not can_seal(services().settings):
            field = "main" if draft.kind is Kind.COMPLAINT else "is_named"
            raise ConfigError("personal data cannot be sealed without its key", where=field)
        rules.require_text(draft.name, "name", rules.MAX_NAME)
        rules.require_text(draft.contact, "contact", rules.MAX_CONTACT)


def _page(
    name: str,
    path: str,
    status: int,
    error: TraceError | None,
    **values: Any,  # noqa: ANN401 – template values
) -> Response:
    language = language_of_request()
    renderer = the_portal().renderer
    sentence = renderer.translate(SENTENCES[error.what], language) if error and error.what in SENTENCES else ""
    tables = {
        name: {key: renderer.translate(text, language) for key, text in table.items()}
        for name, table in (
            ("kinds", KINDS), ("states", STATES), ("events", EVENTS), ("reward_states", REWARD_STATES),
        )
    }  # fmt: skip
    page = renderer.page(
        name,
        language,
        switch=switch_to(path, language),
        lang_query=_language_query(language),
        error_field=error.where if error else "",
        error_sentence=sentence or (error.what if error else ""),
        **tables,
        **values,
    )
    return html(page, language, status)


def _draft(token: str) -> Draft | None:
    return operations.read_draft(services(), token) if rules.is_draft_token(token) else None


def _gone() -> Response:
    """The form was sent, given up, or forgotten; nobody but its writer could open it."""
    return _page("report_gone", "/report", 404, None)


def _known(step: str) -> str:
    if step not in STEPS:
        raise NotFound("there is no such page", where="step")
    return step


def _code(text: str) -> tuple[str, Named | None]:
    """What the label says, "" when it cannot be read: a torn label keeps nobody from reporting."""
    try:
        code, _ = codes.from_typed(text[:300], "")
    except (InputError, IdentifierError):
        return "", None
    return code.readable, Named(code.gtin, code.lot, code.readable)


def _admit() -> None:
    """Raises `TooManyRequests`."""
    if not the_portal().forms.admits_address(request.remote_addr or "", time.monotonic()):
        raise TooManyRequests("too many forms from this address", retry_after_s=RETRY_S)


def _go(path: str, more: str = "") -> Response:
    language = language_of_request()
    response = html("", language, 303)
    response.headers["Location"] = path + _language_query(language) + more
    return response


def _language_query(language: str) -> str:
    """Always said: a form would otherwise answer in the language of the browser, not of the page."""
    return f"?lang={language}"
