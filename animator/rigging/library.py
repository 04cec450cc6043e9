"""Avatars by name: the built-in ones in `rigs/`, or any folder with a `rig.toml`, or a .vrm, .glb or .gltf file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Array
from ..errors import RigError
from ..foreign import inside, toml_of
from ..resources import rigs_folder
from ..rig import ROLES, Rig
from .gltf import load_gltf
from .mapping import mapping_from_csv, with_table
from .placing import carrying_joints, joint_named

DESCRIPTION = "rig.toml"
_MODEL_SUFFIXES = (".vrm", ".glb", ".gltf")
TABLE = "mapping.csv"
"""Beside a model file: what drives its morphs, instead of what their names tell."""


def known_rigs() -> tuple[str, ...]:
    """Names of the built-in avatars, sorted."""
    return tuple(sorted(path.parent.name for path in rigs_folder().glob(f"*/{DESCRIPTION}")))


def load_rig(name_or_path: str | Path) -> Rig:
    """An avatar by its built-in name, by the folder of its `rig.toml`, or by its .vrm, .glb or .gltf file."""
    path = Path(name_or_path)
    if path.suffix.lower() in _MODEL_SUFFIXES:
        if not path.is_file():
            raise RigError(f"there is no file {path}")
        rig = load_gltf(path)
        table = table_beside(path)
        return rig if table is None else with_table(rig, table)
    for folder in (rigs_folder() / path, path):
        if (folder / DESCRIPTION).is_file():
            return _load_folder(folder)
    raise RigError(
        f"unknown avatar {str(name_or_path)!r}: expected one of {', '.join(known_rigs())}, "
        f"a folder with {DESCRIPTION}, or a .vrm, .glb or .gltf file"
    )


def model_file(name_or_path: str | Path) -> Path:
    """The model file of an avatar that `load_rig` would load."""
    path = Path(name_or_path)
    if path.suffix.lower() in _MODEL_SUFFIXES:
        if not path.is_file():
            raise RigError(f"there is no file {path}")
        return path
    for folder in (rigs_folder() / path, path):
        if (folder / DESCRIPTION).is_file():
            return _named_file(folder, "model", _read_description(folder).get("model"))
    raise RigError(f"unknown avatar {str(name_or_path)!r}: expected one of {', '.join(known_rigs())}")


def table_beside(path: Path) -> Path | None:
    """`NAME.mapping.csv` or `mapping.csv` beside a model file, or None."""
    for table in (path.with_suffix(f".{TABLE}"), path.with_name(TABLE)):
        if inside(table.parent, table.name) is not None:
            return table
    return None


def rig_description(name_or_path: str | Path) -> dict[str, Any]:
    """What `rig.toml` says of an avatar: title, maker, source, licence."""
    for folder in (rigs_folder() / Path(name_or_path), Path(name_or_path)):
        if (folder / DESCRIPTION).is_file():
            return _read_description(folder)
    raise RigError(f"unknown avatar {str(name_or_path)!r}: expected one of {', '.join(known_rigs())}")


def _load_folder(folder: Path) -> Rig:
    """A rig as its description completes its file."""
    said = _read_description(folder)
    rig = load_gltf(_named_file(folder, "model", said.get("model")))
    changes: dict[str, Any] = {"name": folder.name}
    if "mapping" in said:
        changes["mapping"] = mapping_from_csv(_named_file(folder, "mapping", said["mapping"]), rig.morph_names)
    if "joints" in said:
        changes["roles"] = _roles(folder, said["joints"], rig)
    if "rig_from_face" in said:
        changes["rig_from_face"] = _placement(folder, said["rig_from_face"])
    hidden = said.get("hidden_in_mask", [])
    if not isinstance(hidden, list):
        raise RigError(f"{folder / DESCRIPTION}: hidden_in_mask: expected a list of parts, got {hidden!r}")
    hidden = frozenset(map(str, hidden))
    unknown = hidden - {part.name for part in rig.parts}
    if unknown:
        raise RigError(f"{folder / DESCRIPTION}: hidden_in_mask: there is no part {', '.join(sorted(unknown))}")
    return replace(rig, hidden_in_mask=hidden, **changes)


def _named_file(folder: Path, key: str, name: object) -> Path:
    """The file beside a `rig.toml` that it names; one that lies elsewhere is nobody's business."""
    if not isinstance(name, str) or inside(folder, name) is None:
        raise RigError(f"{folder / DESCRIPTION}: `{key}` must name a file beside it, got {name!r}")
    return folder / name


def _read_description(folder: Path) -> dict[str, Any]:
    """The parsed `rig.toml`."""
    try:
        return toml_of(folder / DESCRIPTION)
    except (OSError, ValueError) as error:
        raise RigError(f"cannot read {folder / DESCRIPTION}: {error}") from error


def _roles(folder: Path, said: object, rig: Rig) -> dict[str, int]:
    """`[joints]`: role = "joint name"."""
    names = [joint.name for joint in rig.joints]
    carrying = carrying_joints(rig.joints, rig.skin_joints, rig.skin_weights)
    roles = dict(rig.roles)
    for role, name in said.items() if isinstance(said, dict) else ():
        if role not in ROLES or name not in names:
            raise RigError(
                f"{folder / DESCRIPTION}: joints: expected one of {', '.join(ROLES)} to name a joint, "
                f"got {role} = {name!r}"
            )
        roles[role] = joint_named(names, name, carrying)
    return roles


def _placement(folder: Path, said: object) -> Array:
    """`[rig_from_face]`: scale (rig units per centimetre) and offset (rig units)."""
    try:
        scale, offset = float(said["scale"]), np.asarray(said.get("offset", (0, 0, 0)), np.float64)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RigError(f"{folder / DESCRIPTION}: rig_from_face needs `scale` and `offset`") from error
    if scale <= 0 or offset.shape != (3,) or not np.isfinite([scale, *offset]).all():
        raise RigError(f"{folder / DESCRIPTION}: rig_from_face: expected scale > 0 and 3 offsets")
    matrix = np.eye(4)
    matrix[:3, :3] *= scale
    matrix[:3, 3] = offset
    return matrix
