"""A certificate that is renewed while its server runs; time is the test's."""

import asyncio
import logging
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from argosy.http.renewal import LOOK_SECONDS, Renewal
from argosy.http.tls import Certificates, ensure_certificates, server_context
from argosy.testing.clock import FakeClock

START = datetime(2026, 11, 21, tzinfo=UTC)


class Kept:
    """A server's certificate in a folder, looked after."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock(START)
        files = self.ensure()
        self.context = server_context(files.cert_file, files.key_file)
        self.task = asyncio.create_task(Renewal(self.context, self.ensure, self.clock).run())

    def ensure(self) -> Certificates:
        return ensure_certificates(self.folder, ["127.0.0.1"], self.clock.now())

    async def later(self, **time: float) -> bytes:
        """What is shown after some time, and a look."""
        for step in (timedelta(**time).total_seconds(), LOOK_SECONDS):
            await self.clock.advance(step)
            await asyncio.sleep(0.05)  # files are looked at in a thread, which knows no other clock
        return shown(self.context)


def shown(context: ssl.SSLContext) -> bytes:
    """The certificate that a client of `context` is shown, as DER."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(back, there)
    server = context.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (here, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    found = here.getpeercert(binary_form=True)
    assert found is not None
    return found


async def test_a_certificate_is_renewed_before_its_end(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    first = shown(kept.context)
    assert await kept.later(days=300) == first
    second = await kept.later(days=50)
    assert second != first
    assert await kept.later(days=1) == second
    kept.task.cancel()


async def test_half_a_pair_changes_nothing_until_it_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = ensure_certificates(tmp_path / "other", ["127.0.0.1"], START)
    files = ensure_certificates(tmp_path / "own", ["127.0.0.1"], START)
    context = server_context(files.cert_file, files.key_file)
    clock = FakeClock(START)
    task = asyncio.create_task(Renewal(context, lambda: files, clock).run())
    await asyncio.sleep(0)
    before = shown(context)
    files.cert_file.write_bytes(other.cert_file.read_bytes())
    with caplog.at_level(logging.WARNING):
        await clock.advance(LOOK_SECONDS)
        await asyncio.sleep(0.05)
    assert shown(context) == before
    assert "the certificate was not renewed" in caplog.text
    files.key_file.write_bytes(other.key_file.read_bytes())
    await clock.advance(LOOK_SECONDS)
    await asyncio.sleep(0.05)
    assert shown(context) == ssl.PEM_cert_to_DER_cert(other.cert_file.read_text())
    task.cancel()
