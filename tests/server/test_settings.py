"""A server's settings from `[serve]` of a file, and what is typed over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from animator.config import Config, config_from_toml
from animator.errors import SettingError
from animator.server.config import ServeConfig
from animator.server.settings import ServeTable, gathered, serve_config, table_from_toml
from animator.webrtc.config import IceServer

ALL = """
[show]
rig = "human"
[serve]
host = "127.0.0.1"
port = 9000
rig = "other"
max_sessions = 5
workers = 2
token = "sesame"
ice_servers = ["stun:a.example", "turn:b.example,user,pass,word", "turn:c.example:3478"]
turn_secret = "north"
cert = "cert.pem"
key = "key.pem"
self_signed = false
allow_hosts = ["puppets.example.org"]
trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]
offers_per_minute = 60
silent_s = 20
avatar_mb = 8
"""


def write(folder: Path, text: str) -> Path:
    (folder / "cert.pem").write_text("a certificate")
    (folder / "key.pem").write_text("a key")
    (folder / "settings.toml").write_text(text, "utf-8")
    return folder / "settings.toml"


def test_every_key_of_a_file_acts(tmp_path: Path) -> None:
    table = table_from_toml(write(tmp_path, ALL))
    assert set(table.said()) == set(ServeTable.__dataclass_fields__)
    config = serve_config(table, Config())
    assert (config.host, config.port, config.max_sessions, config.workers) == ("127.0.0.1", 9000, 5, 2)
    assert (config.token, config.offers_per_minute, config.silent_s, config.avatar_mb) == ("sesame", 60, 20, 8)
    assert config.ice_servers == (IceServer("stun:a.example"), IceServer("turn:b.example", "user", "pass,word"))
    assert (config.turn.urls, config.turn.secret) == (("turn:c.example:3478",), "north")
    assert (config.cert, config.key, config.self_signed) == (tmp_path / "cert.pem", tmp_path / "key.pem", False)
    assert config.allow_hosts == ("puppets.example.org",)
    assert config.trusted_proxies == ("127.0.0.1", "10.0.0.0/8")
    assert table.rig == "other"
    for secret in ("sesame", "north", "pass,word"):
        assert secret not in repr(table) + repr(config)


def test_nothing_said_is_every_default() -> None:
    assert serve_config(gathered({"port": None}), Config()) == ServeConfig()


def test_what_is_typed_wins(tmp_path: Path) -> None:
    file = write(tmp_path, ALL)
    config = serve_config(gathered({"port": 7, "token": None, "allow_hosts": ("b.example",)}, file), Config())
    assert (config.port, config.token, config.allow_hosts) == (7, "sesame", ("b.example",))


def test_one_way_to_a_certificate_shuts_out_the_other(tmp_path: Path) -> None:
    file = write(tmp_path, ALL)
    typed = serve_config(gathered({"self_signed": True}, file), Config())
    assert (typed.self_signed, typed.cert) == (True, None)
    file = write(tmp_path, "[serve]\nself_signed = true\n")
    pair = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    assert not serve_config(gathered(pair, file), Config()).self_signed


def test_other_commands_pass_the_table_over(tmp_path: Path) -> None:
    assert config_from_toml(write(tmp_path, ALL)).show.rig == "human"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 70000", "port: wanted 0 to 65535, got 70000"),
        ("port = '8443'", "port: wanted a whole number, got '8443'"),
        ("port = true", "port: wanted a whole number"),
        ("max_sessions = 0", "max_sessions: wanted 1 to 1000, got 0"),
        ("workers = 1.5", "workers: wanted a whole number"),
        ("prot = 1", "has no `prot`; known are .*port"),
        ("token = 5", "token: wanted a text, got int"),
        ("token = 'two words'", "token: wanted letters"),
        ("ice_servers = 'turn:a,u,secret'", r"ice_servers: wanted \[a text, \.\.\.\], got str"),
        ("ice_servers = ['stun:a', 5]", "ice_servers: wanted"),
        ("ice_servers = ['http://a']", "ice_servers: an ICE server must be"),
        ("ice_servers = ['turn:a']", "ice_servers: .*a TURN server needs a user"),
        ("turn_secret = 'north'", "turn_secret: there is no TURN server"),
        ("cert = 'cert.pem'", "cert and key: wanted both"),
        ("cert = 'none.pem'\nkey = 'key.pem'", "cert and key: there is no file .*none.pem"),
        ("cert = 'cert.pem'\nkey = 'key.pem'\nself_signed = true", "self_signed: wanted either"),
        ("self_signed = 'yes'", "self_signed: wanted true or false"),
        ("allow_hosts = ['https://a']", "allow_hosts: wanted a machine's name"),
        ("trusted_proxies = ['10.0.0.1/8']", "trusted_proxies: wanted an address"),
        ("silent_s = 0", "silent_s: wanted more than 0"),
    ],
)
def test_a_mistake_names_file_table_and_key(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, f"[serve]\n{text}\n")
    with pytest.raises(SettingError, match=rf"settings\.toml: \[serve\] {said}") as told:
        table_from_toml(file)
    assert "\n" not in str(told.value)
    assert "secret" not in str(told.value).replace("turn_secret", "")
