"""Errors as `application/problem+json` (RFC 9457), in the caller's language, for everything under `/api`.

Pages are the portal's: it hands in a renderer with `render_pages_with`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast, runtime_checkable

from apiflask import APIFlask, HTTPError
from flask import Flask, Response, current_app, g, json, request
from pydantic import ValidationError

from trace_core.errors import (
    ConfigError,
    Conflict,
    EventError,
    FrameError,
    IdentifierError,
    InputError,
    NotAllowed,
    NotFound,
    Refused,
    Retryable,
    TooLarge,
    TraceError,
)

MEDIA_TYPE = "application/problem+json"
LANGUAGES = ("zh-CN", "en")
RETRY_AFTER_S = 5
"""What we ask of clients when the database is away."""
MAX_FIELD_ERRORS = 50
"""A document with a million mistakes gets the first fifty."""
_RENDERER = "suyuan_page_renderer"

log = logging.getLogger(__name__)


class NotAuthenticated(NotAllowed):
    """We do not know who calls."""

    code = "not-authenticated"


class TooManyRequests(TraceError):
    """The caller is over a limit; `retry_after_s` says when to come back."""

    code = "too-many-requests"

    def __init__(self, what: str, *, retry_after_s: int, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.retry_after_s = retry_after_s

    def problem_headers(self) -> Mapping[str, str]:
        """Retry-After."""
        return {"Retry-After": str(self.retry_after_s)}


@runtime_checkable
class HasProblemMembers(Protocol):
    """An error that adds members of its own to the problem document."""

    def problem_members(self) -> Mapping[str, object]: ...


@runtime_checkable
class HasProblemHeaders(Protocol):
    """An error that adds headers to the answer."""

    def problem_headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the problem page: `status`, the title in both languages, and what the caller does about it."""

    code: str
    status: int
    zh: str
    en: str
    remedy: str = ""

    def title(self, language: str) -> str:
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong member; `pointer` is a JSON pointer (RFC 6901) or a parameter's name."""

    pointer: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one request; rendered as JSON under /api, by the portal elsewhere."""

    kind: Kind
    detail: str
    errors: tuple[FieldError, ...] = ()
    members: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


PageRenderer = Callable[[Problem], Response]

KINDS: tuple[Kind, ...] = (
    Kind("bad-input", 400, "请求内容有误", "The request cannot be taken as it stands",
         "Mend the members that `errors` points at, then send it again."),
    Kind("bad-event", 400, "事件不符合 EPCIS 规则", "The event breaks EPCIS or a rule of this server",
         "Mend the event; the good ones of the same document were taken, the bad one is in quarantine."),
    Kind("bad-identifier", 400, "标识代码有误", "The code is malformed or fails its check",
         "Compare it with the label or the certificate: length, characters, check digit."),
    Kind("bad-frame", 400, "报文有误", "The message is malformed",
         "Compare the bytes with the page of the interface; the signature covers them as they stand."),
    Kind("not-authenticated", 401, "需要身份验证", "Authentication is needed",
         "Send `Authorization: Bearer …` with a token in force, or sign as the gateway does."),
    Kind("not-allowed", 403, "没有权限", "The caller may not do this",
         "Ask for a role with the permission that the reference names; a second person where two are needed."),
    Kind("not-found", 404, "没有找到", "There is no such thing",
         "Check the address and the identifier; what belongs to another company looks the same."),
    Kind("method-not-allowed", 405, "不支持这种请求方法", "The method is not supported here",
         "Use a method that the `Allow` header lists."),
    Kind("not-acceptable", 406, "没有可以接受的内容格式", "There is no representation that the caller accepts",
         "Send an `Accept` header with a media type of this route."),
    Kind("conflict", 409, "与现有数据冲突", "The request contradicts what is stored",
         "Read the present state again, then decide whether the change still makes sense."),
    Kind("too-large", 413, "内容超过上限", "The content is over a limit",
         "Send it in parts; `detail` names the limit."),
    Kind("address-too-long", 414, "请求地址过长", "The address is too long",
         "Shorten the conditions, or keep the query under a name."),
    Kind("unsupported-media-type", 415, "不支持这种内容类型", "The content type is not supported",
         "Send the content type that this route takes."),
    Kind("bad-decision", 422, "处罚决定有需要改正的字段", "Fields of the decision need correction",
         "Correct the fields that `errors` lists; the rules are those of the public form of the decision."),
    Kind("too-many-requests", 429, "请求过于频繁", "Too many requests",
         "Wait as long as `Retry-After` says."),
    Kind("internal", 500, "服务器内部错误", "The server made a mistake",
         "Try again later; name `instance` when you write to the operator. Nothing of the request was kept."),
    Kind("unavailable", 503, "暂时无法提供服务", "The service is away for the moment",
         "Try again after `Retry-After`; nothing of the request was kept. Batches and events may be repeated safely."),
)  # fmt: skip
_BY_CODE = {kind.code: kind for kind in KINDS}
_BY_STATUS = {kind.status: kind for kind in reversed(KINDS)}
_BY_CLASS: dict[type[TraceError], str] = {
    InputError: "bad-input",
    TooLarge: "too-large",
    EventError: "bad-event",
    IdentifierError: "bad-identifier",
    FrameError: "bad-frame",
    NotAuthenticated: "not-authenticated",
    NotAllowed: "not-allowed",
    Refused: "not-allowed",
    NotFound: "not-found",
    Conflict: "conflict",
    TooManyRequests: "too-many-requests",
    Retryable: "unavailable",
    ConfigError: "internal",
    TraceError: "internal",
}
_DETAILS: dict[int, tuple[str, str]] = {
    400: ("服务器无法读懂这个请求。", "The server could not read the request."),
    404: ("这个地址下没有内容。", "There is nothing at this address."),
    405: (
        "这个地址不支持该方法，可用的方法见 Allow。",
        "That method is not for this address; see Allow.",
    ),
    413: ("请求体太大，请分批提交。", "The body is too large; send it in parts."),
    414: ("请缩短查询条件，或先保存为命名查询。", "Shorten the query, or keep it under a name."),
    415: ("请用该接口文档中的内容类型提交。", "Send the content type that the interface document names."),
    500: (
        "错误已记录，请稍后再试；联系我们时请提供请求编号。",
        "The error is on record. Try again later; name the request id when you write to us.",
    ),
}
_FIELD_MESSAGES: dict[str, tuple[str, str]] = {
    "missing": ("缺少必填项", "is required"),
    "extra_forbidden": ("未知的字段", "is not known here"),
    "string_type": ("必须是字符串", "must be a string"),
    "string_too_short": ("长度不足，至少 {min_length} 个字符", "must have at least {min_length} characters"),
    "string_too_long": ("超过长度上限 {max_length} 个字符", "must have at most {max_length} characters"),
    "string_pattern_mismatch": ("格式不正确，应符合 {pattern}", "must match {pattern}"),
    "int_type": ("必须是整数", "must be a whole number"),
    "int_parsing": ("必须是整数", "must be a whole number"),
    "bool_type": ("必须是 true 或 false", "must be true or false"),
    "list_type": ("必须是列表", "must be a list"),
    "model_type": ("必须是 JSON 对象", "must be a JSON object"),
    "literal_error": ("应为 {expected} 之一", "must be one of {expected}"),
    "enum": ("应为 {expected} 之一", "must be one of {expected}"),
    "greater_than_equal": ("不得小于 {ge}", "must be at least {ge}"),
    "less_than_equal": ("不得大于 {le}", "must be at most {le}"),
    "datetime_from_date_parsing": ("必须是带时区的 RFC 3339 时间", "must be an RFC 3339 time with its offset"),
    "timezone_aware": ("时间必须带时区", "must carry its offset from UTC"),
    "date_from_datetime_parsing": ("必须是日期，如 2026-11-24", "must be a date such as 2026-11-24"),
}


def language() -> str:
    """The language of this request's answer; Chinese unless the caller prefers English."""
    return request.accept_languages.best_match(("zh-CN", "zh", "en"), default="zh-CN").replace("zh-CN", "zh")


