"""Every setting of the gateway in one table: name, default, unit, bounds, help. The docs page is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from trace_core.fleet import REMOTE


class Need(Enum):
    """What stands in for a default."""

    REQUIRED = "required"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the file. `low`/`high` bound numbers; `default` also fixes the type."""

    name: str
    default: object
    unit: str
    help: str
    low: float | None = None
    high: float | None = None


SETTINGS: tuple[Setting, ...] = (
    Setting("server.url", Need.REQUIRED, "", "https://HOST or mqtts://BROKER; http and mqtt on loopback only"),
    Setting("server.enrol_url", "", "", "https://HOST for `enrol` when `url` names a broker"),
    Setting("server.ca_file", "", "", "CA certificate (PEM) of the server or broker; empty: the system's"),
    Setting("server.cert_file", "", "", "Certificate (PEM) of this gateway, its name is the gateway's id"),
    Setting("server.key_file", "", "", "Private key (PEM) of cert_file; empty: it is in cert_file"),
    Setting("server.password_env", "", "", "Variable that holds the broker's password; the user is the gateway's id"),
    Setting("server.timeout_s", 10.0, "s", "How long one read or write on the connection may take", 0.1, 300),
    Setting("server.first_connect_spread_s", 30.0, "s", "First connection after start waits a random part of", 0, 3600),
    Setting("server.slow_retry_s", 30.0, "s", "Pause after the server refused the gateway (401, 403)", 0.1, 3600),
    Setting("gateway.state_dir", Need.REQUIRED, "", "Folder of outbox, key, identity and block list"),
    Setting("gateway.outbox_max_mb", 1024.0, "MB", "Quota of the outbox file", 1, 1_000_000),
    Setting(
        "gateway.queue_size", 2000, "reads", "Reads between readers and writer; full: the readers wait", 1, 100_000
    ),
    Setting("gateway.group_size", 100, "reads", "Reads in one commit at most", 1, 10_000),
    Setting("gateway.group_ms", 3.0, "ms", "How long a commit waits for company", 0, 200),
    Setting("gateway.utc_offset", "+08:00", "", "Offset in which event times are written"),
    Setting("gateway.status_port", 0, "", "Port of the status page on 127.0.0.1; 0: no page", 0, 65_535),
    Setting("gateway.settings_trial_s", 60.0, "s", "Settings from the server must prove themselves within", 1, 3600),
    Setting("reader.name", Need.REQUIRED, "", "Name of the reader; its read points refer to it"),
    Setting("reader.protocol", Need.REQUIRED, "", "One of `gateway-agent protocols`"),
    Setting(
        "reader.url",
        Need.REQUIRED,
        "",
        "serial:///dev/ttyUSB0?baud=115200 · serial:?usb=1a86:7523 · tcp://host:port · mqtt://host/topic",
    ),
    Setting("reader.options", Need.ABSENT, "", "Options of the protocol"),
    Setting("read_point.reader", Need.REQUIRED, "", "Name of the reader"),
    Setting(
        "read_point.antenna",
        Need.ABSENT,
        "",
        "Antenna number; absent: every antenna without its own read point",
        0,
        65_535,
    ),
    Setting("read_point.id", Need.REQUIRED, "", "urn:epc:id:sgln:… or Digital Link"),
    Setting("read_point.biz_location", "", "", "Place the goods are at afterwards, same forms"),
    Setting("read_point.biz_step", "", "", "CBV business step, e.g. receiving"),
    Setting("read_point.presence_window_s", 10.0, "s", "A tag unseen for longer is a new presence", 0.1, 86_400),
    Setting("read_point.min_reads", 1, "reads", "Reads that make a presence (stray reads)", 1, 1000),
    Setting("read_point.rssi_min_dbm", Need.ABSENT, "dBm", "Weaker reads are ignored", -150, 50),
    Setting("read_point.checkpoint", "", "", "Kind of checkpoint, gives defaults: docs/how-to/connect-a-reader.md"),
    Setting("read_point.antennas", Need.ABSENT, "", "Several antennas of one place, e.g. [1, 2]", 0, 65_535),
    Setting("read_point.report", "arrive", "", "arrive, depart or both: which ends of a presence are events"),
    Setting("read_point.direction", Need.ABSENT, "", "Names of ways between two of `antennas`: {in = [1, 2]}"),
    Setting("read_point.role", "gate", "", "gate, pre_check, filling or act: what a read here means"),
    Setting("read_point.medium", "", "", "What is filled here, as the block list spells it, e.g. lpg"),
    Setting(
        "read_point.fill_limit_kg", Need.ABSENT, "kg", "Heavier fillings here are refused as overfilled", 0.1, 10_000
    ),
    Setting("read_point.act_of", "", "", "role act: id of the read point that was asked before"),
    Setting("answer.without_list", "warn", "", "allow or warn while the box has no block list"),
    Setting("answer.list_key", "", "", "Base64 of the key that signs the list; empty: pinned when the box enrolled"),
    Setting("answer.list_stale_h", 72.0, "h", "With an older list nothing is allowed without a warning", 0.01, 720),
    Setting("answer.owner", "", "", "USCC of this filling station; cylinders of others are foreign"),
    Setting("answer.pre_check_valid_s", 3600.0, "s", "A pre-check is good for one filling within", 1, 86_400),
    Setting("answer.outputs", Need.ABSENT, "", 'Where answers are shown: [{type = "file", path = …}]'),
    Setting("outputs.type", Need.REQUIRED, "", "Kind of output: file, command, mqtt or reader_gpo"),
    Setting("outputs.path", "", "", "file: gets one JSON line an answer"),
    Setting("outputs.command", Need.ABSENT, "", 'command: program and arguments, e.g. ["/opt/lamp", "{answer}"]'),
    Setting("outputs.time_limit_s", 2.0, "s", "command: killed after", 0.1, 60),
    Setting("outputs.url", "", "", "mqtt: mqtt://HOST[:PORT]/TOPIC, mqtts with ca_file"),
    Setting("outputs.ca_file", "", "", "mqtt: CA certificate (PEM) of the broker"),
    Setting("outputs.password_env", "", "", "mqtt: variable that holds the broker's password"),
    Setting("outputs.reader", "", "", "reader_gpo: the reader whose output line is the interlock"),
    Setting("outputs.gpo", 0, "", "reader_gpo: number of the line, as `protocols --json` lists them", 0, 65_535),
    Setting("outputs.high_on", Need.ABSENT, "", 'reader_gpo: answers that raise the line; absent: ["allow"]'),
    Setting("outputs.pulse_s", 2.0, "s", "reader_gpo: then it falls again; 0: with the next answer", 0, 3600),
    Setting("outputs.answers", Need.ABSENT, "", 'Only these answers, e.g. ["refuse", "warn"]; absent: all'),
    Setting("outputs.read_points", Need.ABSENT, "", "Only answers at read points with these ids; absent: all"),
)

