from __future__ import annotations

import numpy as np
import pytest

from animator.channels import ARKIT, INDEX, MIRRORED
from animator.errors import ModelError
from animator.solving.face_model import face_model, load_face_model
from animator.topology import LEFT_EYE, LEFT_PUPIL, RIGHT_PUPIL, canonical_face


def test_canonical_face_is_the_topologys(model):
    np.testing.assert_allclose(model.canonical_cm[:468], canonical_face().positions_cm, atol=1e-6)
    assert model.canonical_cm[LEFT_PUPIL, 0] > 2 > -2 > model.canonical_cm[RIGHT_PUPIL, 0]


def test_mirror_is_its_own_inverse(model):
    assert (model.mirror[model.mirror] == np.arange(478)).all()
    np.testing.assert_allclose(model.canonical_cm[model.mirror] * [-1, 1, 1], model.canonical_cm, atol=1e-5)


def test_response_is_symmetric(model):
    mirrored = model.response_cm[:, model.mirror] * np.float32([-1, 1, 1])
    np.testing.assert_allclose(mirrored, model.response_cm[list(MIRRORED)], atol=1e-6)


def test_response_moves_what_the_channel_names(model):
    response = model.response_cm
    assert response[INDEX["jawOpen"], 152, 1] < -1.5  # the chin goes down
    assert response[INDEX["jawLeft"], 152, 0] > 0.2
    assert response[INDEX["mouthSmileLeft"], 291, 0] > 0.2  # the left corner goes left and up
    assert response[INDEX["mouthSmileLeft"], 291, 1] > 0.2
    assert response[INDEX["browInnerUp"], [107, 336], 1].min() > 0.1
    lids = np.abs(response[INDEX["eyeBlinkLeft"]]).sum(1)
    assert lids[list(LEFT_EYE)].mean() > 2 * lids[[61, 291, 152, 10]].mean()


def test_unseen_channels_have_no_response(model):
    still = [name for name, response in zip(ARKIT, model.response_cm, strict=True) if not response.any()]
    assert still == ["tongueOut"]


def test_model_is_read_once_and_cannot_be_written_to(model):
    assert face_model() is model
    with pytest.raises(ValueError, match="read-only"):
        model.response_cm[0] = 0


@pytest.mark.parametrize("content", [b"", b"not a zip at all", b"PK\x03\x04 half a zip"])
def test_damaged_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "face_model.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is no face model") as raised:
        load_face_model(path)
    assert "\n" not in str(raised.value)


def test_wrong_shape_is_refused(tmp_path, model):
    path = tmp_path / "face_model.npz"
    arrays = {name: getattr(model, name) for name in model.__slots__}
    np.savez(path, **{**arrays, "neutral_cm": np.zeros((468, 3))})
    with pytest.raises(ModelError, match=r"neutral_cm: expected shape \(478, 3\), got \(468, 3\)"):
        load_face_model(path)
