"""HTTP to the server over one kept-alive connection. Whatever goes wrong on the way is `Retryable`."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from gateway_agent.config import ServerConfig
from trace_core.errors import Retryable

MAX_REPLY_BYTES = 8_388_608
"""A packed block list of 150,000 assets; a captive portal may send anything."""
REPLY_LIMIT_S = 60.0
"""A reply that drips in byte by byte must end too; `timeout_s` bounds only each single read."""
MAX_RETRY_AFTER_S = 3600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `Retryable`: whoever answers otherwise is not our server."""
        try:
            fields = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Retryable(f"the answer {self.status} is not JSON", where="server") from error
        if not isinstance(fields, dict):
            raise Retryable(f"the answer {self.status} is no JSON object", where="server")
        return fields

    def reason(self) -> str:
        """What a problem+json body says, or nothing."""
        try:
            fields = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(fields, dict):
            return ""
        return str(fields.get("detail") or fields.get("title") or "")[:300]

    def retry_after_s(self, now_epoch_s: float) -> float | None:
        """`Retry-After` in seconds (RFC 9110 §10.2.3: a number or a date), bounded; None when absent or senseless."""
        text = self.headers.get("retry-after", "")
        if text.isdecimal():
            return min(float(text), MAX_RETRY_AFTER_S)
        try:
            wait_s = parsedate_to_datetime(text).timestamp() - now_epoch_s
        except (ValueError, TypeError):
            return None
        return min(max(0.0, wait_s), MAX_RETRY_AFTER_S)


class ServerLink:
    """One connection, used by one thread."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        parts = urlsplit(config.url)
        self._https = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port
        self._prefix = parts.path
        self._connection: http.client.HTTPConnection | None = None

    @property
    def url(self) -> str:
        return self._config.url

    @property
    def timeout_s(self) -> float:
        return self._config.timeout_s

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str], after_send: Callable[[], None] | None = None
    ) -> Reply:
        """Raises `Retryable`. `after_send` is called between the request and its answer."""
        return self._request("POST", path, body, headers, after_send)

    def get(self, path: str, headers: Mapping[str, str]) -> Reply:
        """Raises `Retryable`."""
        return self._request("GET", path, b"", headers, None)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _request(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], after_send: Callable[[], None] | None
    ) -> Reply:
        try:
            connection = self._connect()
            connection.request(method, self._prefix + path, body=body or None, headers=dict(headers))
            if after_send is not None:
                after_send()
            return self._read(connection.getresponse())
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise Retryable(
                f"the server's certificate is not valid: {error.verify_message}",
                where=self.url,
                remedy="check the clock and [server] ca_file",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Retryable(f"no answer: {error!r}", where=self.url) from error

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            timeout_s = self._config.timeout_s
            if self._https:
                self._connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=timeout_s, context=self._config.tls_context()
                )
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        return self._connection

    def _read(self, response: http.client.HTTPResponse) -> Reply:
        limit = time.monotonic() + REPLY_LIMIT_S
        parts, size = [], 0
        while part := response.read1(65_536):
            parts.append(part)
            size += len(part)
            if size > MAX_REPLY_BYTES or time.monotonic() > limit:
                raise http.client.HTTPException("the answer does not end")
        if response.length:  # the peer closed before the promised length
            raise http.client.IncompleteRead(b"".join(parts), response.length)
        response.close()  # read1 does not end it by itself, and the connection would refuse the next request
        if response.will_close or response.status == 413:  # then our body may still stand unread on the line
            self.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, b"".join(parts))