def describe(error: TraceError) -> Problem:
    """The problem that `error` is to an HTTP caller."""
    kind = next(_BY_CODE[_BY_CLASS[base]] for base in type(error).__mro__ if base in _BY_CLASS)
    detail = f"{error.what}; {error.remedy}" if error.remedy else error.what
    where = (FieldError(error.where, error.code, error.what),) if error.where and kind.status < 500 else ()
    headers: dict[str, str] = {}
    if kind.status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if kind.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="suyuan"'
    if kind.status == 500:  # the operator's business, not the caller's
        detail = _localised(_DETAILS[500])
    if isinstance(error, HasProblemHeaders):
        headers |= error.problem_headers()
    members = dict(error.problem_members()) if isinstance(error, HasProblemMembers) else {}
    return Problem(kind, detail, where, members, headers)


def problem_response(problem: Problem) -> Response:
    """`problem` as JSON."""
    body: dict[str, object] = {
        "type": f"{current_app.config['PROBLEM_BASE']}/{problem.kind.code}",
        "title": problem.kind.title(language()),
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": str(g.get("request_id", "")),
        "code": problem.kind.code,
    }
    if problem.errors:
        body["errors"] = [{"pointer": e.pointer, "code": e.code, "message": e.message} for e in problem.errors]
    response = Response(json.dumps({**problem.members, **body}), status=problem.kind.status, mimetype=MEDIA_TYPE)
    response.headers.update(problem.headers)
    response.headers["Content-Language"] = "en" if language() == "en" else "zh-CN"
    response.headers["Cache-Control"] = "no-store"
    return response