SECTIONS: dict[str, dict[str, Setting]] = {}
for _setting in SETTINGS:
    _section, _, _key = _setting.name.partition(".")
    SECTIONS.setdefault(_section, {})[_key] = _setting


def settings_page() -> str:
    """`docs/settings-gateway.md`; a test compares it."""
    lines = [
        "# Settings of the gateway",
        "",
        "One TOML file, named by `--config`. Relative paths are relative to its folder. Unknown keys are errors.",
        "`[server]`, `[gateway]` and `[answer]` appear once; `[[reader]]` and `[[read_point]]` once for each.",
        "`gateway-agent check-config --config FILE` says what is wrong and where.",
        "Example: `deploy/gateway.example.toml`.",
        "",
        "Settings marked ✓ can be set from the server: docs/how-to/manage-a-fleet.md.",
        "",
        "| Setting | Default | Unit | Meaning | From – to | Remote |",
        "|---|---|---|---|---|---|",
    ]
    for setting in SETTINGS:
        default = setting.default.value if isinstance(setting.default, Need) else f"`{setting.default!r}`"
        section, _, key = setting.name.partition(".")
        remote = "✓" if key in REMOTE.get(section, ()) else ""
        bounds = "" if setting.low is None else f"{setting.low:g} – {setting.high:g}"
        lines.append(f"| `{setting.name}` | {default} | {setting.unit} | {setting.help} | {bounds} | {remote} |")
    return "\n".join(lines) + "\n"
