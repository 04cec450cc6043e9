"""nginx, configured as docs/deployment.md shows, in front of a real server."""

from __future__ import annotations

import getpass
import http.client
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator

import pytest

from tests.server.live import Server, wait_for
from tests.server.test_certificates import key_and_cert

from .helpers import documented, free_port, needs_ice, visiting

NAME, TOKEN = "puppets.example.org", "choose-something-long"
START_S = 20.0

pytestmark = [pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx"), needs_ice]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """As documented, at a port of its own."""
    (command,) = re.findall(r"animator (serve .*--trust-proxy.*)\n", documented("sh", "--trust-proxy"))
    server = Server("main.py", *command.split(), "--port", "0")
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()
    assert "Traceback" not in "".join(server.err)


@pytest.fixture(scope="module")
def port(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where nginx listens in front of it."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    cert, key = key_and_cert(folder, names=(NAME,))
    site = documented("nginx", "limit_req_zone").replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    site = site.replace("http://127.0.0.1:8443", server.url)
    site = re.sub(r"(ssl_certificate +)\S+;", rf"\g<1>{cert};", site)
    site = re.sub(r"(ssl_certificate_key +)\S+;", rf"\g<1>{key};", site)
    kept = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("proxy", "fastcgi", "uwsgi", "scgi", "client_body")
    )
    (folder / "nginx.conf").write_text(
        f"user {getpass.getuser()};\ndaemon off;\npid {folder}/pid;\nerror_log {folder}/errors;\n"
        f"events {{}}\nhttp {{\naccess_log {folder}/requests;\n{kept}{site}}}\n"
    )
    program = subprocess.Popen(
        ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: (folder / "pid").exists() or program.poll() is not None, START_S)
        assert program.poll() is None, program.stderr.read()
        yield port
        assert TOKEN not in (folder / "requests").read_text() + (folder / "errors").read_text()
    finally:
        program.terminate()
        program.wait()
        program.stderr.close()


def asked(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of a GET by the documented name over TLS."""
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=START_S)
    try:
        connection.request("GET", path, headers={"Host": f"{NAME}:{port}"} | headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_its_page_is_served_by_its_name(port: int) -> None:
    status, page = asked(port, "/r/main")
    assert status == 200
    assert b"<html" in page.lower()
    assert json.loads(asked(port, "/health")[1])["status"] == "ok"
    assert asked(port, "/config.json")[0] == 401
    bearer = f"Bearer {TOKEN}"
    assert asked(port, "/config.json", Authorization=bearer, Origin=f"https://{NAME}:{port}")[0] == 200
    assert asked(port, "/config.json", Authorization=bearer, Origin="https://elsewhere.example")[0] == 403
    assert asked(port, "/metrics", Authorization=bearer)[0] == 403


def test_a_session_begins_through_it_and_its_media_go_past_it(server: Server, port: int) -> None:
    with visiting(f"https://127.0.0.1:{port}", token=TOKEN, name=f"{NAME}:{port}") as performer:
        performer.wait_for("picture", 5)
        performer.wait_for("motion", 5)


def test_who_asks_too_often_is_told_so(port: int) -> None:
    """After 10 at once, the limit is 30 a minute."""
    statuses = [asked(port, "/offer")[0] for _ in range(20)]
    assert statuses[-1] == 429
    assert asked(port, "/health")[0] == 200
