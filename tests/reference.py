"""`make reference`: the pages under docs/reference that follow from the programs themselves.

api.md from the OpenAPI document and the permission of each route, commands.md from the four command lines,
problems.md from the table of problem types, settings and detectors from their own tables. A test compares them.
"""

from __future__ import annotations

import argparse
import itertools
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import click
from apiflask import APIFlask

from firmware_sim import cli as simulator
from gateway_agent import cli as gateway
from gateway_agent.settings import settings_page
from suyuan import cli as demo
from trace_server.accounts.access import ACCESS
from trace_server.app import create_app
from trace_server.cli import cli as server
from trace_server.config import SETTINGS, Settings
from trace_server.detect import page as detectors
from trace_server.detect.run import registry
from trace_server.problems import KINDS

DOCS = Path(__file__).parents[1] / "docs"
CHINESE = ".zh-CN.md"
KINDS_OF_PAGE = (
    ("Begin", "Ten minutes, and a look around.", ("tutorial.md", "tour.md")),
    ("How to", "One task each.", ("how-to/*.md",)),
    ("Reference", "To look things up.", ("reference/*.md", "settings-*.md", "dependencies.md", "wire/*.md")),
    ("Explanation", "Why it is so.", ("explanation/*.md", "design.md", "scaling.md", "adr/*.md")),
)
METHODS = ("get", "post", "put", "patch", "delete")
WRITTEN = "Written by `make reference`; a test compares it."


def pages() -> dict[str, str]:
    """Path under `docs/` → Markdown."""
    return {
        "reference/api.md": api(),
        "reference/commands.md": commands(),
        "reference/problems.md": problems(),
        "settings-server.md": server_settings(),
        "settings-gateway.md": settings_page(),
        **detectors.pages(registry().values()),
    }


def index() -> str:
    """`docs/README.md`: every page by its kind, with its Chinese companion; titles are the pages' own."""
    lines = ["# Documents", "", WRITTEN, ""]
    for title, told, wanted in KINDS_OF_PAGE:
        lines += [f"## {title}", "", told, ""]
        for pattern in wanted:
            lines += [_entry(file) for file in sorted(DOCS.glob(pattern)) if not file.name.endswith(CHINESE)]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def _entry(file: Path) -> str:
    title = file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    name = file.relative_to(DOCS).as_posix()
    chinese = file.with_name(file.stem + CHINESE)
    also = f" · [中文]({chinese.relative_to(DOCS).as_posix()})" if chinese.exists() else ""
    return f"- [{title}]({name}){also}"


