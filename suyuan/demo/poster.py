"""Producers post EPCIS documents; a server that is away, killed or busy gets the same document again."""

from __future__ import annotations

import http.client
import json
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from trace_core.errors import Refused

log = logging.getLogger(__name__)

CAPTURE_PATH = "/api/v1/capture"
REQUEST_LIMIT_S = 20.0
PAUSE_S = 0.25
PATIENCE_S = 90.0
"""A demo whose server stays away for longer has failed."""


class Poster:
    """Posts documents until the server has answered that it holds them."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80

    def post(self, path: str, body: Mapping[str, Any], token: str) -> Mapping[str, Any]:
        """Returns the answer's JSON. Raises `Refused` when the server will not take it, or stays away."""
        data = json.dumps(body, ensure_ascii=False).encode()
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            try:
                status, answer = self._once(path, data, token)
            except (OSError, http.client.HTTPException) as error:
                log.info("the server is away: %s", error)
            else:
                if 200 <= status < 300:
                    found: Mapping[str, Any] = json.loads(answer or b"{}")
                    return found
                if status not in (429, 500, 502, 503, 504):
                    raise Refused(f"{path} was answered with {status}: {answer.decode(errors='replace')[:500]}")
            time.sleep(PAUSE_S)
        raise Refused(f"{path}: no answer within {PATIENCE_S:.0f} s")

    def _once(self, path: str, data: bytes, token: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=REQUEST_LIMIT_S)
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request("POST", path, body=data, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
