"""Who is at the other end, as a handler learns it; and a server's certificate that changes."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import (
    Certificates,
    change_certificate,
    ensure_certificates,
    server_context,
)
from tests.http.kit import GET, PATIENCE, Peer, serving


async def who(request: Request) -> Response:
    """Tells the client who it is."""
    assert request.peer is not None
    assert request.peer.address is not None
    host, port = request.peer.address
    told = f"{host} {port} ".encode() + (request.peer.certificate or b"nobody")
    return Response(200, {}, told)


def own_certificate(folder: Path, name: str) -> tuple[x509.Certificate, Path]:
    """A certificate that its key itself has signed, and a file with both."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, file


async def test_a_plain_client_has_an_address() -> None:
    async with serving(who) as running, running.peer() as peer:
        host, port = peer.writer.get_extra_info("sockname")
        assert (await peer.ask(GET)).body == f"{host} {port} nobody".encode()


async def told(trust: ssl.SSLContext, address: tuple[str, int]) -> bytes:
    async with asyncio.timeout(PATIENCE):
        peer = Peer(*await asyncio.open_connection(*address, ssl=trust))
        try:
            return (await peer.ask(GET)).body.split(b" ", 2)[2]
        finally:
            await peer.leave()


async def test_a_client_may_show_who_it_is(tmp_path: Path, certificates: Certificates) -> None:
    known, file = own_certificate(tmp_path, "known")
    _, stranger = own_certificate(tmp_path, "stranger")
    authority = known.public_bytes(serialization.Encoding.PEM)
    context = server_context(certificates.cert_file, certificates.key_file, client_ca=authority)
    server = await serve(who, addresses=[("127.0.0.1", 0)], tls=context)
    try:
        for shown, expected in (
            (None, b"nobody"),
            (file, known.public_bytes(serialization.Encoding.DER)),
        ):
            trust = ssl.create_default_context(cadata=certificates.ca_pem.decode())
            if shown is not None:
                trust.load_cert_chain(shown)
            assert await told(trust, server.addresses[0]) == expected
        trust = ssl.create_default_context(cadata=certificates.ca_pem.decode())
        trust.load_cert_chain(stranger)
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await told(trust, server.addresses[0])
    finally:
        await server.close()


async def shown(address: tuple[str, int]) -> bytes:
    """The certificate that a new connection is shown."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    peer = Peer(*await asyncio.open_connection(*address, ssl=trust))
    try:
        assert (await peer.ask(GET)).status == 200
        found: bytes = peer.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return found
    finally:
        await peer.leave()


async def test_a_certificate_changes_while_the_server_runs(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    first = ensure_certificates(tmp_path / "first", ["127.0.0.1"], now)
    second = ensure_certificates(tmp_path / "second", ["127.0.0.1"], now)
    context = server_context(first.cert_file, first.key_file)
    server = await serve(who, addresses=[("127.0.0.1", 0)], tls=context)
    try:
        stays = Peer(
            *await asyncio.open_connection(
                *server.addresses[0],
                ssl=ssl.create_default_context(cadata=first.ca_pem.decode()),
            )
        )
        assert (await stays.ask(GET)).status == 200
        before = await shown(server.addresses[0])
        with pytest.raises(OSError):
            change_certificate(context, second.cert_file, first.key_file)
        assert await shown(server.addresses[0]) == before
        change_certificate(context, second.cert_file, second.key_file)
        pem = second.cert_file.read_text()
        assert await shown(server.addresses[0]) == ssl.PEM_cert_to_DER_cert(pem) != before
        assert (await stays.ask(GET)).status == 200
        await stays.leave()
    finally:
        await server.close()
