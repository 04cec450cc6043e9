"""Every avatar and every malformed file of the evaluation material, by name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animator.cli import main
from animator.data import Motion
from animator.rigging.deform import Deformer
from animator.rigging.library import load_rig
from animator.rigging.reach import reach_of

from .conftest import motion

REACHED = {
    # file: the least number of the 52 channels that reach something
    "glb/brunette-t.glb": 52, "glb/facecap.glb": 52, "glb/phiz_face_1220v.glb": 51,
    "vrm0/Godette_vrm_v4.vrm": 20, "vrm0/unavi_robot.vrm": 17, "vrm0/cryptovoxels.vrm": 0,
    "vrm0/saturday06_simple_morph.vrm": 1, "vrm0/usdvrm_vrm0_expressions.vrm": 2, "vrm0/usdvrm_vrm0_frontbake.vrm": 0,
    "vrm1/VRMC_vrm_expressions_isBinary_Overridden.vrm": 0, "vrm1/saturday06_debug_robot.vrm": 8,
    "vrm1/saturday06_expression_migration.vrm": 4, "vrm1/usdvrm_expressions.vrm": 2, "vrm1/usdvrm_lookat.vrm": 8,
    "vrm1/usdvrm_shared_accessor.vrm": 0, "vrm1/vrmmetalkit_mtoon_default.vrm": 0,
    "khronos/AnimatedMorphCube.glb": 0, "khronos/BoxTextured.glb": 0, "khronos/RiggedSimple.glb": 0,
    "khronos/SimpleMorph_embedded.gltf": 0, "khronos/SimpleSkin_assimp.gltf": 0,
}  # fmt: skip
MALFORMED = {
    "assimp_BoxWithInfinites.glb": "finite", "assimp_MissingBin/BoxTextured.gltf": "BoxTextured0.bin",
    "assimp_SchemaFailures/sceneWrongType.gltf": "BoxTextured0.bin",
    "saturday06_broken_draco.vrm": "KHR_draco_mesh_compression",
    "saturday06_broken_extensions_required.vrm": "VRMC_materials_hdr_emissiveMultiplier",
    "usdvrm_badext.vrm": "meta", "usdvrm_duplicate_humanoid_bone.vrm": "hips",
    "usdvrm_malformed_glb_json.vrm": "JSON", "usdvrm_nonfinite_transform.vrm": "translation",
    "usdvrm_oob_expression_morph.vrm": "morph targets", "usdvrm_unmapped_humanoid_node.vrm": "999",
}  # fmt: skip
HAS_DRACO = importlib.util.find_spec("DracoPy") is not None


@pytest.mark.parametrize("name", REACHED)
def test_it_loads_rests_and_turns(shared: Callable[[str], Path], name: str) -> None:
    rig = load_rig(shared(f"avatars/{name}"))
    deformer, size = Deformer(rig), float(np.ptp(rig.positions, axis=0).max())
    np.testing.assert_allclose(deformer.deform(Motion(0.0, 0)).positions, rig.positions, atol=1e-5 * size)
    mesh = deformer.deform(motion((0.5, 0.2, 0.1), jawOpen=1, eyeBlinkLeft=1, mouthSmileLeft=1))
    assert np.isfinite(mesh.positions).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-3)
    assert sum(bool(reach.targets) for reach in reach_of(rig)) >= REACHED[name]


@pytest.mark.parametrize("name", [name for name, count in REACHED.items() if count > 15 or "crypto" in name])
def test_its_head_fills_the_picture(shared: Callable[[str], Path], name: str) -> None:
    rig = load_rig(shared(f"avatars/{name}"))
    face_from_rig = np.linalg.inv(rig.rig_from_face)
    points = rig.positions @ face_from_rig[:3, :3].T + face_from_rig[:3, 3]
    shown = points[(points[:, 1] > -19) & (points[:, 1] < 17)]
    assert points[:, 1].max() < 17  # the picture's upper edge
    assert shown[:, 1].max() > 6
    assert abs(np.median(shown[:, 0])) < 3


@pytest.mark.parametrize(("name", "word"), MALFORMED.items())
def test_malformed_ones_end_in_one_line(
    shared: Callable[[str], Path], capfd: pytest.CaptureFixture[str], name: str, word: str
) -> None:
    path = shared(f"avatars/malformed/{name}")
    if HAS_DRACO and "draco" in name:
        pytest.skip("DracoPy is installed and reads this one")
    assert main(["rigs", "show", str(path)]) == 2
    said = capfd.readouterr().err.strip()
    assert said.startswith("animator: ")
    assert "\n" not in said
    assert word in said


@pytest.mark.skipif(not HAS_DRACO, reason="DracoPy is not installed: pip install 'animator[draco]'")
def test_draco_is_read(shared: Callable[[str], Path]) -> None:
    rig = load_rig(shared("avatars/malformed/saturday06_broken_draco.vrm"))
    np.testing.assert_allclose(rig.positions.max(0) - rig.positions.min(0), [1, 1, 0])
