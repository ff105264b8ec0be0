"""Values sealed by keys of a plugin, which may be down, hang, lie or talk rubbish."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from argosy.api.protobuf.wire import ProtobufError
from argosy.store.kms.messages import Sealed, envelope, envelope_tail, read_envelope, read_status
from argosy.store.kms.plugin import Plugin
from argosy.store.kms.provider import Provider
from argosy.store.sealing import CipherError, SealError
from argosy.testing.clock import FakeClock
from tests.store.kms.plugin import FakePlugin, message, served

PLACE = b"//secrets/default/a"
PLAIN = b'{"kind":"Secret"}'


class Kit:
    """A plugin, and the way to it."""

    def __init__(self, folder: Path) -> None:
        self.fake = FakePlugin()
        self.socket = folder / "kms.sock"
        self.clock = FakeClock()
        self.made: list[Plugin] = []

    def provider(self, timeout: float = 1.0) -> Provider:
        self.made.append(Plugin(f"unix://{self.socket}", timeout, self.clock))
        return Provider("vault", self.made[-1], self.clock)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path)
    with served(kit.fake, kit.socket):
        yield kit
        for plugin in kit.made:
            plugin.close()


def hashed(key_id: str) -> str:
    return f"sha256:{hashlib.sha256(key_id.encode()).hexdigest()}"


def test_a_value_is_an_envelope_as_kube_apiserver_makes_them(kit: Kit) -> None:
    provider = kit.provider()
    provider.prime()
    sealed = provider.seal(PLAIN, PLACE)
    found = message("EncryptedObject").FromString(sealed)
    assert (found.keyID, found.encryptedDEKSourceType) == ("key-1", 1)
    assert dict(found.annotations) == kit.fake.annotations
    assert found.SerializeToString(deterministic=True) == sealed
    seed = kit.fake.keys["key-1"].decrypt(found.encryptedDEKSource)
    info, nonce, rest = (
        found.encryptedData[:32],
        found.encryptedData[32:44],
        found.encryptedData[44:],
    )
    key = HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(seed)
    assert AESGCM(key).decrypt(nonce, rest, PLACE) == PLAIN
    assert provider.seal(PLAIN, PLACE) != sealed


def test_another_process_opens_it_and_asks_once_for_each_seed(kit: Kit) -> None:
    first = kit.provider()
    first.prime()
    values = [first.seal(PLAIN, PLACE), first.seal(PLAIN, b"//secrets/default/b")]
    second = kit.provider()
    second.prime()
    kit.fake.calls.clear()
    assert second.open(values[0], PLACE) == PLAIN
    assert second.open(values[1], b"//secrets/default/b") == PLAIN
    assert kit.fake.calls == ["Decrypt"]
    assert not second.outdated(values[0])


def test_early_values_whose_key_is_sealed_itself_are_read_and_stale(kit: Kit) -> None:
    key, nonce = b"k" * 32, b"n" * 12
    old = message("EncryptedObject")(
        encryptedData=nonce + AESGCM(key).encrypt(nonce, PLAIN, PLACE),
        keyID="key-1",
        encryptedDEKSource=kit.fake.keys["key-1"].encrypt(key),
        annotations=kit.fake.annotations,
    ).SerializeToString()
    provider = kit.provider()
    provider.prime()
    assert provider.open(old, PLACE) == PLAIN
    assert provider.outdated(old)


def test_a_new_key_is_noticed_by_the_status_and_what_was_sealed_before_is_stale(kit: Kit) -> None:
    provider = kit.provider()
    provider.prime()
    old = provider.seal(PLAIN, PLACE)
    kit.fake.rotate("key-2")
    assert not provider.outdated(old)
    provider.check()
    assert (provider.failure, provider.key_id) == ("", "key-2")
    new = provider.seal(PLAIN, PLACE)
    assert provider.outdated(old) and not provider.outdated(new)
    assert provider.open(old, PLACE) == provider.open(new, PLACE) == PLAIN


async def test_without_a_status_it_seals_on_for_three_minutes_and_no_longer(kit: Kit) -> None:
    provider = kit.provider(0.2)
    provider.prime()
    await kit.clock.advance(170)
    provider.check()  # all is well: three minutes from now
    kit.fake.answers["Status"] = lambda: b"\xff"
    await kit.clock.advance(180)
    provider.check()
    assert provider.refusal() == "" and "not of the protocol" in provider.failure
    await kit.clock.advance(1)
    assert provider.refusal() == (
        f'encryptedDEKSource with keyID hash "{hashed("key-1")}" expired at '
        "2026-01-01T00:05:50Z (current time is 2026-01-01T00:05:51Z)"
    )
    assert provider.open(provider.seal(PLAIN, PLACE), PLACE) == PLAIN
    kit.fake.answers.clear()
    provider.check()
    assert (provider.refusal(), provider.failure) == ("", "")


def answer(name: str, **fields: object) -> Callable[[], bytes]:
    made: bytes = message(name)(**fields).SerializeToString()
    return lambda: made


def status(**fields: str) -> Callable[[], bytes]:
    return answer("StatusResponse", **{"version": "v2", "healthz": "ok", "key_id": "k", **fields})


def encrypted(**fields: Any) -> Callable[[], bytes]:
    given = {"ciphertext": b"x", "key_id": "key-1", **fields}
    return answer("EncryptResponse", **given)


def crash() -> bytes:
    raise ValueError("the plugin's own trouble")


@pytest.mark.parametrize(
    ("method", "answered", "text"),
    [
        ("Status", status(healthz="on\nfire"), "vault is not healthy, error: [got unexpected heal"),
        ("Status", status(version="v3"), "expected KMSv2 API version v2, got v3"),
        ("Status", status(key_id=""), 'got invalid KMSv2 KeyID hash "": keyID is empty'),
        ("Status", status(key_id="k" * 1025), "keyID is 1025 bytes, which exceeds the max size of"),
        ("Status", status(), f'it was sealed by key "{hashed("key-1")}", statusKeyIDHash="'),
        ("Status", lambda: b"garbage", "the answer to Status is not of the protocol"),
        ("Status", lambda: b"\x0a\x02\xff\xff", "field 1 is not valid UTF-8"),
        ("Status", lambda: b"\x0a" * 300_000, "rpc error: code = ResourceExhausted"),
        ("Status", crash, "failed to perform status section of the healthz check for KMS Provider"),
        ("Status", lambda: b"", "keyID is empty"),
        ("Encrypt", crash, "failed to rotate DEK: rpc error: code = Unknown desc ="),
        ("Encrypt", lambda: b"\x0a", "the answer to Encrypt is not of the protocol"),
        ("Encrypt", encrypted(ciphertext=b""), "encrypted DEK source is empty"),
        ("Encrypt", encrypted(ciphertext=b"x" * 1025), "encrypted DEK source is 1025 bytes"),
        ("Encrypt", encrypted(key_id=""), "failed to validate key id: keyID is empty"),
        ("Encrypt", encrypted(key_id="other"), f'it was sealed by key "{hashed("other")}"'),
        ("Encrypt", encrypted(annotations={"a.b": b"x" * 32769}), "total size of annotations is"),
        ("Encrypt", encrypted(annotations={"bare": b""}), "at least two segments"),
        ("Encrypt", encrypted(annotations={"no good": b""}), "RFC 1123 subdomain"),
        ("Encrypt", encrypted(annotations={"": b""}), "failed to validate annotations"),
        ("Encrypt", encrypted(), "failed to rotate DEK: rpc error"),  # what it can't open
        ("Decrypt", answer("DecryptResponse", plaintext=b"x" * 32), "does not open what it has"),
        ("Decrypt", lambda: b"", "the plugin does not open what it has sealed"),
    ],
)
def test_a_plugin_that_lies_or_talks_rubbish_seals_nothing(
    kit: Kit, method: str, answered: Callable[[], bytes], text: str
) -> None:
    kit.fake.answers[method] = answered
    provider = kit.provider()
    with pytest.raises(SealError) as caught:
        provider.prime()
    assert text in str(caught.value) and len(str(caught.value)) < 2500
    kit.fake.answers.clear()
    kit.fake.version = "v2"
    provider.check()
    assert provider.failure == ""


@pytest.mark.parametrize("method", ["Status", "Encrypt", "Decrypt"])
def test_a_plugin_that_hangs_is_left_after_its_timeout(kit: Kit, method: str) -> None:
    kit.fake.answers[method] = kit.fake.hang
    provider = kit.provider(0.1)
    with pytest.raises(SealError, match="rpc error: code = DeadlineExceeded"):
        provider.prime()


def test_a_plugin_that_comes_back_is_found_again(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    with served(kit.fake, kit.socket):
        provider = kit.provider(0.2)
        provider.prime()
        sealed = provider.seal(PLAIN, PLACE)
    provider.check()
    assert "rpc error: code = " in provider.failure
    assert provider.open(sealed, PLACE) == PLAIN
    with served(kit.fake, kit.socket):
        for _ in range(20):  # the library waits a little before it tries again
            provider.check()
            if not provider.failure:
                break
        assert (provider.failure, provider.open(sealed, PLACE)) == ("", PLAIN)
        provider.close()
        provider.check()
        assert "error" in provider.failure


def test_the_version_may_not_change(kit: Kit) -> None:
    provider = kit.provider()
    provider.prime()
    kit.fake.version = "v2beta1"
    provider.check()
    assert "should not change after the initial status response version v2" in provider.failure


def test_a_failed_rotation_keeps_the_old_seed(kit: Kit) -> None:
    provider = kit.provider()
    provider.prime()
    kit.fake.rotate("key-2")
    kit.fake.answers["Encrypt"] = crash
    provider.check()
    assert "failed to rotate DEK" in provider.failure and provider.key_id == "key-1"
    assert provider.open(provider.seal(PLAIN, PLACE), PLACE) == PLAIN
    assert provider.refusal() == ""


def test_a_wrong_seed_opens_nothing_and_is_not_kept(kit: Kit) -> None:
    first = kit.provider()
    first.prime()
    sealed = first.seal(PLAIN, PLACE)
    second = kit.provider()
    kit.fake.answers["Decrypt"] = answer("DecryptResponse", plaintext=b"x" * 32)
    with pytest.raises(CipherError):
        second.open(sealed, PLACE)
    kit.fake.answers["Decrypt"] = answer("DecryptResponse", plaintext=b"short")
    with pytest.raises(SealError, match="invalid seed length 5 used for key generation"):
        second.open(sealed, PLACE)
    kit.fake.answers.clear()
    assert second.open(sealed, PLACE) == PLAIN


def test_values_that_were_changed_moved_or_cut_do_not_open(kit: Kit) -> None:
    provider = kit.provider()
    provider.prime()
    sealed = provider.seal(PLAIN, PLACE)
    with pytest.raises(CipherError):
        provider.open(sealed, b"//secrets/default/b")
    for wrong in (
        b"",
        b"rubbish",
        sealed[:40],
        bytes([*sealed[:60], sealed[60] ^ 1, *sealed[61:]]),
    ):
        with pytest.raises(CipherError):
            provider.open(wrong, PLACE)
        provider.outdated(wrong)
    short = envelope(b"x" * 40, envelope_tail(read_envelope(sealed).key))
    with pytest.raises(CipherError):
        provider.open(short, PLACE)


def test_a_provider_that_never_had_a_seed_refuses(kit: Kit) -> None:
    provider = kit.provider()
    assert provider.refusal() and provider.key_id == ""
    with pytest.raises(SealError):
        provider.seal(PLAIN, PLACE)


@given(
    st.binary(min_size=1, max_size=40),
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=9), st.binary(max_size=9), max_size=3),
)
def test_envelopes_are_those_of_the_library(
    data: bytes, key_id: str, annotations: dict[str, bytes]
) -> None:
    key = Sealed(data[::-1], key_id, annotations)
    made = envelope(data, envelope_tail(key))
    found = message("EncryptedObject").FromString(made)
    assert (found.encryptedData, found.keyID) == (data, key_id)
    assert dict(found.annotations) == annotations
    assert read_envelope(found.SerializeToString()) == read_envelope(made)
    assert read_envelope(made).key == key


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(chunk: bytes) -> None:
    for read in (read_status, read_envelope):
        try:
            read(chunk)
        except ProtobufError:
            pass
