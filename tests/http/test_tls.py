import asyncio
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from argosy.http.tls import Certificates, ensure_certificates, ensure_client
from tests.http.kit import GET, Peer, echo, serving

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOSTS = ["127.0.0.1", "localhost", "argosy.local"]


def made(folder: Path, hosts: list[str] = HOSTS, now: datetime = NOW) -> tuple[bytes, bytes]:
    """The CA and the server's certificate after a call."""
    found = ensure_certificates(folder, hosts, now)
    return found.ca_pem, found.cert_file.read_bytes()


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    first = made(tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert made(tmp_path, hosts=HOSTS[::-1]) == first
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert set(before) == {"ca.crt", "ca.key", "server.crt", "server.key"}


def test_private_keys_are_private(tmp_path: Path) -> None:
    made(tmp_path)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes["ca.key"] == modes["server.key"] == 0o600


@pytest.mark.parametrize(
    ("hosts", "later", "same_ca", "same_server"),
    [
        (HOSTS, timedelta(days=300), True, True),
        (HOSTS, timedelta(days=336), True, False),
        ([*HOSTS, "10.0.0.1"], timedelta(0), True, False),
        (HOSTS[:1], timedelta(0), True, False),
        (HOSTS, timedelta(days=3640), False, False),
        (HOSTS, timedelta(days=-2), False, False),
    ],
)
def test_what_no_longer_fits_is_made_anew(
    tmp_path: Path, hosts: list[str], later: timedelta, same_ca: bool, same_server: bool
) -> None:
    ca, server = made(tmp_path)
    new_ca, new_server = made(tmp_path, hosts=hosts, now=NOW + later)
    assert (new_ca == ca, new_server == server) == (same_ca, same_server)


@pytest.mark.parametrize("name", ["server.crt", "server.key"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_broken_server_pair_is_replaced_under_the_same_ca(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    ca, server = made(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    new_ca, new_server = made(tmp_path)
    assert new_ca == ca
    assert new_server != server


def test_a_key_of_another_certificate_is_replaced(tmp_path: Path) -> None:
    ca, server = made(tmp_path / "a")
    made(tmp_path / "b")
    (tmp_path / "a" / "server.key").write_bytes((tmp_path / "b" / "server.key").read_bytes())
    new_ca, new_server = made(tmp_path / "a")
    assert (new_ca == ca, new_server == server) == (True, False)


def test_a_certificate_of_another_ca_is_replaced(tmp_path: Path) -> None:
    made(tmp_path / "a")
    ca, server = made(tmp_path / "b")
    for name in ("server.key", "server.crt"):
        (tmp_path / "b" / name).write_bytes((tmp_path / "a" / name).read_bytes())
    new_ca, new_server = made(tmp_path / "b")
    assert new_ca == ca
    assert new_server not in (server, (tmp_path / "a" / "server.crt").read_bytes())


def test_a_draft_left_by_a_crash_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".ca.key.new").write_bytes(b"half")
    (tmp_path / ".ca.key.new").chmod(0o644)
    made(tmp_path)
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_names_and_addresses_are_told_apart(tmp_path: Path) -> None:
    _, server = made(tmp_path, hosts=["::1", "a.example"])
    certificate = x509.load_pem_x509_certificate(server)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["::1"]


async def test_a_client_that_trusts_the_ca_is_served(certificates: Certificates) -> None:
    async with serving(echo, tls=certificates) as running:
        assert running.trust is not None
        # As strict as Python 3.13 is by default.
        running.trust.verify_flags |= ssl.VERIFY_X509_STRICT
        running.trust.set_alpn_protocols(["h2", "http/1.1"])
        async with running.peer() as peer:
            assert (await peer.ask(GET)).status == 200
            session = peer.writer.get_extra_info("ssl_object")
            assert session.selected_alpn_protocol() == "http/1.1"
            assert session.version() in ("TLSv1.2", "TLSv1.3")


async def test_a_client_that_does_not_trust_the_ca_notices(certificates: Certificates) -> None:
    async with serving(echo, tls=certificates) as running:
        host, port = running.server.addresses[0]
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(host, port, ssl=ssl.create_default_context())


async def test_old_tls_is_refused(certificates: Certificates) -> None:
    async with serving(echo, tls=certificates) as running:
        assert running.trust is not None
        with pytest.warns(DeprecationWarning):
            running.trust.minimum_version = ssl.TLSVersion.TLSv1
            running.trust.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with running.peer():
                pass


async def test_plain_http_on_the_tls_port_is_cut_off(certificates: Certificates) -> None:
    async with serving(echo, tls=certificates) as running:
        host, port = running.server.addresses[0]
        peer = Peer(*await asyncio.open_connection(host, port))
        peer.send(GET)
        assert b"HTTP" not in await peer.rest()
        await peer.leave()


def test_a_client_s_certificate_lasts_and_is_made_anew_in_time(tmp_path: Path) -> None:
    first = ensure_client(tmp_path, "some-ca", "some-client", NOW)
    shown = first.cert_file.read_bytes()
    certificate = x509.load_pem_x509_certificate(shown)
    assert certificate.subject.rfc4514_string() == "CN=some-client"
    authority = x509.load_pem_x509_certificate(first.ca_pem)
    certificate.verify_directly_issued_by(authority)
    assert authority.subject.rfc4514_string() == "CN=some-ca"
    ensure_client(tmp_path, "some-ca", "some-client", NOW + timedelta(days=300))
    assert first.cert_file.read_bytes() == shown
    later = ensure_client(tmp_path, "some-ca", "some-client", NOW + timedelta(days=340))
    assert later.ca_pem == first.ca_pem
    assert first.cert_file.read_bytes() != shown


def test_a_client_s_certificate_of_another_ca_is_not_kept(tmp_path: Path) -> None:
    ensure_client(tmp_path, "some-ca", "some-client", NOW)
    (tmp_path / "some-ca.key").unlink()
    found = ensure_client(tmp_path, "some-ca", "some-client", NOW)
    certificate = x509.load_pem_x509_certificate(found.cert_file.read_bytes())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(found.ca_pem))
