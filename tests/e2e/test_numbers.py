"""Numbers mode: the page draws the puppet itself, by three.js, from the data channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from animator.data import Array, Expression, HeadPose, Motion

from .conftest import Visitor, decoded
from .mock_server import PAGE, MockServer, motion_at

pytestmark = pytest.mark.skipif(
    not (PAGE / "numbers.js").is_file(), reason="animator/server/page/numbers.js is missing: make page"
)
LISTEN = "document.addEventListener('securitypolicyviolation', (e) => console.error('refused: ' + e.blockedURI));"
CONNECTIONS = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...all) { super(...all); window.connections.push(this); }
};
"""


@pytest.fixture
def watch(drawing_browser: Any, mock: MockServer) -> Iterator[Callable[..., Visitor]]:
    """Watch by numbers; at the end nothing was refused and no page has complained."""
    mock.three = mock.draws = True
    visitors: list[Visitor] = []

    def make(motion: Callable[[float], Motion], device_scale_factor: float = 1) -> Visitor:
        mock.motion_at = motion
        context = drawing_browser.new_context(
            viewport={"width": 1280, "height": 800}, device_scale_factor=device_scale_factor
        )
        context.add_init_script(LISTEN + CONNECTIONS)
        visitor = Visitor(context.new_page(), mock.url)
        visitors.append(visitor)
        visitor.open().page.click("#watch")
        visitor.until("document.querySelector('#app').dataset.phase === 'live'")
        visitor.page.click("label[for=mode-numbers]")
        visitor.until("!document.querySelector('#numbers').hidden", 20)
        visitor.until(lambda: mock.guests[-1].offer["video"] is False)
        visitor.until("document.querySelector('#app').dataset.phase === 'live'")
        visitor.until("document.querySelector('#veil').hidden && document.querySelector('#numbers').width > 300")
        return visitor

    yield make
    for visitor in visitors:
        visitor.page.context.close()
        assert [line for line in visitor.complaints if "GPU stall" not in line] == []


def still(**weights: float) -> Callable[[float], Motion]:
    return lambda time_s: replace(motion_at(time_s), expression=Expression.of(**weights))


def seen(visitor: Visitor, wait_ms: int = 600) -> Array:
    """(H, W, 3) int: the canvas as the page shows it."""
    visitor.page.wait_for_timeout(wait_ms)
    return decoded(visitor.page.locator("#numbers").screenshot())


def changed(before: Array, after: Array) -> Array:
    """Where pictures differ: (n, 2) rows and columns, as shares."""
    return np.argwhere(np.abs(after - before).max(2) > 40) / before.shape[:2]


def test_a_jaw_that_opens_moves_the_puppets_mouth(watch, mock):
    visitor = watch(still())
    before = seen(visitor)
    mock.motion_at = still(jawOpen=1)
    after = seen(visitor)
    where = changed(before, after)
    assert len(where) > 500
    assert (np.abs(np.median(where, axis=0) - [0.68, 0.5]) < 0.12).all()


def test_no_video_is_asked_for(watch, mock):
    visitor = watch(motion_at)
    assert mock.guests[-1].offer["video"] is False
    assert "m=video" not in mock.guests[-1].offer["sdp"]
    kinds = visitor.page.evaluate(
        "async () => [...(await connections.at(-1).getStats()).values()].map((entry) => entry.type)"
    )
    assert "data-channel" in kinds
    assert "inbound-rtp" not in kinds
    visitor.page.click("label[for=mode-video]")
    visitor.until_live()
    assert visitor.page.is_hidden("#numbers")
    visitor.page.click("label[for=mode-numbers]")  # the canvas serves a second time
    visitor.until("!document.querySelector('#numbers').hidden && document.querySelector('#veil').hidden", 20)


def test_a_watchers_wishes_are_not_the_servers(watch, mock):
    visitor = watch(still())
    visitor.page.click("label[for=rig-human]")
    visitor.page.wait_for_timeout(200)
    assert all(not guest.said("set") for guest in mock.guests)


def test_a_turned_head_faces_the_lens_from_the_pictures_edge(watch, mock):
    visitor = watch(still())
    before = seen(visitor)
    turned = np.array([np.cos(0.2), 0, np.sin(0.2), 0])
    mock.motion_at = lambda time_s: replace(motion_at(time_s), pose=HeadPose(turned, np.array([0.0, 0, -40])),
                                            expression=Expression.rest())  # fmt: skip
    assert len(changed(before, seen(visitor))) > 2000


def test_a_lost_face_eases_to_rest(watch, mock):
    visitor = watch(still())
    before = seen(visitor)
    turned = HeadPose(np.array([np.cos(0.2), 0, np.sin(0.2), 0]), np.array([0.0, 0, -40]))
    mock.motion_at = lambda time_s: replace(still()(time_s), pose=turned)
    seen(visitor)
    mock.motion_at = lambda time_s: replace(still()(time_s), pose=turned, confidence=0.0)
    assert len(changed(before, seen(visitor, 2000))) < 200


def test_dense_screens_are_capped(watch, mock):
    visitor = watch(still(), device_scale_factor=3)
    ratio = visitor.page.evaluate("(({width, clientWidth}) => width / clientWidth)(document.querySelector('#numbers'))")
    assert ratio == pytest.approx(2, abs=0.01)
