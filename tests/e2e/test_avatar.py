"""An avatar of one's own: brought by the page, refused in words, brought again after a loss, drawn here by viewers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.rigging.library import model_file
from animator.rigging.vrm_export import export_vrm

from .conftest import Visitor
from .test_numbers import pytestmark as needs_bundle
from .test_numbers import seen, still, watch  # noqa: F401 - a fixture
from .test_with_server import PATIENCE_S, meet, real  # noqa: F401 - fixtures

OWN = "document.querySelector('#rig-own')"


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("avatars") / "robot.vrm"
    export_vrm("robot", path)
    return path


def choose(visitor: Visitor, name: str, content: bytes) -> None:
    """As if the file had been chosen in the browser's window."""
    with visitor.page.expect_file_chooser() as chosen:
        visitor.page.click("#own-choose")
    chosen.value.set_files({"name": name, "mimeType": "application/octet-stream", "buffer": content},
                            timeout=1000 * PATIENCE_S)  # fmt: skip


def problem(visitor: Visitor) -> str:
    visitor.page.wait_for_selector("#own-problem:not([hidden])")
    return visitor.page.inner_text("#own-problem")


def test_a_server_that_takes_none_offers_none(visit, mock):
    visitor = visit().perform()
    assert not visitor.page.is_visible("#own-choose")


def test_what_cannot_be_taken_is_said_before_it_is_sent(visit, mock):
    mock.avatar_mb = 1
    visitor = visit().perform()
    assert "up to 1 MB" in visitor.page.inner_text("#own-rule")
    choose(visitor, "body.vrm", bytes(3 << 20))
    assert problem(visitor) == "body.vrm has 3 MB; this server takes up to 1 MB."
    choose(visitor, "body.fbx", b"x")
    assert problem(visitor) == "body.fbx is no avatar: wanted a file that ends in .vrm, .glb, .gltf."
    assert mock.avatars == []
    assert visitor.page.is_visible("#own-choose")


def test_it_is_brought_named_chosen_and_brought_again(visit, mock):
    mock.avatar_mb = 64
    visitor = visit().perform()
    choose(visitor, "fox.vrm", bytes(1 << 20))
    visitor.until(f"{OWN}?.checked")
    assert mock.avatars == [("s0", 1 << 20)]
    about = visitor.page.inner_text("#own-about")
    assert all(word in about for word in ("A Fox of My Own", "Somebody", "CC0", "50 of 52"))
    assert visitor.page.is_hidden("#own-progress")
    visitor.page.click("label[for=rig-fox]")
    visitor.until(lambda: mock.guests[0].settings["rig"] == "fox")
    visitor.page.click("label[for=rig-own]")
    visitor.until(lambda: mock.guests[0].settings["rig"] == "own")
    mock.cut()  # the network is lost: the next session has another name, and no avatar
    visitor.until(lambda: len(mock.guests) > 1 and mock.guests[-1].settings["rig"] == "own", 30)
    assert "rig" not in mock.guests[-1].offer
    assert mock.avatars[-1] == (mock.guests[-1].session, 1 << 20)
    visitor.until(f"{OWN}.checked")


@pytest.mark.parametrize("status", [400, 413])
def test_a_refusal_is_the_servers_sentence(visit, mock, status):
    mock.avatar_mb = 64
    mock.avatar_refusal = (status, "This avatar cannot be worn: it has no face.")
    visitor = visit().perform()
    choose(visitor, "fox.glb", b"glTF")
    assert problem(visitor) == "This avatar cannot be worn: it has no face."
    assert visitor.page.evaluate(f"{OWN} === null")
    mock.avatar_refusal = None
    choose(visitor, "fox.glb", b"glTF")
    visitor.until(f"{OWN}?.checked")
    assert visitor.page.is_hidden("#own-problem")


def test_who_leaves_takes_it_along(visit, mock):
    mock.avatar_mb = 64
    visitor = visit().perform()
    choose(visitor, "fox.vrm", b"glTF")
    visitor.until(f"{OWN}?.checked")
    visitor.page.click("#stop")
    visitor.until(f"{OWN} === null")
    visitor.page.click("#perform")
    visitor.until_live()
    assert mock.guests[-1].settings["rig"] == "human"
    assert visitor.page.is_hidden("#own-about")
    visitor.until("document.querySelector('#rig-human').checked")
    assert len(mock.avatars) == 1


def test_by_numbers_an_avatar_that_is_anothers_is_not_seen_and_that_is_said(visit, mock):
    mock.three = True
    visitor = visit().watch()
    mock.own_avatars = 1
    visitor.page.click("label[for=mode-numbers]")
    visitor.until("document.querySelector('#hint').textContent.includes('an avatar of their own: Video shows it')")
    mock.own_avatars = 0
    visitor.until("document.querySelector('#hint').textContent === ''")


@pytest.mark.skipif(needs_bundle.args[0], reason=needs_bundle.kwargs["reason"])
def test_who_watches_by_numbers_draws_it_here_and_sends_it_to_nobody(watch, mock):  # noqa: F811
    mock.avatar_mb = 64
    visitor = watch(still(jawOpen=0.2))
    visitor.page.set_default_timeout(1000 * PATIENCE_S)
    assert "sent to nobody" in visitor.page.inner_text("#own-rule")
    before = seen(visitor)
    choose(visitor, "robot.glb", model_file("robot").read_bytes())
    visitor.until(lambda: (np.abs(seen(visitor, 100) - before).max(2) > 40).mean() > 0.1, PATIENCE_S)
    choose(visitor, "nothing.glb", b"nothing")
    assert "cannot be drawn here" in problem(visitor)
    assert mock.avatars == []


def test_the_real_server_wears_it(real, meet: Callable[..., Visitor], robot: Path):  # noqa: F811
    room = "/r/own"
    visitor = meet(real).perform(room, PATIENCE_S)
    visitor.until_frames(20, PATIENCE_S)
    before = middle(visitor)
    choose(visitor, "robot.vrm", robot.read_bytes())
    visitor.until(f"{OWN}?.checked", PATIENCE_S)
    visitor.until(lambda: np.abs(middle(visitor) - before).max() > 25, PATIENCE_S)
    worn = middle(visitor)
    viewer = meet(real).watch(room, PATIENCE_S)
    viewer.until(lambda: np.abs(middle(viewer) - worn).max() < 20, PATIENCE_S)
    assert viewer.page.evaluate(f"{OWN} === null")
    assert "52 of 52" in visitor.page.inner_text("#own-about")
    choose(visitor, "bad.vrm", b"glTF" + bytes(100))
    assert problem(visitor).startswith("This avatar cannot be worn: expected GLB version 2")
    assert visitor.page.evaluate(f"{OWN}.checked")  # what was worn is worn still


def middle(visitor: Visitor) -> Any:
    picture = visitor.picture()
    height, width = picture.shape[:2]
    return picture[height // 3 : 2 * height // 3, 2 * width // 5 : 3 * width // 5].mean((0, 1))
