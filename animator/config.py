"""Every stage's settings, gathered, and read from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from .errors import SettingError
from .foreign import toml_of
from .solving.solver import SolverConfig
from .solving.tuning import TuningConfig
from .tracking.config import TrackingConfig

SERVE_TABLE = "serve"
"""The table of a server's own settings, which server/settings.py reads."""


@dataclass(frozen=True, slots=True)
class ShowConfig:
    """What is shown, and how large."""

    rig: str = "human"
    view: str = "avatar"
    size_px: tuple[int, int] | None = None
    """(width, height) of what is made; None: the source's own, twice as wide side by side."""
    fps: float | None = None
    """Frames a second of what is made; None: the source's own times."""
    background: str | None = None
    """`#rrggbb`, a colour's name, two of them as `top,bottom`, or a picture file."""
    mirror: bool = False
    """Show the picture and the avatar as a mirror would; takes are never mirrored."""

    def __post_init__(self) -> None:
        if self.size_px is not None and not all(16 <= side <= 8192 for side in self.size_px):
            raise SettingError(f"size: wanted WIDTHxHEIGHT from 16 to 8192, got {'x'.join(map(str, self.size_px))}")
        if self.fps is not None and not 1 <= self.fps <= 240:
            raise SettingError(f"fps: wanted 1 to 240, got {self.fps}")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one run."""

    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    solving: SolverConfig = field(default_factory=SolverConfig)
    show: ShowConfig = field(default_factory=ShowConfig)
    tuning: TuningConfig = field(default_factory=TuningConfig)


def config_from_toml(path: Path) -> Config:
    """Read `[tracking]`, `[solving]`, `[tuning]` and `[show]`; what is not named keeps its default.

    `[serve]`, a server's own, is passed over.
    raises : SettingError naming the table and the key that is wrong"""
    config = Config()
    own = {f.name for f in fields(Config)}
    for name, table in tables_from_toml(path).items():
        if name in own:
            config = replace(config, **{name: with_table(getattr(config, name), table, f"{path}: [{name}]")})
    return config


def tables_from_toml(path: Path) -> dict[str, dict[str, Any]]:
    """The tables of a settings file by their names, as TOML has them; raises SettingError for one that none has."""
    try:
        tables = toml_of(path)
    except (OSError, ValueError) as error:
        raise SettingError(f"cannot read the settings {path}: {error}") from error
    known = {f.name for f in fields(Config)} | {SERVE_TABLE}
    for name, table in tables.items():
        if name not in known or not isinstance(table, dict):
            raise SettingError(f"{path}: unknown table [{name}]; known are {', '.join(sorted(known))}")
    return tables


def with_table(settings: Any, table: dict[str, Any], where: str) -> Any:
    """A dataclass of settings with what a table of TOML says put in; raises SettingError that begins with `where`."""
    known = {f.name: f for f in fields(settings)}
    for key in table:
        if key not in known:
            raise SettingError(f"{where} has no `{key}`; known are {', '.join(sorted(known))}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    kinds = get_type_hints(type(settings))
    for key, value in values.items():
        if not _is_a(value, kinds[key]):
            got = repr(value) if known[key].repr else type(value).__name__  # a secret is not repeated
            raise SettingError(f"{where} {key}: wanted {_named(kinds[key])}, got {got}")
    try:
        return replace(settings, **values)
    except SettingError as error:
        raise SettingError(f"{where} {error}") from error


def _is_a(value: object, kind: Any) -> bool:
    """Whether a value from TOML is of an annotated type; a whole number will do for any number."""
    if get_origin(kind) in (UnionType, Union):
        return any(_is_a(value, member) for member in get_args(kind))
    if get_origin(kind) is tuple:
        members = get_args(kind)
        if members[1:] == (...,):
            return isinstance(value, tuple) and all(_is_a(member, members[0]) for member in value)
        return isinstance(value, tuple) and len(value) == len(members) and all(map(_is_a, value, members))
    if get_origin(kind) is Mapping:
        return isinstance(value, dict) and all(_is_a(member, get_args(kind)[1]) for member in value.values())
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _named(kind: Any) -> str:
    """The annotated type as a person would say it."""
    if get_origin(kind) in (UnionType, Union):
        return " or ".join(_named(member) for member in get_args(kind) if member is not type(None))
    if get_origin(kind) is tuple:
        members = get_args(kind)
        return f"[{_named(members[0])}, ...]" if members[1:] == (...,) else f"[{', '.join(map(_named, members))}]"
    if get_origin(kind) is Mapping:
        return f"a table of names, each with {_named(get_args(kind)[1])}"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]


def size_from_text(text: str) -> tuple[int, int]:
    """`1280x720` -> (1280, 720)."""
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise SettingError(f"size: wanted WIDTHxHEIGHT, such as 1280x720, got {text!r}")
    return int(width), int(height)
