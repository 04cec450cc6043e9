"""What a page gets of the avatars: pictures, models, and how to place them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from animator.resources import rigs_folder
from animator.rigging.library import known_rigs, rig_description
from animator.server.app import App
from animator.server.config import ServeConfig


def get(path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one answer, by an app that has no workers."""

    async def ask() -> tuple[int, Any, bytes]:
        app = App(ServeConfig(host="127.0.0.1"), None).application()
        async with TestClient(TestServer(app)) as client, client.get(path) as answer:
            return answer.status, answer.headers, await answer.read()

    return asyncio.run(ask())


@pytest.mark.parametrize("name", known_rigs())
def test_a_known_rig_comes_as_its_own_file(name: str):
    status, headers, body = get(f"/rigs/{name}.glb")
    assert (status, headers["Content-Type"]) == (200, "model/gltf-binary")
    assert body == (rigs_folder() / name / rig_description(name)["model"]).read_bytes()
    assert headers["Content-Security-Policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("name", ["fox", "..", "%2e%2e%2fhuman", "human%2fhuman", "human/human"])
def test_no_other_name_is_a_path(name: str):
    assert get(f"/rigs/{name}.glb")[0] == 404


def test_the_page_is_told_where_a_face_is():
    rigs = {rig["name"]: rig for rig in json.loads(get("/config.json")[2])["rigs"]}
    assert rigs["human"]["model"] == "/rigs/human.glb"
    assert rigs["human"]["rig_from_face"] == {"scale": 0.01, "offset": [0.0, 0.0, 0.0]}
    assert rigs["human"]["joints"]["leftEye"] == "leftEye"
