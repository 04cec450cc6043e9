"""`animator serve`: its options are those of its settings and of its page of documentation."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from animator.cli.app import app
from animator.config import Config
from animator.server.config import ServeConfig
from animator.server.settings import ServeTable, serve_config, table_from_toml
from tests.conftest import ROOT

DOCS = ROOT / "docs/serving.md"
COMMAND = typer.main.get_command(app).commands["serve"]


def test_the_help_tells_the_true_defaults() -> None:
    defaults = ServeConfig()
    told = {p.name: p.show_default for p in COMMAND.params if isinstance(p.show_default, str)}
    assert told.keys() == {"host", "port", "max_sessions", "workers"}
    assert told == {name: str(getattr(defaults, name)) for name in told}


def test_every_option_is_a_key_of_the_file() -> None:
    others = {"faces", "smoothing", "tracker", "model", "config"}
    assert {p.name for p in COMMAND.params} - {"help"} - others == {f.name for f in fields(ServeTable)} - {
        "offers_per_minute",
        "silent_s",
        "avatar_mb",
    }


def test_the_documented_options_are_those_there_are() -> None:
    table = DOCS.read_text("utf-8").partition("## Options")[2].partition("\n\nUnder")[0]
    said = {name for row in re.findall(r"^\| (`-.*?) \|", table, re.MULTILINE) for name in re.findall("`(--.*?)`", row)}
    assert said == {name for p in COMMAND.params for name in p.opts if name.startswith("--")} - {"--help"}


def test_the_documented_settings_are_every_key_and_its_default(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(\[serve\].*?)^```", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    file = tmp_path / "settings.toml"
    file.write_text(text, "utf-8")
    assert serve_config(table_from_toml(file), Config()) == ServeConfig()
    assert set(re.findall(r"^(?:# )?(\w+) = ", text, re.MULTILINE)) == {f.name for f in fields(ServeTable)}
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    file.write_text(re.sub("^# ", "", text, flags=re.MULTILINE).replace("self_signed = false", ""), "utf-8")
    assert serve_config(table_from_toml(file), Config()).turn is not None  # the examples can be used too


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("--port", "70000"), "port: wanted 0 to 65535, got 70000"),
        (("--token", "two words"), "token: wanted letters"),
        (("--ice-server", "http://a"), "ice_servers: an ICE server must be"),
        (("--ice-server", "turn:a"), "a TURN server needs a user"),
        (("--turn-secret", "north"), "turn_secret: there is no TURN server"),
        (("--turn-secret", "north", "--ice-server", "turn:a b"), "ICE server must be"),
        (("--cert", "none.pem"), "cert and key: wanted both"),
        (("--cert", "none.pem", "--key", "none.pem", "--self-signed"), "self_signed: wanted either"),
        (("--allow-host", "https://a.example"), "allow_hosts: wanted a machine's name"),
        (("--trust-proxy", "proxy"), "trusted_proxies: wanted an address"),
        (("--rig", "nobody"), "unknown avatar"),
        (("--config", "bad.toml"), "bad.toml: [serve] port: wanted a whole number, got 'x'"),
        (("--config", "none.toml"), "cannot read the settings none.toml"),
        (("--faces", "9"), "faces: wanted 1 to 8"),
    ],
)
def test_a_mistake_is_one_line(animator, typed: tuple[str, ...], says: str) -> None:
    Path("bad.toml").write_text("[serve]\nport = 'x'\n")
    said = animator("serve", *typed)
    assert said.code == 2
    assert says in said.one_line