def write(folder: Path = DOCS) -> None:
    """Write what changed."""
    for name, text in [*pages().items(), ("README.md", index())]:  # the index reads the others' titles
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def api() -> str:
    """Each route with who may call it and what it answers, by the first part of its path."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(database_url=f"sqlite:///{folder}/none.sqlite", code_secret="r" * 32))
        spec = cast("dict[str, Any]", app.spec)
    needed = _permissions(app)
    rows: dict[str, list[str]] = {}
    for path, operations in sorted(spec["paths"].items()):
        part = path.removeprefix("/api/v1").strip("/").partition("/")[0] or "root"
        for method in METHODS:
            if method in operations:
                rows.setdefault(part, []).append(_route(path, method, operations[method], needed))
    lines = [
        "# HTTP API", "", WRITTEN, "",
        "`GET /api/v1/openapi.json` is the whole contract: members, parameters, answers. A bearer token carries a role"
        " with permissions; `signed` is a gateway, by its signature; `public` needs nothing. Errors are"
        " [problem documents](problems.md).", "",
    ]  # fmt: skip
    for part, routes in sorted(rows.items()):
        lines += [f"## {part}", "", "| Route | What | Permission | Answers |", "|---|---|---|---|", *routes, ""]
    return "\n".join(lines).rstrip() + "\n"


def _permissions(app: APIFlask) -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        access = getattr(app.view_functions[rule.endpoint], ACCESS, "")
        for method in rule.methods or ():
            found[path, method.lower()] = access
    return found


def _route(path: str, method: str, operation: Mapping[str, Any], needed: Mapping[tuple[str, str], str]) -> str:
    answers = " ".join(sorted(operation["responses"]))
    cells = (f"`{method.upper()} {path}`", operation.get("summary", ""), needed[path, method], answers)
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def problems() -> str:
    """Each problem type under an anchor of its own name."""
    lines = [
        "# Problem types", "", WRITTEN, "",
        "Every 4xx and 5xx of the API is `application/problem+json` (RFC 9457). `type` is"
        " `<public_url>/problems/<code>`; that address answers with the same words as below, and the code is an anchor"
        " of this page. `code` is stable, `title` and `detail` are in the caller's language (`Accept-Language`),"
        " `instance` is the request id of the logs, `errors[]` names wrong members by JSON pointer.", "",
    ]  # fmt: skip
    for kind in KINDS:
        lines += [f"## {kind.code}", "", f"**{kind.status}** {kind.en} · {kind.zh}", "", kind.remedy, ""]
    return "\n".join(lines).rstrip() + "\n"


def server_settings() -> str:
    """Each setting of the server with its default, unit and meaning."""
    lines = [
        "# Settings of the server", "",
        "From a TOML file (`trace-server --config FILE` or `SUYUAN_CONFIG`), names as below, and from variables",
        "`SUYUAN_<NAME>`, which win. An unknown name is an error. A secret may also come from a file:",
        "`SUYUAN_<NAME>_FILE` names it.", "",
        "| Name | Default | Unit | Meaning |", "|---|---|---|---|",
    ]  # fmt: skip
    words = {"": "empty", "True": "`yes`", "False": "`no`"}
    for one in SETTINGS:
        default = words.get(str(one.default), f"`{one.default}`")
        secret = " (secret)" if one.secret else ""
        lines.append(f"| `{one.name}` | {default} | {one.unit} | {one.help}{secret} |")
    lines += [
        "",
        "The server refuses to start on a PostgreSQL that runs with `fsync`, `full_page_writes` or"
        " `synchronous_commit`",
        "off: it would acknowledge events that a power cut then loses. SQLite files are always opened with",
        "`journal_mode=WAL` and `synchronous=FULL`.",
    ]
    return "\n".join(lines) + "\n"


def commands() -> str:
    """The command lines of all programs."""
    lines = [
        "# Commands", "", WRITTEN, "",
        "Exit codes: 0 done, 1 refused or failed, 2 wrong use. Data on stdout, words on stderr. `--help` of each"
        " command says more.", "",
    ]  # fmt: skip
    for title, rows in (
        ("trace-server", _click(server, "trace-server")),
        ("gateway-agent", _argparse(gateway._parser(), "gateway-agent")),
        ("firmware-sim", _argparse(simulator._parser(), "firmware-sim")),
        ("suyuan", _argparse(demo._parser(), "suyuan")),
    ):
        lines += [f"## {title}", "", "| Command | What | Options |", "|---|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _click(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for word, one in sorted(command.commands.items()):
            yield from _click(one, f"{name} {word}")
        return
    wanted = [f"<{one.name}>" for one in command.params if isinstance(one, click.Argument)]
    options = [max(one.opts, key=len) for one in command.params if isinstance(one, click.Option)]
    first, _, rest = (command.help or "").strip().partition("\n\n")
    told = f"`{first}` {rest}" if first.startswith("trace-server ") else f"{first} {rest}"
    yield _row(" ".join([name, *wanted]), told, options)


def _argparse(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    branches = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    for branch in branches:
        for word, one in branch.choices.items():
            yield from _argparse(one, f"{name} {word}")
    if not branches:
        named = [one for one in parser._actions if one.option_strings and one.dest != "help"]
        wanted = [f"<{one.dest}>" for one in parser._actions if not one.option_strings]
        options = [max(one.option_strings, key=len) for one in named]
        yield _row(" ".join([name, *wanted]), parser.description or "", options)


def _row(command: str, told: str, options: list[str]) -> str:
    cells = (f"`{command}`", told, " ".join(f"`{option}`" for option in options))
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    """No line break and no bar ends a cell; in a code span GitHub takes `\\|` for a bar."""
    pieces = itertools.chain.from_iterable(line.split() for line in text.splitlines())
    return " ".join(pieces).replace("|", "\\|")


if __name__ == "__main__":
    write()
