"""A setting is taken as meant or refused by name; the page lists all of them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from trace_core.errors import ConfigError
from trace_server.config import SETTINGS, Settings, load_settings

PAGE = Path(__file__).parents[3] / "docs" / "settings-server.md"


def test_the_table_and_the_values_are_the_same_settings() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(Settings)}
    assert fields == {setting.name: setting.default for setting in SETTINGS}


def test_every_setting_is_on_the_page_with_its_default_and_meaning() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.+)\|$", PAGE.read_text(), re.MULTILINE))
    assert set(rows) == {setting.name for setting in SETTINGS}
    for setting in SETTINGS:
        assert setting.help in rows[setting.name]
        default = {"True": "yes", "False": "no", "": "empty"}.get(str(setting.default), str(setting.default))
        assert default in rows[setting.name]


def test_a_rotation_of_the_code_keys_leaves_derived_keys_alone() -> None:
    older, newer = "o" * 32, "n" * 32
    settings = [Settings(code_secret=text) for text in (older, f"1:{older}", f"B:{newer},1:{older}")]
    assert len({one.derived_key(b"purpose") for one in settings}) == 1
    assert settings[0].derived_key(b"purpose") != settings[0].derived_key(b"another")
    assert Settings(code_secret=newer).derived_key(b"purpose") != settings[0].derived_key(b"purpose")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "suyuan.toml"
    file.write_text('port = 9000\nhost = "192.0.2.1"\nstatement_timeout_s = 5\n')
    settings = load_settings({"SUYUAN_PORT": "9001", "SUYUAN_CONFIG": str(file), "PATH": "/bin"})
    assert (settings.port, settings.host, settings.statement_timeout_s) == (9001, "192.0.2.1", 5.0)


def test_a_secret_may_come_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("0123456789abcdef0123456789abcdef\n")
    settings = load_settings({"SUYUAN_CODE_SECRET_FILE": str(file)})
    assert settings.code_secret == "0123456789abcdef0123456789abcdef"
    assert settings.code_secret not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUYUAN_COLOUR", "red"),
        ("SUYUAN_PORT", "many"),
        ("SUYUAN_PORT", "65536"),
        ("SUYUAN_STATEMENT_TIMEOUT_S", "soon"),
        ("SUYUAN_ALLOW_UNSAFE_DATABASE", "perhaps"),
        ("SUYUAN_PUBLIC_URL", "trace.example"),
        ("SUYUAN_PUBLIC_URL", "https://trace.example/"),
        ("SUYUAN_CODE_SECRET", "short"),
        ("SUYUAN_CODE_SECRET_FILE", "/no/such/file"),
        ("SUYUAN_TLS_CERT", "only.pem"),
        ("SUYUAN_LOG_LEVEL", "loud"),
        ("SUYUAN_THREADS", "0"),
        ("SUYUAN_CONFIG", "/no/such/file"),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError):
        load_settings({name: value})


@pytest.mark.parametrize("text", ["colour = 1", 'port = "9000"', "port = true", "port =", "threads = 2.5"])
def test_a_file_with_unknown_names_or_wrong_types_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "suyuan.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        load_settings({}, file)


def test_the_server_answers_to_its_public_name_and_to_itself() -> None:
    settings = Settings(public_url="https://trace.example:8443", trusted_hosts="a.example, b.example")
    assert {"trace.example", "a.example", "b.example", "localhost", "127.0.0.1"} <= set(settings.all_trusted_hosts)
