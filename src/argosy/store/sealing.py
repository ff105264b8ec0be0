"""Encryption at rest: values of chosen resources are sealed on the disk, and nowhere else.

Memory, watches and mutations hold plain bytes; only a row of the file holds a sealed value. It
begins with the name of the provider and of the key that sealed it, as kube-apiserver's values in
etcd do: `k8s:enc:aesgcm:v1:NAME:`. The key of the store is authenticated with it, so a value that
is moved to another key does not open (with AES-CBC, which authenticates nothing, it does).

The first lock of a resource seals, all of them open. What was not sealed by the first, by the key
that it has now, is stale; a store seals it anew when it is opened (`Database.reseal`), and when a
key changes while it is open (`kms.keeper`). The configuration file is read by `encryption`, the
ciphers are in `ciphers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from argosy.store.kms.figures import Figures

MARK = b"k8s:enc:"
"""What every sealed value begins with, and no object: these are JSON."""
_KEPT = (
    "start with the configuration that has the key, after the one that shall seal from now on "
    "(--encryption-provider-config); nothing was changed"
)
_OTHER = (
    "start with the secret that the key had, or restore a backup with `argosy restore --force`; "
    "nothing was changed"
)


class CipherError(Exception):
    """A value does not open with this key."""


class SealError(Exception):
    """Values can't be opened; the text says why, `hint` what would help. Neither has a secret."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Cipher(Protocol):
    """Seals and opens with one key; `place` is the store's key of the value."""

    def seal(self, plain: bytes, place: bytes) -> bytes: ...

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Raises CipherError."""
        ...


class Remote(Cipher, Protocol):
    """A cipher whose keys another process keeps (`kms.provider`); it changes them now and then.

    `failure` is what its last check found; empty where all is well.
    """

    name: str
    failure: str
    figures: Figures

    @property
    def key_id(self) -> str:
        """The key that seals now."""
        ...

    def check(self) -> None:
        """Ask the other process. Blocks."""
        ...

    def prime(self) -> None:
        """Make sure that it can seal. Blocks. Raises SealError."""
        ...

    def refusal(self) -> str:
        """Why it must not seal now; empty where it may."""
        ...

    def outdated(self, sealed: bytes) -> bool:
        """Whether the value is sealed by another key than the one that seals now."""
        ...

    def close(self) -> None:
        """End what waits for the other process."""
        ...


@dataclass(frozen=True, slots=True)
class Lock:
    """One key of a provider. Without a cipher it is the provider `identity`: values stay plain.

    `remote` is the cipher itself, where it is one.
    """

    prefix: bytes = b""
    cipher: Cipher | None = None
    remote: Remote | None = None

    def seal(self, plain: bytes, place: str) -> bytes:
        """The value as it goes to the disk."""
        if self.cipher is None:
            return plain
        return self.prefix + self.cipher.seal(plain, place.encode())

    def fits(self, stored: bytes) -> bool:
        """Whether the value looks like one of this lock's."""
        if self.cipher is None:
            return not stored.startswith(MARK)
        return stored.startswith(self.prefix)

    def open(self, stored: bytes, place: str) -> bytes:
        """The plain value. Raises CipherError."""
        if self.cipher is None:
            return stored
        return self.cipher.open(stored[len(self.prefix) :], place.encode())

    def outdated(self, stored: bytes) -> bool:
        """Whether the value, which is one of this lock's, is to be sealed anew."""
        return self.remote is not None and self.remote.outdated(stored[len(self.prefix) :])


PLAIN = (Lock(),)


class Sealing:
    """Which locks the values of a resource have.

    `locks` are by resource: `secrets.`, `deployments.apps`, `*.apps` (of a group), `*.` (of the
    core group), `*.*` (of all); the most exact one counts. All others have `identity`. `source`
    tells the configuration that says so from others.
    """

    def __init__(
        self, locks: Mapping[str, tuple[Lock, ...]] | None = None, source: bytes = b""
    ) -> None:
        self.source = source
        self._locks = dict(locks or {})
        self._known: dict[str, tuple[Lock, ...]] = {}
        all_ = (lock.remote for found in self._locks.values() for lock in found)
        self.remotes = tuple(dict.fromkeys(remote for remote in all_ if remote is not None))

    def prime(self) -> None:
        """Make sure that those can seal which shall. May block. Raises SealError."""
        firsts = (found[0].remote for found in self._locks.values())
        for remote in dict.fromkeys(remote for remote in firsts if remote is not None):
            remote.prime()

    def refusal(self, place: str) -> str:
        """Why no value of key `place` can be sealed now; empty where it can."""
        remote = self._of(place)[0].remote
        return remote.refusal() if remote is not None else ""

    def failure(self) -> str:
        """What is wrong with keys that others keep; empty where nothing is."""
        faults = (
            f"kms-provider-{index}: {remote.failure}"
            for index, remote in enumerate(self.remotes)
            if remote.failure
        )
        return ", ".join(faults)

    def become(self, other: "Sealing") -> None:
        """Seal and open as `other` does from now on. Nobody may be at it meanwhile."""
        self._locks, self._known = other._locks, {}
        self.remotes, self.source = other.remotes, other.source

    def close(self) -> None:
        """End what waits for keys that others keep."""
        for remote in self.remotes:
            remote.close()

    def sealed(self, place: str, plain: bytes) -> bytes:
        """The value of key `place` as it goes to the disk."""
        return self._of(place)[0].seal(plain, place) if self._locks else plain

    def opened(self, place: str, stored: bytes) -> tuple[bytes, bool]:
        """The plain value, and whether it is stale. May block (`remotes`). Raises SealError."""
        if not self._locks and not stored.startswith(MARK):
            return stored, False
        refused = False
        for index, lock in enumerate(self._of(place)):
            if lock.fits(stored):
                try:
                    return lock.open(stored, place), index > 0 or lock.outdated(stored)
                except CipherError:  # two keys may have one name while they are rotated
                    refused = True
        raise _refusal(place, stored, refused)

    def _of(self, place: str) -> tuple[Lock, ...]:
        folder = place[: place.find("/", place.find("/", 1) + 1)]
        locks = self._known.get(folder)
        if locks is None:
            locks = self._known[folder] = self._found(folder)
        return locks

    def _found(self, folder: str) -> tuple[Lock, ...]:
        _, _, rest = folder.partition("/")
        group, _, plural = rest.partition("/")
        for name in (f"{plural}.{group}", f"*.{group}", "*.*"):
            if name in self._locks:
                return self._locks[name]
        return PLAIN


def other_key(place: str) -> SealError:
    """A value opens, but not to what it is: by a cipher that can't tell."""
    said = f"the value of {place} opens to something else than what it is: the key is another one"
    return SealError(said, _OTHER)


def _refusal(place: str, stored: bytes, refused: bool) -> SealError:
    if not stored.startswith(MARK):
        return SealError(
            f"the value of {place} is plain text, and the configuration of encryption has no "
            "provider for that",
            "add the provider identity as the last one of its resource; what is plain is sealed "
            "when the cluster starts",
        )
    provider, _, rest = stored[len(MARK) : len(MARK) + 512].partition(b":")
    key = rest.partition(b":")[2].partition(b":")[0].decode(errors="replace")
    sealed = f"the value of {place} is sealed by {provider.decode(errors='replace')} key {key!r}"
    if refused:
        return SealError(
            f"{sealed}, and does not open: the key was another one then, or the value was "
            "changed or moved since",
            _OTHER,
        )
    return SealError(f"{sealed}, which the configuration of encryption does not have for it", _KEPT)
