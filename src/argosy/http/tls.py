"""Certificates for a server that nobody has certified: a CA of its own, kept in a folder.

Clients are given the CA's certificate (in their kubeconfig), so it stays the same for as long as it
can; the server's certificate is made anew when its names change or its end comes near. A pair of
files is trusted only if key and certificate belong together, so a crash between writing the two
leads to a new pair and never to a broken server.
"""

import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_LIFE: Final = timedelta(days=3650)
_SERVER_LIFE: Final = timedelta(days=365)
# A certificate with less than this left is replaced.
_MARGIN: Final = timedelta(days=30)
# Clients whose clock is behind must not find the certificate "not yet valid".
_SKEW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a server and its clients need: the clients the CA, the server the two files."""

    ca_pem: bytes
    cert_file: Path
    key_file: Path


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def server_context(
    cert_file: Path, key_file: Path, *, client_ca: bytes | None = None
) -> ssl.SSLContext:
    """TLS 1.2 and later, HTTP/1.1 only.

    With `client_ca` (PEM) clients may show a certificate that one of these issued, and need not;
    any other certificate ends the handshake.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(cert_file, key_file)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=client_ca.decode("ascii"))
    return context


def change_certificate(context: ssl.SSLContext, cert_file: Path, key_file: Path) -> None:
    """Show another certificate to those who connect from now on; connections stay.

    Raises OSError (ssl.SSLError is one), and changes nothing, where the files make no pair.
    """
    # Tried elsewhere first: a context that was given half a pair is good for nothing.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert_file, key_file)
    context.load_cert_chain(cert_file, key_file)


def ensure_certificates(folder: Path, hosts: Sequence[str], now: datetime) -> Certificates:
    """The CA and the server's certificate for `hosts` (DNS names and IP addresses) in `folder`.

    Makes what is missing, does not match or ends within 30 days of `now`. Raises OSError where the
    folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca = _load(folder, "ca")
    if ca is None or not _lasts(ca, now):
        ca = _make_ca(now)
        _save(folder, "ca", ca)
    names = _names(hosts)
    server = _load(folder, "server")
    if server is None or not _lasts(server, now) or not _serves(server, ca, names):
        server = _make_server(ca, names, now)
        _save(folder, "server", server)
    return Certificates(_pem(ca.certificate), folder / "server.crt", folder / "server.key")


def ensure_client(folder: Path, issuer: str, name: str, now: datetime) -> Certificates:
    """A certificate by which its bearer is known as `name`, of a CA that is called `issuer`.

    Both are kept in `folder` under these names, and made or made anew as `ensure_certificates`
    does. Raises OSError where the folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca = _load(folder, issuer)
    if ca is None or not _lasts(ca, now):
        ca = _make_ca(now, issuer)
        _save(folder, issuer, ca)
    client = _load(folder, name)
    if client is None or not _lasts(client, now) or not _issued(client, ca):
        client = _make_client(ca, name, now)
        _save(folder, name, client)
    return Certificates(_pem(ca.certificate), folder / f"{name}.crt", folder / f"{name}.key")


def _names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [_name(host) for host in sorted(set(hosts))]


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _lasts(pair: _Pair, now: datetime) -> bool:
    certificate = pair.certificate
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - _MARGIN


def _serves(server: _Pair, ca: _Pair, names: list[x509.GeneralName]) -> bool:
    certificate = server.certificate
    try:
        certificate.verify_directly_issued_by(ca.certificate)
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except Exception:  # any of several: not issued by this CA, or not one of our making
        return False
    return list(found.value) == names


def _issued(pair: _Pair, ca: _Pair) -> bool:
    try:
        pair.certificate.verify_directly_issued_by(ca.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _make_ca(now: datetime, called: str = "argosy-ca") -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(called)
    builder = _builder(name, name, key, now, _CA_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return _Pair(_signed(builder, key, key), key)


def _make_server(ca: _Pair, names: list[x509.GeneralName], now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_subject("argosy"), ca.certificate.subject, key, now, _SERVER_LIFE)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return _Pair(_signed(builder, key, ca.key), key)


def _make_client(ca: _Pair, name: str, now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_subject(name), ca.certificate.subject, key, now, _SERVER_LIFE)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(usage, critical=False)
    )
    return _Pair(_signed(builder, key, ca.key), key)


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    issuer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    # Strict verifiers (Python 3.13) ask for it.
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    builder = builder.add_extension(authority, critical=False)
    return builder.sign(issuer, hashes.SHA256())


def _load(folder: Path, name: str) -> _Pair | None:
    """The pair in the folder; None if it is not there whole or its halves don't match."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    if certificate.public_key() != key.public_key():
        return None
    return _Pair(certificate, key)


def _save(folder: Path, name: str, pair: _Pair) -> None:
    key = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(folder / f"{name}.key", key, mode=0o600)
    _write(folder / f"{name}.crt", _pem(pair.certificate), mode=0o644)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file that is afterwards there whole or as it was before."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
