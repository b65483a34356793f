"""From the register on the server to a refusal at the gate without the server: the list is fetched, signed, kept."""

from __future__ import annotations

import json
import time
from pathlib import Path

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from tests.gateway.make import epc
from tests.gateway.process import GatewayProcess, ended, until
from tests.running import running_server
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag
from trace_server.db.migrate import upgrade

SCALE = "urn:epc:id:sgln:6901234.00001.0"
STATION = "91350100M000100Y43"


def cylinder(number: int, due: str, medium: str = "lpg", owner: str = STATION) -> dict[str, str]:
    facts = {"uri": f"urn:epc:id:sgtin:0614141.812345.{number}", "medium": medium, "owner": owner}
    return facts | {"inspection_due": due, "source": "register", "as_of": "2026-01-01"}


def test_a_station_refuses_by_the_list_it_fetched_when_the_server_is_gone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'suyuan.sqlite'}"
    upgrade(url)
    port, magicrf = PtyEndpoint(link=tmp_path / "tty"), protocols()["magicrf"]
    (tmp_path / "cylinders.json").write_text(
        json.dumps(
            {
                "assets": [
                    cylinder(1, "2999-12-31"),
                    cylinder(2, "2020-12-31"),
                    cylinder(3, "2999-12-31", medium="acetylene"),
                    cylinder(4, "2999-12-31", owner="91320903MAYX00041Q"),
                ]
            }
        )
    )
    reader = (
        f'[[reader]]\nname = "scale"\nprotocol = "magicrf"\nurl = "serial://{port.path}"\n'
        f'[[read_point]]\nreader = "scale"\nid = "{SCALE}"\ncheckpoint = "filling_station"\nmedium = "lpg"\n'
        "presence_window_s = 1\n"
    )
    with SimulatedReader(magicrf, magicrf.device({}), port, seed=5) as device, running_server(url, tmp_path) as server:
        gateway = GatewayProcess(tmp_path, server.url, reader)
        gateway.config.write_text(gateway.config.read_text().replace("[answer]", f'[answer]\nowner = "{STATION}"'))
        words = ["gateway", "add", "--id", "gate-1", "--site", "Station", "--read-point", SCALE, "--auto-approve"]
        gateway.enrol(server.command(*words)["code"])
        server.run("blocklist", "import-assets", str(tmp_path / "cylinders.json"))
        assert server.command("blocklist", "publish")["version"] == 1
        pinned = (gateway.state / "list_key").read_text().strip()
        assert pinned == server.command("blocklist", "key")["public_key"]
        with ended(gateway):
            gateway.start_and_wait()
            until(lambda: gateway.status()["block_list"]["version"] == 1, "the list is here", limit_s=30)
            gateway.terminate()
    # The server is gone for good; the gateway starts anew from what it has.
    port = PtyEndpoint(link=tmp_path / "tty")
    with SimulatedReader(magicrf, magicrf.device({}), port, seed=5) as device, ended(gateway):
        gateway.start_and_wait()
        for number in (1, 2, 3, 4, 5):
            device.place(FieldTag(epc(number), rssi_dbm=-40.0))
        until(lambda: len(gateway.answers()) >= 5, "all answered")
        said = {line["uri"].rpartition(".")[2]: f"{line['answer']} {line['reason']}" for line in gateway.answers()}
        assert said == {
            "1": "refuse no-pre-check",
            "2": "refuse overdue",
            "3": "refuse wrong-medium",
            "4": "refuse foreign",
            "5": "refuse unknown-cylinder",
        }
        assert all(line["list_age_s"] < 120 for line in gateway.answers())
        words = ["--config", str(gateway.config), "--epc", epc(1).hex(), "--pass"]
        assert gateway.command("check", *words).returncode == 0
        until(lambda: [a["answer"] for a in gateway.answers()].count("allow") >= 1, "now it may be filled")
        time.sleep(0.1)
        assert gateway.status()["unsent"] >= 7
