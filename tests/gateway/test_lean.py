"""What a small box does not need it does not load, and what stands in for it says the same."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

import trace_core.readers
from gateway_agent.cli import known_protocols
from gateway_agent.clock import KERNEL_ASKED_S, KernelClock
from gateway_agent.identity import load_key, make_or_load_key
from trace_core.errors import ConfigError
from trace_core.readers import protocols
from trace_core.registry import OnDemand
from trace_core.release import VERSION

HEAVY = (
    "cryptography.hazmat.primitives.serialization",
    "importlib.metadata",
    "http.server",
    "paho",
    "subprocess",
    "trace_core.epcis.json_reader",
    "trace_core.readers.llrp",
)


def test_the_release_is_that_of_the_package() -> None:
    assert version("suyuan") == VERSION


def test_a_program_that_runs_a_serial_reader_loads_nothing_that_others_need() -> None:
    program = (
        "import sys; from gateway_agent import cli; cli.known_protocols()['magicrf'];"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_protocols_on_demand_are_those_that_all_are() -> None:
    assert dict(known_protocols()) == protocols()
    assert "_asking" not in known_protocols()
    assert known_protocols().get("no.such") is None


def test_a_thing_that_is_not_called_like_its_module_is_found_out() -> None:
    named = OnDemand(trace_core.readers, "TITLE", str)
    with pytest.raises(TypeError, match="must define TITLE"):
        named["magicrf"]


def test_the_library_reads_the_key_that_we_write_and_we_read_what_it_writes(tmp_path: Path) -> None:
    signer = make_or_load_key(tmp_path)
    key = load_pem_private_key((tmp_path / "key.pem").read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    assert key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) == signer.public_key
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert (tmp_path / "key.pem").read_bytes().splitlines()[::2] == pem.splitlines()[::2]
    for form in (pem, pem.replace(b"\n", b"\r\n"), b"\n" + pem):
        (tmp_path / "key.pem").write_bytes(form)
        assert load_key(tmp_path).key.private_bytes_raw() in pem_seed(pem)


def pem_seed(pem: bytes) -> bytes:
    key = load_pem_private_key(pem, password=None)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----\n",
        b"\xff\xfe",
        X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
)
def test_what_is_no_ed25519_key_is_named_as_such(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not a key"):
        load_key(tmp_path)


def test_the_kernel_is_asked_about_the_clock_once_in_a_while_not_once_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    time, asked = [0.0], list[float]()
    monkeypatch.setattr("gateway_agent.clock.time.monotonic", lambda: time[0])

    def ask() -> bool:
        asked.append(time[0])
        return len(asked) % 2 == 1

    kernel = KernelClock(ask)
    said = []
    for step in range(5):
        time[0] = step * KERNEL_ASKED_S / 2
        said.append(kernel())
    assert asked == [0.0, KERNEL_ASKED_S, 2 * KERNEL_ASKED_S]
    assert said == [True, True, False, False, True]
