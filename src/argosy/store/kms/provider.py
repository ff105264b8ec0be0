"""A provider of kind `kms`: values are sealed here, with keys made of a seed that its plugin seals.

KMS v2's scheme: for each value a key is derived from the seed and 32 random bytes (HKDF with
SHA-256, expand alone, RFC 5869, 2.3), and used once with AES-GCM. The value is stored together with
the sealed seed. So the plugin is asked for a seed when a key is new, and for those of stored values
when the store is opened; writes and reads never wait for it.

Whether its key is new, its status tells, which is asked again and again (`keeper`). Where it can't
be had the last seed seals on for three minutes. Then writes are refused, as upstream: otherwise a
key that was withdrawn would be used for ever. A new seed is opened by the plugin once before it
seals anything, which upstream leaves out: what a plugin can't open any more would be lost.
"""

import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from argosy.api.protobuf.wire import ProtobufError
from argosy.base.clock import Clock, timestamp
from argosy.store.ciphers import NONCE, TAG, Gcm
from argosy.store.kms.limits import LONGEST, hashed, key_fault, sealed_faults
from argosy.store.kms.messages import (
    KEY,
    SEED,
    Sealed,
    Status,
    envelope,
    envelope_tail,
    read_envelope,
    split_envelope,
)
from argosy.store.kms.plugin import Plugin, PluginError
from argosy.store.sealing import CipherError, SealError

INFO = 32
SEED_BYTES = 32
GOOD_FOR = 180.0
"""Seconds that a seed seals on while its plugin's status can't be had."""
MOST_SEEDS = 4096
VERSIONS = ("v2", "v2beta1")
_HINT = (
    "start the plugin, or see what it says; it must be able to open all that it has sealed; "
    "nothing was changed"
)


@dataclass(frozen=True, slots=True)
class State:
    """The seed that seals now. `until` is of the monotonic clock, `expires` is what it shows."""

    seed: bytes
    tail: bytes
    key_id: str
    hashed: str
    until: float
    expires: datetime


@dataclass(slots=True)
class Head:
    """What stands beside the data of values, and the seed, or the key, where it is known."""

    key: Sealed
    kind: int
    hashed: str
    seed: bytes | None = None


