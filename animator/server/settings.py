"""A server's settings, gathered from a file's `[serve]` and from what was typed, which wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..config import SERVE_TABLE, Config, tables_from_toml, with_table
from ..errors import SettingError
from ..webrtc.config import IceServer
from .config import ServeConfig
from .turn import SharedSecret


@dataclass(frozen=True, slots=True)
class ServeTable:
    """`[serve]` as TOML has it, and what was typed; None where nothing is said."""

    host: str | None = None
    port: int | None = None
    rig: str | None = None
    """Wins over that of `[show]`."""
    max_sessions: int | None = None
    workers: int | None = None
    token: str | None = field(default=None, repr=False)
    ice_servers: tuple[str, ...] | None = field(default=None, repr=False)
    """`URL[,USER,PASSWORD]` each."""
    turn_secret: str | None = field(default=None, repr=False)
    """For those TURN servers that are named without a login."""
    cert: str | None = None
    key: str | None = None
    self_signed: bool | None = None
    allow_hosts: tuple[str, ...] | None = None
    trusted_proxies: tuple[str, ...] | None = None
    offers_per_minute: int | None = None
    avatar_mb: int | None = None
    silent_s: float | None = None

    def said(self) -> dict[str, Any]:
        """Key and value of all that is said."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in named.items() if value is not None}


def table_from_toml(path: Path) -> ServeTable:
    """A file's `[serve]`; paths in it start from the file's own folder.

    raises : SettingError naming file, table and key"""
    where = f"{path}: [{SERVE_TABLE}]"
    table = with_table(ServeTable(), tables_from_toml(path).get(SERVE_TABLE, {}), where)
    said = table.said()
    said |= {name: str(path.parent / said[name]) for name in ("cert", "key") if name in said}
    try:
        serve_config(ServeTable(**said), Config())  # what is wrong here must be told as the file's
    except SettingError as error:
        raise SettingError(f"{where} {error}") from error
    return ServeTable(**said)


def gathered(typed: Mapping[str, Any], path: Path | None = None) -> ServeTable:
    """What was typed, over what the file says, if there is one."""
    typed = {name: value for name, value in typed.items() if value is not None}
    said = {} if path is None else table_from_toml(path).said()
    if "self_signed" in typed:  # one way to have a certificate shuts out the other
        said = {name: value for name, value in said.items() if name not in ("cert", "key")}
    if typed.keys() & {"cert", "key"}:
        said.pop("self_signed", None)
    return ServeTable(**said | typed)


def serve_config(table: ServeTable, show: Config) -> ServeConfig:
    """The settings of a server; raises SettingError that begins with the key."""
    said = table.said()
    said.pop("rig", None)
    texts, secret = said.pop("ice_servers", ()), said.pop("turn_secret", None)
    sharing = [text.strip() for text in texts if secret is not None and _is_bare_turn(text)]
    try:
        servers = tuple(IceServer.from_text(text) for text in texts if text.strip() not in sharing)
        turn = None if secret is None else SharedSecret(tuple(sharing), secret)
    except SettingError as error:
        raise error if str(error).startswith("turn_secret") else SettingError(f"ice_servers: {error}") from error
    for name in ("cert", "key"):
        if name in said:
            said[name] = Path(said[name])
    return ServeConfig(**said, ice_servers=servers, turn=turn, show=show)


def _is_bare_turn(text: str) -> bool:
    """Whether it names a TURN server and no login."""
    return text.strip().startswith(("turn:", "turns:")) and "," not in text