def render_pages_with(app: Flask, renderer: PageRenderer) -> None:
    """Let `renderer` answer problems outside `/api`; without one they are plain text."""
    app.extensions[_RENDERER] = renderer


def register_problems(app: APIFlask) -> None:
    """Answer every error of `app` with a problem document or page."""
    app.register_error_handler(TraceError, _on_trace_error)
    app.error_processor(_on_http_error)


def _on_trace_error(error: TraceError) -> Response:
    problem = describe(error)
    if problem.kind.status >= 500:
        log.error("request failed: %s", error, exc_info=error)
    return _answer(problem)


def _on_http_error(error: HTTPError) -> Response:
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return _answer(_invalid(cause, error.detail))
    status = error.status_code
    kind = _BY_STATUS.get(status) or Kind(f"http-{status}", status, error.message or "", error.message or "", "")
    detail = _localised(_DETAILS[status]) if status in _DETAILS else kind.title(language())
    return _answer(Problem(kind, detail, headers=_kept(error.headers)))


def _invalid(cause: ValidationError, location: Mapping[str, object]) -> Problem:
    in_body = "json" in location
    found = cause.errors(include_url=False, include_input=False)[:MAX_FIELD_ERRORS]
    errors = tuple(
        FieldError(_pointer(error["loc"], in_body=in_body), str(error["type"]), _message(cast("dict[str, Any]", error)))
        for error in found
    )
    return Problem(
        _BY_CODE["bad-input"],
        _localised((f"有 {cause.error_count()} 处需要改正。", f"{cause.error_count()} members need correction.")),
        errors,
    )


def _message(error: Mapping[str, Any]) -> str:
    known = _FIELD_MESSAGES.get(error["type"])
    if known is None:
        return str(error["msg"])
    return _localised(known).format_map(error.get("ctx", {}))


def _pointer(location: tuple[int | str, ...], *, in_body: bool) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    return "".join(f"/{part}" for part in parts) if in_body else ".".join(parts)


def _localised(words: tuple[str, str]) -> str:
    return words[1] if language() == "en" else words[0]


def _kept(headers: object) -> dict[str, str]:
    """Of werkzeug's headers, those that tell the caller what to do."""
    pairs = dict(cast("Mapping[str, str]", headers))
    return {name: value for name, value in pairs.items() if name in ("Allow", "Retry-After", "WWW-Authenticate")}


def _answer(problem: Problem) -> Response:
    if request.path.startswith("/api/") or _RENDERER not in current_app.extensions:
        return problem_response(problem)
    renderer: PageRenderer = current_app.extensions[_RENDERER]
    return renderer(problem)
