"""TLS with a certificate made here, or with the user's."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import tempfile
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from animator.errors import SettingError
from animator.server.access import own_names
from animator.server.certificates import context_from_files, machine_addresses, names_in, self_signed_context
from animator.server.config import ServeConfig


def served_certificate(context: ssl.SSLContext) -> x509.Certificate:
    """What a client is shown."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    unsafe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unsafe.check_hostname, unsafe.verify_mode = False, ssl.CERT_NONE
    client = unsafe.wrap_bio(outgoing, incoming)
    for _ in range(10):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return x509.load_der_x509_certificate(client.getpeercert(binary_form=True))


def test_it_names_this_machine() -> None:
    certificate = served_certificate(self_signed_context())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert addresses == set(machine_addresses())
    assert "127.0.0.1" in addresses
    valid = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert 300 < valid.days < 398  # browsers refuse longer ones


def test_the_loopback_comes_last() -> None:
    addresses = [ipaddress.ip_address(address) for address in machine_addresses()]
    loopback = [address.is_loopback for address in addresses]
    assert loopback == sorted(loopback)
    assert all(address.version == 4 for address in addresses)


def test_each_start_has_a_key_of_its_own_and_leaves_no_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = (served_certificate(self_signed_context()) for _ in range(2))
    assert first.public_key() != second.public_key()
    assert list(tmp_path.iterdir()) == []


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_it_is_served(host: str) -> None:
    async def test() -> None:
        context = self_signed_context()
        pem = served_certificate(context).public_bytes(serialization.Encoding.PEM).decode()
        app = web.Application()
        app.router.add_get("/", hello)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        url = f"https://{host}:{runner.addresses[0][1]}/"
        try:
            async with aiohttp.ClientSession() as http:
                trusting = ssl.create_default_context(cadata=pem)
                async with http.get(url, ssl=trusting) as answer:
                    assert await answer.text() == "hello"
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await http.get(url)
        finally:
            await runner.cleanup()

    asyncio.run(test())


def key_and_cert(folder: Path, passphrase: bytes | None = None, names: tuple[str, ...] = ()) -> tuple[Path, Path]:
    """A certificate of a user's, for machines of these names: (cert, key)."""
    import datetime

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mine")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    lock = serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
    return cert_path, key_path


def test_a_users_certificate_is_served(tmp_path: Path) -> None:
    cert, key = key_and_cert(tmp_path)
    certificate = served_certificate(context_from_files(cert, key))
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "mine"


def test_what_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """A locked key must not make the server ask at a terminal either."""
    for number in range(3):
        (tmp_path / str(number)).mkdir()
    cert, key = key_and_cert(tmp_path / "0")
    other_cert, locked = key_and_cert(tmp_path / "1", b"passphrase")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
    for pair in ((other_cert, key), (rubbish, key), (cert, rubbish), (other_cert, locked), (tmp_path, key)):
        with pytest.raises(SettingError, match="cannot be used together") as error:
            context_from_files(*pair)
        assert "\n" not in str(error.value)


def test_a_certificate_tells_whom_it_vouches_for(tmp_path: Path) -> None:
    named = ("puppets.example.org", "*.example.net")
    cert, key = key_and_cert(tmp_path, names=named)
    assert names_in(cert) == list(named)
    assert set(named) <= own_names(ServeConfig(cert=cert, key=key))
    nameless, rubbish = key_and_cert(tmp_path)[0], tmp_path / "rubbish.pem"
    rubbish.write_text("nothing")
    for path in (nameless, rubbish, tmp_path):
        assert names_in(path) == []
