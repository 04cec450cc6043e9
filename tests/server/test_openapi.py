"""The description of the HTTP API is true: it names the routes, and strangers' requests get what it says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from animator.server.app import App
from animator.server.config import ServeConfig
from animator.server.openapi import description
from animator.webrtc.config import IceServer

from .site import FakeWorkers, Site, at

EXAMPLES = 8
"""Requests of each kind for each operation; with these it takes some seconds."""
DOCUMENTED_FAULTS = (501, 503)


def routes() -> set[tuple[str, str]]:
    """(method, path) of everything that is answered; HEAD goes with GET."""
    app = App(ServeConfig(), FakeWorkers()).application()
    found = {(route.method.lower(), route.resource.canonical) for route in app.router.routes()}
    return {(method, path) for method, path in found if method != "head"}


def operations() -> dict[tuple[str, str], dict]:
    found = {}
    for path, item in description()["paths"].items():
        found |= {(method, path): part for method, part in item.items() if method != "parameters"}
    return found


def test_every_route_is_described_and_nothing_else() -> None:
    assert set(operations()) == routes()


def test_parameters_are_those_of_the_path() -> None:
    for path, item in description()["paths"].items():
        named = {parameter["name"] for parameter in item.get("parameters", ()) if parameter["in"] == "path"}
        assert named == {part[1:].partition("}")[0] for part in path.split("/") if part.startswith("{")}


def test_the_description_is_served_to_everybody() -> None:
    async def test(site: Site) -> None:
        answer = await site.ask("GET", "/openapi.json")
        assert answer.status == 200
        assert json.loads(answer.body) == description()

    at(test, token="secret")


def test_what_needs_the_token_is_told() -> None:
    async def test(site: Site) -> None:
        for (method, path), operation in operations().items():
            answer = await site.ask(method.upper(), path.replace("{", "").replace("}", ""))
            assert (answer.status == 401) == (operation.get("security") != []), (method, path)

    at(test, token="secret")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A site on a loop in a thread of its own, for a client that blocks."""
    started, ended = threading.Event(), asyncio.Event()
    told: list[str] = []

    async def stay() -> None:
        told.append(asyncio.get_running_loop())
        async with Site(offers_per_minute=1_000_000, ice_servers=(IceServer("turn:a", "u", "p"),)) as site:
            told.append(f"http://{site.host}")
            started.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(stay(),))
    thread.start()
    assert started.wait(10)
    yield told[1]
    told[0].call_soon_threadsafe(ended.set)
    thread.join(10)


def test_no_request_is_answered_otherwise_than_described(address: str) -> None:
    """Schemathesis makes requests of the description, right ones and wrong ones; none may hang or break a promise."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not here: pip install schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis import checks

    schemathesis.serializer("application/sdp")(lambda _context, value: _bytes(value))
    checks.load_all_checks()
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    names = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
    wanted = [checks.CHECKS.get_one(name) for name in names]
    asked = 0

    def abuse(case) -> None:
        nonlocal asked
        asked += 1
        response = case.call(timeout=10)
        assert response.status_code < 500 or response.status_code in DOCUMENTED_FAULTS, response.text
        case.validate_response(response, checks=wanted)

    quick = settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in schemathesis.GenerationMode:
            with suppress(Unsatisfiable):  # there is no wrong way to ask for what takes nothing
                quick(given(case=operation.as_strategy(generation_mode=mode))(abuse))()
    assert asked > EXAMPLES * len(operations()) / 2


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")
