"""The ciphers of encryption at rest, in the forms that kube-apiserver writes.

AES-GCM: a nonce of 12 random bytes, then the text with its tag. One key must not seal more than
2³² values (NIST SP 800-38D, 8.3): 50 years at two writes a second, so rotate it now and then.
AES-CBC: 16 random bytes, then the text padded to blocks (RFC 5652, 6.3). It authenticates nothing;
it is here to read what was sealed with it. Secretbox: a nonce of 24 random bytes, then XSalsa20 and
Poly1305 (NaCl); the key of the store is not part of it. Its library is read when it is first used.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from argosy.store.sealing import CipherError

NONCE = 12
TAG = 16
BLOCK = 16


class Gcm:
    """AES-GCM; `secret` has 16, 24 or 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._aead = AESGCM(secret)

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Nonce and sealed text."""
        nonce = os.urandom(NONCE)
        return nonce + self._aead.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The plain text. Raises CipherError."""
        if len(sealed) < NONCE + TAG:
            raise CipherError
        try:
            return self._aead.decrypt(sealed[:NONCE], sealed[NONCE:], place)
        except InvalidTag:
            raise CipherError from None


class Cbc:
    """AES-CBC; `secret` has 16, 24 or 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._algorithm = algorithms.AES(secret)

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Initial vector and sealed text; `place` is not part of it."""
        vector = os.urandom(BLOCK)
        pad = BLOCK - len(plain) % BLOCK
        cipher = Cipher(self._algorithm, modes.CBC(vector)).encryptor()
        return vector + cipher.update(plain + bytes([pad]) * pad) + cipher.finalize()

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The plain text. Raises CipherError."""
        if len(sealed) < 2 * BLOCK or len(sealed) % BLOCK:
            raise CipherError
        cipher = Cipher(self._algorithm, modes.CBC(sealed[:BLOCK])).decryptor()
        padded = cipher.update(sealed[BLOCK:]) + cipher.finalize()
        pad = padded[-1]
        if not 0 < pad <= BLOCK or padded[-pad:] != bytes([pad]) * pad:
            raise CipherError
        return padded[:-pad]


class Secretbox:
    """NaCl's secretbox; `secret` has 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        from nacl.secret import SecretBox

        self._box = SecretBox(secret)

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Nonce and sealed text; `place` is not part of it."""
        return bytes(self._box.encrypt(plain))

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The plain text. Raises CipherError."""
        from nacl.exceptions import CryptoError

        try:
            return self._box.decrypt(sealed)
        except (CryptoError, ValueError):  # the latter where it is too short
            raise CipherError from None
