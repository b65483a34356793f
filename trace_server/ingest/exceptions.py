"""Problems of the EPCIS resources carry the standard's names of errors as `type`.

Source: EPCIS 2.0 REST bindings, responses of openapi-2.0.0.json; its `IUnsupportedMediaTypeException` is a misprint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from flask import Response, request
from werkzeug.exceptions import RequestURITooLarge

from trace_server.problems import MEDIA_TYPE

EXCEPTION: Final = "exception"
"""Problem member with the standard's name of an error; `name_error` makes it the problem's `type`."""
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


def name_error(response: Response) -> None:
    """Give a problem document the standard's name of the error; other answers stay as they are."""
    if response.mimetype != MEDIA_TYPE:
        return
    body = response.get_json()
    name = body.pop(EXCEPTION, None) or _NAMES.get(response.status_code)
    if name is not None:
        body["type"] = f"epcisException:{name}"
    response.set_data(json.dumps(body, ensure_ascii=False))


def require_short_address() -> None:
    """Raises `RequestURITooLarge` (414); a query that long belongs under a name."""
    if len(request.path) + len(request.query_string) > MAX_ADDRESS:
        raise RequestURITooLarge
