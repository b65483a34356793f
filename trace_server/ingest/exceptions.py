"""Problems of the EPCIS resources carry the standard's names of errors as `type`.

Source: EPCIS 2.0 REST bindings, responses of openapi-2.0.0.json; its `IUnsupportedMediaTypeException` is a misprint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from werkzeug.exceptions import RequestURITooLarge

EXCEPTION: Final = "exception"
"""Problem member with the standard's name of an error; `named` makes it the problem's `type`."""
MAX_ADDRESS: Final = 8000
"""Bytes of path and query; below what the web server itself would cut off without a problem document."""
_NAMES: Final[Mapping[int, str]] = {
    400: "ValidationException",
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    406: "NotAcceptableException",
    409: "ResourceAlreadyExistsException",
    413: "CaptureLimitExceededException",
    414: "URITooLongException",
    415: "UnsupportedMediaTypeException",
    500: "ImplementationException",
    503: "ImplementationException",
}
"""Status → name of the error, where the error itself does not say. Statuses that the standard lacks keep our type."""


def named(status: int, problem: bytes) -> str:
    """A problem document with the standard's name of the error as its `type`."""
    body = json.loads(problem)
    name = body.pop(EXCEPTION, None) or _NAMES.get(status)
    if name is not None:
        body["type"] = f"epcisException:{name}"
    return json.dumps(body, ensure_ascii=False)


def require_short(path: str, query: bytes) -> None:
    """Raises `RequestURITooLarge` (414); a query that long belongs under a name."""
    if len(path) + len(query) > MAX_ADDRESS:
        raise RequestURITooLarge
