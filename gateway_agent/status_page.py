"""The operator's screen as a web page on this box: loopback only, no script, refreshed by the browser itself.

`/` in Chinese, `/en` in English, `/status.json` for programs. Names other than loopback's in `Host` are refused, so
that no web page elsewhere can read it through the operator's browser.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gateway_agent import clock
from gateway_agent.status_screen import Screen, make_screen
from gateway_agent.status_words import LANGUAGES, say

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
READ_LIMIT_S = 5.0
RETRY_S = 10.0
"""Another program has the port: tried again this often."""
PATHS = {"/": "zh", "/en": "en"}

STYLE = """
*{box-sizing:border-box}
body{margin:0;font:18px/1.4 system-ui,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;
background:#fff;color:#111}
header{padding:2vh 4vw;text-align:center;min-height:52vh;display:flex;flex-direction:column;justify-content:center}
h1{margin:0;font-size:min(22vw,36vh);line-height:1.05;font-weight:800;white-space:nowrap}
.mid h1{font-size:min(19vw,34vh)}
.long h1{font-size:min(15vw,30vh)}
h1 span{margin-inline-end:.12em}
header p{margin:0;font-size:clamp(24px,5vw,64px);font-weight:600}
header .do{font-weight:400}
header .when{font-size:20px;font-weight:400}
.allow{background:#0a5c2b;color:#fff}
.warn{background:#ffd400;color:#000}
.refuse{background:#a80014;color:#fff}
.wait{background:#e6e6e6;color:#222}
main{padding:1em 4vw}
h2{font-size:22px;margin:1em 0 .4em}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(15em,1fr));gap:.5em 1.5em;margin:0}
dl div{border-block-end:1px solid #bbb;padding:.3em 0}
dt{font-size:15px;color:#444}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.bad dd{border-inline-start:6px solid #a80014;padding-inline-start:.5em}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:start;padding:.3em .8em .3em 0;border-block-end:1px solid #ddd;vertical-align:top}
td{overflow-wrap:anywhere}
caption{text-align:start;font-size:22px;font-weight:700;padding:.6em 0 .3em}
td b{white-space:nowrap;display:inline-block;padding:0 .5em;border-radius:.2em}
footer{padding:1em 4vw}
a{color:inherit;display:inline-block;padding:.7em .2em}
@media (max-width:640px){.far{display:none}
h1 span{display:block;margin:0;line-height:.9}
h1{font-size:min(42vw,24vh)}.mid h1{font-size:min(24vw,20vh)}.long h1{font-size:min(19vw,18vh)}
dl{grid-template-columns:repeat(auto-fill,minmax(8.5em,1fr))}
table{font-size:15px}th,td{padding:.35em .5em .35em 0}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{_STYLE_HASH}'"
)


def page(screen: Screen, language: str) -> str:
    """The HTML document."""
    other = LANGUAGES[1 - LANGUAGES.index(language)]
    link = next(path for path, name in PATHS.items() if name == other)
    kind = screen.verdict or "wait"
    size = " long" if len(screen.word) > 5 else " mid" if len(screen.word) > 2 else ""
    facts = "".join(
        f"<div{' class=bad' if is_bad else ''}><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>"
        for label, value, is_bad in screen.facts
    )
    heads = "".join(
        f'<th scope="col"{_far(name)}>{escape(say(name, language))}</th>'
        for name in ("time", "answer", "reason", "code", "place")
    )
    rows = "".join(
        f'<tr><td>{escape(line.time)}</td><td><b class="{escape(line.verdict)}">{escape(line.answer)}</b></td>'
        f"<td>{escape(line.reason)}</td><td>{escape(line.code)}</td>"
        f"<td{_far('place')}>{escape(line.place)}</td></tr>"
        for line in screen.reads
    )
    title = escape(f"{screen.word} · {say('title', language)}")
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="refresh" content="1"><title>{title}</title><style>{STYLE}</style></head>
<body><header class="{kind}{size}"><h1><span aria-hidden="true">{escape(screen.icon)}</span>{escape(screen.word)}</h1>
<p>{escape(screen.why)}</p><p class="do">{escape(screen.do)}</p><p class="when">{escape(screen.when)}</p></header>
<main><h2>{escape(say("state", language))}</h2><dl>{facts}</dl>
<div class="scroll"><table><caption>{escape(say("reads", language))}</caption>
<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></main>
<footer><a href="{link}" lang="{"zh-CN" if other == "zh" else "en"}">{escape(say("other", language))}</a></footer>
</body></html>
"""


class StatusPage:
    """`run` is the thread."""

    def __init__(self, port: int, read: Callable[[], Mapping[str, Any]]) -> None:
        """`read` gives the document of `status.read_status`; it is called for each request."""
        self._port = port
        self._read = read

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop`. A port that another program has is tried again: the gate works without a page."""
        while not stop.is_set():
            try:
                server = ThreadingHTTPServer((ADDRESS, self._port), partial(_Handler, self._read))
            except OSError as error:
                log.error("no status page on port %d: %s", self._port, error)  # noqa: TRY400 - said in one line
                stop.wait(RETRY_S)
                continue
            with server:
                server.daemon_threads = True
                serving = threading.Thread(target=server.serve_forever, name="status page", daemon=True)
                serving.start()
                stop.wait()
                server.shutdown()
                serving.join()


class _Handler(BaseHTTPRequestHandler):
    timeout = READ_LIMIT_S
    server_version = "suyuan"
    sys_version = ""

    def __init__(self, read: Callable[[], Mapping[str, Any]], *arguments: Any) -> None:  # noqa: ANN401
        self._read = read
        super().__init__(*arguments)

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in HOSTS:
            self._reply(421, "text/plain", "open http://127.0.0.1 on the box itself\n")
        elif self.path == "/status.json":
            self._reply(200, "application/json", json.dumps(self._read(), ensure_ascii=False, default=str))
        elif self.path in PATHS:
            language = PATHS[self.path]
            self._reply(200, "text/html", page(make_screen(self._read(), clock.now().wall, language), language))
        else:
            self._reply(404, "text/plain", "/, /en or /status.json\n")

    def _reply(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: ANN401
        """One request a second for each screen: not worth a line."""


def _far(name: str) -> str:
    """Columns that a phone leaves out."""
    return ' class="far"' if name == "place" else ""
