"""What is sealed opens again, with the same key and in the same place only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.secret import SecretBox

from argosy.store.ciphers import Cbc, Gcm, Secretbox
from argosy.store.sealing import Cipher, CipherError

secrets = st.sampled_from((16, 24, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n))


@given(secret=secrets, plain=st.binary(max_size=300), place=st.binary(max_size=40))
@settings(max_examples=60)
@pytest.mark.parametrize("make", [Gcm, Cbc])
def test_what_is_sealed_opens_and_never_looks_the_same_twice(
    make: type[Gcm] | type[Cbc], secret: bytes, plain: bytes, place: bytes
) -> None:
    cipher: Cipher = make(secret)
    sealed = cipher.seal(plain, place)
    assert cipher.open(sealed, place) == plain
    assert len(plain) < 8 or plain not in sealed
    assert cipher.seal(plain, place) != sealed


@given(data=st.data(), plain=st.binary(max_size=100))
@settings(max_examples=60)
def test_gcm_finds_every_change_of_text_place_and_key(data: st.DataObject, plain: bytes) -> None:
    cipher = Gcm(bytes(32))
    sealed = cipher.seal(plain, b"/a")
    at = data.draw(st.integers(0, len(sealed) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = sealed[:at] + bytes([sealed[at] ^ (1 << bit)]) + sealed[at + 1 :]
    for cipher_, text, place in (
        (cipher, changed, b"/a"),
        (cipher, sealed, b"/b"),
        (Gcm(b"\1" * 32), sealed, b"/a"),
        (cipher, sealed[:at], b"/a"),
    ):
        with pytest.raises(CipherError):
            cipher_.open(text, place)


@pytest.mark.parametrize("sealed", [b"", b"x" * 16, b"x" * 31, b"x" * 33, bytes(32)])
def test_cbc_refuses_what_is_no_padded_text(sealed: bytes) -> None:
    with pytest.raises(CipherError):
        Cbc(bytes(16)).open(sealed, b"/a")


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_no_bytes_make_a_cipher_fail_otherwise(sealed: bytes) -> None:
    for cipher in (Gcm(bytes(16)), Cbc(bytes(16))):
        try:
            cipher.open(sealed, b"/a")
        except CipherError:
            continue


@given(secret=st.binary(min_size=32, max_size=32), plain=st.binary(max_size=300))
@settings(max_examples=30)
def test_a_secretbox_is_nacls(secret: bytes, plain: bytes) -> None:
    box = Secretbox(secret)
    sealed = box.seal(plain, b"/a")
    assert box.open(sealed, b"/b") == plain == SecretBox(secret).decrypt(sealed)
    assert len(sealed) == 24 + 16 + len(plain) and box.seal(plain, b"/a") != sealed
    for wrong in (b"", sealed[:-1], sealed[:20], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(CipherError):
            box.open(wrong, b"/a")
