"""A certificate of our own, so that a phone in the same network gives its camera to the page."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..errors import SettingError

VALID_DAYS = 365


def machine_addresses() -> list[str]:
    """This machine's IPv4 addresses that others can reach, the loopback last."""
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    return sorted(set(found), key=lambda address: (ipaddress.ip_address(address).is_loopback, found.index(address)))


def self_signed_context() -> ssl.SSLContext:
    """TLS with a fresh certificate for `localhost` and this machine's addresses; nothing stays on disk."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "animator, self-signed")])
    alternatives: list[x509.GeneralName] = [x509.DNSName("localhost")]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in machine_addresses()]
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory() as folder:  # ssl reads keys from files only
        cert_path, key_path = Path(folder) / "cert.pem", Path(folder) / "key.pem"
        cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_path.touch(mode=0o600)
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return context_from_files(cert_path, key_path)


def names_in(cert: Path) -> list[str]:
    """The machine names that a certificate vouches for, `*.` among them; none from a file that holds none."""
    try:
        certificate = x509.load_pem_x509_certificate(cert.read_bytes())
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return []  # whether it can be used at all, `context_from_files` finds out
    return alternatives.get_values_for_type(x509.DNSName)


def context_from_files(cert: Path, key: Path) -> ssl.SSLContext:
    """TLS with a certificate of the user's; raises SettingError if it cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=lambda: "")  # never ask at a terminal that nobody watches
    except (ssl.SSLError, OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SettingError(
            f"cert and key: {cert} and {key} cannot be used together ({why}); wanted PEM files without a passphrase"
        ) from error
    return context
