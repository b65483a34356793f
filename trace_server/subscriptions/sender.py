"""One POST to one receiver: to the address that was checked, without proxies or redirects, within a fixed time."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
from collections.abc import Mapping
from typing import Any, Final, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from trace_server.subscriptions.addresses import Target, resolve
from trace_server.subscriptions.model import DeliveryFailed, TooMuchAtOnce

CONNECT_S: Final = 5.0
ANSWER_S: Final = 15.0
"""Longest silence of the receiver."""
WHOLE_S: Final = 30.0
"""Longest delivery: a receiver that answers byte by byte is not waited for."""
SIGNATURE: Final = "GS1-Signature"


def sign(token: str, body: bytes) -> str:
    """Value of GS1-Signature: HMAC-SHA256 of the body under the client's signatureToken, in hex."""
    return f"sha256={hmac.new(token.encode(), body, hashlib.sha256).hexdigest()}"


def post(target: Target, body: bytes, headers: Mapping[str, str]) -> None:
    """Send `body`. Raises `DeliveryFailed` unless the receiver says 2xx, `TooMuchAtOnce` when it says 413."""
    with Line(target) as line:
        line.post(body, headers)


class Line:
    """POSTs to one receiver, one after the other, over one connection where it allows that.

    The name is looked up once, when the line is opened: that raises `DeliveryFailed`.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        address = resolve(target)
        host = f"[{address}]" if ":" in address else address
        self._url = f"{target.scheme}://{host}:{target.port}{target.path}"
        self._sockets: list[socket.socket] = []
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount(f"{target.scheme}://", _Pinned(target, self._sockets))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def post(self, body: bytes, headers: Mapping[str, str], *, keep: int = 0) -> bytes:
        """Send `body`; the first `keep` bytes of what the receiver says. Raises as the function `post`."""
        timer = threading.Timer(WHOLE_S, _cut, args=(self._sockets,))
        timer.daemon = True
        timer.start()
        where = self._target.authority
        try:
            answer = self._session.post(
                self._url,
                data=body,
                headers={**headers, "Host": where},
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,
                stream=True,  # no more of what it says is read than is kept
            )
            said = answer.raw.read(keep) if keep else b""
        except (requests.RequestException, HTTPError, OSError) as error:
            # Not the error's own words: they hold the path.
            raise DeliveryFailed(f"no answer: {_cause(error)}", where=where) from error
        finally:
            timer.cancel()
        answer.close()
        if answer.status_code == requests.codes.request_entity_too_large:
            raise TooMuchAtOnce("the receiver asks for less at once (413)", where=where)
        if not 200 <= answer.status_code < 300:
            raise DeliveryFailed(f"the receiver says {answer.status_code}", where=where)
        return bytes(said)


class _Pinned(HTTPAdapter):
    """Connects to the address in the URL and checks the certificate for the name in `target`."""

    def __init__(self, target: Target, sockets: list[socket.socket]) -> None:
        self._target = target
        self._sockets = sockets
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 – requests' own signature
        """Pools whose connections show their sockets."""
        if self._target.scheme == "https":
            kwargs |= {"server_hostname": self._target.host, "assert_hostname": self._target.host}
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._sockets)


def _pools(sockets: list[socket.socket]) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.append(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                sockets.append(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _cut(sockets: list[socket.socket]) -> None:
    for one in sockets:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue  # closed already: the delivery has just ended


def _cause(error: BaseException) -> str:
    """What it was, in a word that holds nothing of the address."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not good"
    if isinstance(error, requests.Timeout):
        return "it took too long"
    if isinstance(error, requests.ConnectionError):
        return "the connection failed"
    return type(error).__name__