class Provider:
    """Seals and opens by one plugin. `failure` is what its last check found, empty if nothing."""

    def __init__(self, name: str, plugin: Plugin, clock: Clock) -> None:
        self.name = name
        self.failure = "no status was had yet"
        self.figures = plugin.figures
        self._plugin = plugin
        self._clock = clock
        self._version = ""
        self._state: State | None = None
        self._lock = Lock()
        self._heads: dict[bytes, Head] = {}

    @property
    def key_id(self) -> str:
        """The plugin's key by which values are sealed now."""
        return self._state.key_id if self._state else ""

    def check(self) -> None:
        """Ask for the plugin's status, and for a sealed seed where its key is new. Blocks."""
        try:
            status = self._plugin.status()
        except PluginError as error:
            what = "failed to perform status section of the healthz check for KMS Provider"
            self.failure = f"{what} {self.name}, error: {error}"
            return
        faults = list(self._faults(status))
        told = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        unhealthy = f"kmsv2 Provider {self.name} is not healthy, error: {told}"
        self.failure = unhealthy if faults else ""

    def prime(self) -> None:
        """Make sure that it can seal. Blocks. Raises SealError."""
        self.check()
        if self.failure or self._state is None:
            raise SealError(self.failure, _HINT)

    def refusal(self) -> str:
        """Why it must not seal now; empty where it may."""
        state = self._state
        if state is None:
            return "got unexpected nil transformer"
        if self._clock.monotonic() <= state.until:
            return ""
        now = timestamp(self._clock.now())
        expired = f'encryptedDEKSource with keyID hash "{hashed(state.key_id)}" expired at'
        return f"{expired} {timestamp(state.expires)} (current time is {now})"

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """An envelope. Raises SealError where no seed was ever had."""
        state = self._state
        if state is None:
            raise SealError(self.failure, _HINT)
        self.figures.used("to_storage", state.hashed)
        info = os.urandom(INFO)
        return envelope(info + Gcm(_derived(state.seed, info)).seal(plain, place), state.tail)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The plain text. May block. Raises CipherError; SealError where the plugin is of no use.

        A seed that was got wrong is forgotten, and asked for again.
        """
        data, head = self._split(sealed)
        self.figures.used("from_storage", head.hashed)
        if head.seed is None:
            head.seed = self._asked(head, place)
        try:
            return _opened(head, data, place)
        except CipherError:
            head.seed = None
            raise

    def outdated(self, sealed: bytes) -> bool:
        """Whether it was sealed by another key than the plugin's newest."""
        try:
            _, head = self._split(sealed)
        except CipherError:
            return False
        return bool(self._state) and (head.key.key_id != self.key_id or head.kind != SEED)

    def close(self) -> None:
        """End what waits for the plugin."""
        self._plugin.close()

    def _split(self, sealed: bytes) -> tuple[bytes, Head]:
        """The data, and what is known of its seed. Raises CipherError."""
        try:
            data, tail = split_envelope(sealed)
            head = self._heads.get(tail)
            if head is None:
                head = self._remember(tail, _head(tail))
        except ProtobufError:
            raise CipherError from None
        return data, head

    def _asked(self, head: Head, place: bytes) -> bytes:
        """The seed. Raises SealError."""
        try:
            seed = self._plugin.decrypt(head.key)
            if head.kind == SEED and len(seed) < SEED_BYTES:
                raise PluginError(f"invalid seed length {len(seed)} used for key generation")
        except PluginError as error:
            where = f"the value of {place.decode(errors='replace')} is sealed by kms key"
            detail = f"failed to decrypt DEK, error: {error}"
            raise SealError(f"{where} {self.name!r}: {detail}", _HINT) from None
        return seed

    def _remember(self, tail: bytes, head: Head) -> Head:
        with self._lock:  # a status may be had while values are sealed anew
            if len(self._heads) >= MOST_SEEDS:
                del self._heads[next(iter(self._heads))]
            self._heads[tail] = head
        self.figures.seeds = len(self._heads)
        return head

    def _faults(self, status: Status) -> Iterator[str]:
        if status.healthz != "ok":
            yield f"got unexpected healthz status: {status.healthz[:LONGEST]}"
        if status.version not in VERSIONS:
            yield f"expected KMSv2 API version v2, got {status.version[:LONGEST]}"
        elif status.version != (self._version or status.version):
            yield (
                "KMSv2 API version should not change after the initial status response version "
                f"{self._version}, got {status.version}"
            )
        else:
            self._version = status.version
        if fault := key_fault(status.key_id):
            error = "too_long" if status.key_id else "empty"
            self.figures.wrong[error] = self.figures.wrong.get(error, 0) + 1
            yield f'got invalid KMSv2 KeyID hash "{hashed(status.key_id)}": {fault}'
            return
        try:
            self._rotate(status.key_id)
        except PluginError as error:
            hashes = f'statusKeyIDHash="{hashed(status.key_id)}", stateKeyIDHash="'
            yield f'failed to rotate DEK: {error}, {hashes}{hashed(self.key_id)}"'

    def _rotate(self, key_id: str) -> None:
        """Go on with the seed where the key is the same; else get another. Raises PluginError."""
        until = self._clock.monotonic() + GOOD_FOR
        expires = self._clock.now() + timedelta(seconds=GOOD_FOR)
        if self._state is not None and self._state.key_id == key_id:
            self._state = replace(self._state, until=until, expires=expires)
            return
        seed = os.urandom(SEED_BYTES)
        sealed = self._plugin.encrypt(seed)
        if faults := list(sealed_faults(sealed)):
            raise PluginError("; ".join(faults))
        if sealed.key_id != key_id:
            raise PluginError(f'it was sealed by key "{hashed(sealed.key_id)}"')
        if not hmac.compare_digest(self._plugin.decrypt(sealed), seed):
            raise PluginError("the plugin does not open what it has sealed")
        tail = envelope_tail(sealed)
        self._remember(tail, Head(sealed, SEED, hashed(key_id), seed))
        self._state = State(seed, tail, key_id, hashed(key_id), until, expires)


def _head(tail: bytes) -> Head:
    """What an envelope says beside its data. Raises CipherError, ProtobufError."""
    found = read_envelope(tail)
    if found.kind not in (KEY, SEED) or list(sealed_faults(found.key)):
        raise CipherError
    return Head(found.key, found.kind, hashed(found.key.key_id))


def _opened(head: Head, data: bytes, place: bytes) -> bytes:
    key = head.seed or b""
    if head.kind == SEED:
        key, data = _derived(key, data[:INFO]), data[INFO:]
    if len(data) < NONCE + TAG:
        raise CipherError
    try:
        return AESGCM(key).decrypt(data[:NONCE], data[NONCE:], place)
    except (InvalidTag, ValueError):  # a key of no size that there is
        raise CipherError from None


def _derived(seed: bytes, info: bytes) -> bytes:
    """The first block of HKDF-Expand, which is all that is needed."""
    return hmac.digest(seed, info + b"\x01", "sha256")
