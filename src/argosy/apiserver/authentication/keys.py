"""The key that signs the tokens of service accounts, and what tells others how to check them.

RS256, because every verifier of OpenID Connect tokens knows it and some know nothing else. Making
the key takes a tenth of a second, and many clusters never sign anything: so it is made when the
first token, or the first look at the public key, asks for it, and then kept in a file.
"""

import base64
import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from argosy.apiserver.authentication.tokens import TokenError

ALGORITHM = "RS256"
_BITS = 2048
_EXPONENT = 65537


class KeyFileError(Exception):
    """The file of the signing key can't be read, or is none."""


@dataclass(frozen=True, slots=True)
class _Key:
    private: rsa.RSAPrivateKey
    id: str


class Keys:
    """The signing key, in a file that is for its owner's eyes, or in memory alone."""

    def __init__(self, file: Path | None = None) -> None:
        """Raises KeyFileError where there is a file that is no key."""
        self._file = file
        self._making = threading.Lock()
        self._key = None if file is None else _load(file)

    @property
    def made(self) -> bool:
        """Whether there is a key yet."""
        return self._key is not None

    def make(self) -> None:
        """Make the key, unless there is one. Takes long; may be called from any thread."""
        with self._making:
            if self._key is None:
                private = rsa.generate_private_key(_EXPONENT, _BITS)
                if self._file is not None:
                    _save(self._file, private)
                self._key = _Key(private, _identifier(private))

    def sign(self, payload: bytes) -> str:
        """A token that carries `payload`."""
        import jwt  # here, because most clusters start without signing or reading a token

        key = self._needed()
        headers = {"kid": key.id, "typ": None}
        return jwt.PyJWS([ALGORITHM]).encode(payload, key.private, ALGORITHM, headers)

    def verified(self, token: str) -> bytes:
        """What `token` carries, if it was signed here. Raises TokenError."""
        import jwt

        if self._key is None:
            raise TokenError("invalid signature, no keys found")
        reader = jwt.PyJWS([ALGORITHM])
        try:
            if reader.get_unverified_header(token).get("kid", self._key.id) != self._key.id:
                raise TokenError("invalid signature, no keys found")
            payload: bytes = reader.decode(token, self._key.private.public_key(), [ALGORITHM])
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenError("invalid bearer token") from None
        return payload

    def published(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set (RFC 7517)."""
        key = self._needed()
        numbers = key.private.public_key().public_numbers()
        one = {"use": "sig", "kty": "RSA", "kid": key.id, "alg": ALGORITHM}
        return {"keys": [{**one, "n": _number(numbers.n), "e": _number(numbers.e)}]}

    def _needed(self) -> _Key:
        self.make()
        assert self._key is not None
        return self._key


def _load(file: Path) -> _Key | None:
    try:
        pem = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyFileError(f"reading {file}: {error.strerror or error}") from None
    try:
        # The primes of a key of our own need no test at every start.
        private = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise KeyFileError(f"reading {file}: it holds no RSA key")
    return _Key(private, _identifier(private))


def _save(file: Path, private: rsa.RSAPrivateKey) -> None:
    """Written whole or not at all, and for nobody else to read."""
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(pem)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)


def _identifier(private: rsa.RSAPrivateKey) -> str:
    """As upstream's: a hash of the public key, so that it follows from the key alone."""
    der = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _text(hashlib.sha256(der).digest())


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
