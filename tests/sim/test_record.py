"""Records: the same seed gives the same file, a replay the same bytes in the same order, and damage is found."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
import tty
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim import cli
from firmware_sim.line import FOREVER_S, Incident, IncidentKind, Line
from firmware_sim.record import Cable, Direction, Entry, Head, RecordError, RecordWriter, read, stream
from firmware_sim.rehearsal import rehearse
from firmware_sim.replay import Replay
from firmware_sim.scenario import load, parse, shipped
from trace_core.errors import ConfigError

HEAD = Head("two cables", 1, "2026-01-01T00:00:00Z", (Cable("a", "magicrf", 115_200), Cable("b", "chafon", 57_600)))
WORLDS = sorted(set(shipped()) - {"market_gate"})
entries = st.lists(
    st.builds(
        Entry,
        st.integers(0, 20_000),
        st.integers(0, 1),
        st.sampled_from([Direction.TO_HOST, Direction.TO_READER]),
        st.binary(min_size=1, max_size=300),
    ),
    max_size=40,
).map(lambda chunks: sorted(chunks, key=lambda e: e.at_us))


def write(path: Path, chunks: list[Entry]) -> Path:
    with RecordWriter(path, HEAD) as writer:
        for chunk in chunks:
            writer.put(chunk)
    return path


@settings(max_examples=50, deadline=None)
@given(chunks=entries)
def test_a_record_reads_back_as_it_was_written(chunks: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> None:
    head, found = read(write(tmp_path_factory.mktemp("record") / "run", chunks))
    assert head == HEAD
    assert list(found) == chunks


@settings(max_examples=15, deadline=None)
@given(chunks=entries)
def test_a_replay_gives_the_same_bytes_of_each_cable_in_the_same_order(
    chunks: list[Entry], tmp_path_factory: pytest.TempPathFactory
) -> None:
    _, found = read(write(tmp_path_factory.mktemp("replay") / "run", chunks))
    heard = [bytearray(), bytearray()]
    done = threading.Event()
    with Replay(HEAD, speed=0) as replay:
        ports = [os.open(where, os.O_RDWR | os.O_NOCTTY) for _, _, where in replay.places()]
        for port in ports:
            tty.setraw(port)

        def listen() -> None:
            while True:
                ready, _, _ = select.select(ports, [], [], 0.05)
                for port in ready:
                    heard[ports.index(port)] += os.read(port, 4_096)
                if done.is_set() and not ready:
                    return

        listener = threading.Thread(target=listen)
        listener.start()
        result = replay.run(found)
        done.set()
        listener.join()
        for port in ports:
            os.close(port)
    assert [bytes(h) for h in heard] == [stream(chunks, cable, Direction.TO_HOST) for cable in (0, 1)]
    assert (result.delivered, result.undelivered) == (sum(map(len, heard)), 0)


def test_a_replay_over_tcp_waits_for_its_hosts_and_gives_each_the_bytes_of_its_cable() -> None:
    chunks = [Entry(n, n % 2, Direction.TO_HOST, bytes((n % 251,)) * (1 + n % 3_000)) for n in range(300)]
    heard: list[bytes] = []
    with Replay(HEAD, speed=0, endpoint="tcp://127.0.0.1:0") as replay:
        addresses = [where.removeprefix("tcp://").split(":") for _, _, where in replay.places()]
        assert not replay.wait_for_hosts(0.1)
        hosts = [socket.create_connection((host, int(port)), timeout=10) for host, port in addresses]
        assert replay.wait_for_hosts(10.0)
        taken = [threading.Thread(target=lambda host=host: heard.append(_all(host))) for host in hosts]
        for thread in taken:
            thread.start()
        result = replay.run(chunks)
    for thread in taken:
        thread.join(10)
    assert sorted(heard) == sorted(stream(chunks, cable, Direction.TO_HOST) for cable in (0, 1))
    assert (result.delivered, result.undelivered) == (sum(map(len, heard)), 0)


def _all(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("name", WORLDS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name: str) -> None:
    def played(seed: int) -> list[Entry]:
        scenario = load(shipped()[name], seed=seed)
        chunks: list[Entry] = []
        rehearse(replace(scenario, duration_s=scenario.last_s() / 5), chunks.append)
        return chunks

    first = played(5)
    assert first == played(5)
    assert first != played(6)


def test_the_same_scenario_recorded_twice_is_the_same_file(tmp_path: Path) -> None:
    for out in ("one", "two"):
        assert cli.main(["record", "cold_chain", "--out", str(tmp_path / out)]) == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("name", WORLDS)
def test_every_thing_of_a_shipped_world_is_read_where_it_passes_and_nothing_else(name: str) -> None:

    scenario = load(shipped()[name])
    placed = set()
    for plan in scenario.readers:
        for passage in plan.passages:
            code = passage.tag.code[3:] if plan.protocol.name == "scanner" else ""
            placed.add((plan.id, code or passage.tag.epc.hex().upper()))
    assert set(rehearse(scenario, lambda _: None).reads) == placed


@settings(max_examples=50, deadline=None)
@given(at=st.integers(0, 10_000), flip=st.integers(0, 7))
def test_a_changed_record_is_refused(at: int, flip: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = write(tmp_path_factory.mktemp("changed") / "run", [Entry(5, 0, Direction.TO_HOST, b"abc")])
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << flip
    path.write_bytes(bytes(data))
    with pytest.raises(RecordError):
        list(read(path)[1])


@settings(max_examples=50, deadline=None)
@given(left=st.integers(0, 10_000))
def test_a_record_that_was_cut_short_is_refused(left: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = write(tmp_path_factory.mktemp("short") / "run", [Entry(5, 0, Direction.TO_HOST, b"abc")])
    data = path.read_bytes()
    path.write_bytes(data[: left % len(data)])
    with pytest.raises(RecordError):
        list(read(path)[1])


def test_a_run_is_recorded_and_its_record_replayed_from_the_command_line(tmp_path: Path) -> None:
    run, command = tmp_path / "run", [sys.executable, "-m", "firmware_sim"]
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('[reader]\nprotocol = "scanner"\nendpoint = "pty"\n[[tag]]\nepc = "3034B75F"\n')
    assert cli.main(["run", str(scenario), "--duration", "1.5", "--record", str(run)]) == 0
    _, chunks = read(run)
    assert b"3034B75F" in stream(chunks, 0, Direction.TO_HOST)
    played = subprocess.run(
        [*command, "replay", str(run), "--speed", "100", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(played.stdout.splitlines()[-1])["undelivered"] == 0


def test_an_unknown_cable_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["replay", str(write(tmp_path / "run", [])), "--cable", "c"]) == 1
    assert "one of a, b" in capsys.readouterr().err


# What happens to a cable


def line_with(*incidents: dict[str, object], protocol: str = "magicrf", **more: object) -> Line:
    reader = {"protocol": protocol, "incident": list(incidents), **more}
    return Line(parse({"reader": reader}).readers[0], 1)


def test_a_reader_that_is_pulled_says_nothing_until_it_is_plugged_in_again() -> None:
    line = line_with({"kind": "unplug", "at_s": 5, "for_s": 5})
    ask = bytes.fromhex("BB 00 03 00 01 00 04 7E")
    answers = []
    for at_s in (0.0, 6.0, 11.0):
        line.advance(at_s, 100.0 + at_s)
        answers.append(bool(line.hear(ask, 100.0 + at_s)))
    assert answers == [True, False, True]


def test_a_reboot_loses_what_is_volatile() -> None:
    line = line_with({"kind": "reboot", "at_s": 5, "for_s": 1})
    ask = bytes.fromhex("BB 00 B7 00 00 B7 7E")
    delivered = line.hear(ask, 100.0)
    line.hear(bytes.fromhex("BB 00 B6 00 02 07 D0 8F 7E"), 101.0)
    assert line.hear(ask, 102.0) != delivered
    assert line.advance(7.0, 107.0) == ["reboot", "power"]
    assert line.hear(ask, 108.0) == delivered


def test_a_reader_at_another_speed_is_noise_to_the_host_and_the_host_to_it() -> None:
    line = line_with({"kind": "baud", "at_s": 1, "baud": 9_600})
    ask = bytes.fromhex("BB 00 03 00 01 00 04 7E")
    assert line.hear(ask, 100.0, 115_200)
    line.advance(2.0, 102.0)
    assert line.baud == 9_600
    assert not line.hear(ask, 102.0, 115_200)
    assert line.hear(ask, 103.0, 9_600)


def test_a_clock_is_wrong_by_its_skew_and_runs_away_with_its_drift() -> None:
    line = line_with({"kind": "skew", "at_s": 50, "by_s": -10}, protocol="mqtt_json", skew_s=420, drift_ppm=1_000)
    assert line.clock(1_000.0) == 1_420.0
    assert line.clock(2_000.0) == pytest.approx(2_421.0)
    line.advance(60.0, 2_000.0)
    assert line.clock(2_000.0) == pytest.approx(2_411.0)


def test_an_incident_without_an_end_lasts_for_ever() -> None:
    assert Incident(IncidentKind.UNPLUG, 1.0).until_s == FOREVER_S


WORLD = {
    "site": [{"id": "s"}],
    "route": [{"id": "r", "stop": [{"site": "s"}]}],
    "person": [{"id": "p", "until_s": 10}],
    "goods": [{"id": "g", "kind": "uid", "route": "r", "count": 2}],
    "reader": [{"id": "x", "protocol": "feig_obid", "site": "s"}],
}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"site": [{"id": "s"}, {"id": "s"}]}, "site"),
        ({"site": [{"id": "a b"}]}, "site[0].id"),
        ({"route": [{"id": "r"}]}, "route[0].stop"),
        ({"route": [{"id": "r", "stop": [{"site": "t"}]}]}, "route[0].stop[0].site"),
        ({"person": [{"id": "p", "from_s": 5, "until_s": 4}]}, "person[0].until_s"),
        ({"person": [{"id": "p", "pace": 0}]}, "person[0].pace"),
        ({"goods": [{"id": "g", "kind": "gold", "route": "r"}]}, "goods[0].kind"),
        ({"goods": [{"id": "g", "kind": "sgtin", "gtin": "1", "route": "r"}]}, "goods[0].gtin"),
        ({"goods": [{"id": "g", "kind": "giai", "prefix": "1", "route": "r"}]}, "goods[0].prefix"),
        ({"goods": [{"id": "g", "kind": "uid", "route": "q"}]}, "goods[0].route"),
        ({"goods": [{"id": "g", "kind": "uid", "route": "r", "person": "p", "first_s": 11}]}, "goods[0].person"),
        ({"goods": [{"id": "g", "kind": "uid", "route": "r", "count": 10**6}]}, "goods[0].count"),
        ({"reader": [{"id": "x", "protocol": "feig_obid"}]}, "route[0].stop[0].site"),
        ({"reader": [{"id": "x", "protocol": "feig_obid", "site": "t"}]}, "reader[0].site"),
        ({"reader": [{"protocol": "magicrf", "options": {"round_ms": 0}}]}, "reader[0].options.round_ms"),
        ({"reader": [{"protocol": "magicrf", "count": 2, "endpoint": "pty:/a"}]}, "reader[0].endpoint"),
        ({"reader": [{"protocol": "mqtt_json", "faults": {"garble": 0.1}}]}, "reader[0].faults"),
        ({"reader": [{"protocol": "llrp", "incident": [{"kind": "baud"}]}]}, "reader[0].incident[0].kind"),
        ({"reader": [{"protocol": "magicrf", "incident": [{"kind": "fire"}]}]}, "reader[0].incident[0].kind"),
        ({"speed": 0}, "speed"),
        ({"tag": [{"epc": "3034", "reader": "y"}]}, "tag[0].reader"),
    ],
)
def test_a_mistake_in_a_world_is_named_with_its_place(change: dict[str, object], where: str) -> None:
    parse(WORLD)
    with pytest.raises(ConfigError) as caught:
        parse(WORLD | change)
    assert caught.value.where == where


@pytest.mark.parametrize("arguments", [["protocols"], ["scenario", "list"], ["scenario", "check", "cold_chain"]])
def test_every_listing_has_json(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "command", [[], ["run"], ["record"], ["replay"], ["scenario"], ["scenario", "check"], ["protocols"], ["check"]]
)
def test_help_begins_with_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([*command, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: {' '.join(['firmware-sim', *command])} ")
