"""Which ReplicaSet is of which template, and which came when.

A set is the newest one where its template is the Deployment's, but for the hash that tells the sets
apart. Revisions are numbers in annotations; `kubectl rollout` reads them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from argosy.api.replicas import Deployment, ReplicaSet

Json = dict[str, Any]
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
LONGEST_HISTORY = 2000
LONGEST_NAME = 253
KEPT_BACK = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        HISTORY,
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations of a Deployment that its sets don't get."""
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""As upstream's hashes have it: it makes no words."""
HASH_LENGTH = 10
MAPS = frozenset(
    {
        "annotations",
        "labels",
        "limits",
        "matchLabels",
        "metadata",
        "nodeSelector",
        "overhead",
        "requests",
        "resources",
    }
)
"""Fields that are the same empty and absent; an empty label selector, say, is not."""

LONGEST = 4096
"""Bytes of a template up to which its identity is remembered: 16 MiB in all."""


def identity(template: bytes) -> bytes:
    """What two templates share where they are the same, but for the hash among their labels."""
    return _identity(template) if len(template) <= LONGEST else _identity.__wrapped__(template)


@lru_cache(maxsize=4096)
def _identity(template: bytes) -> bytes:
    plain = _without_empty(msgspec.json.decode(template))
    labels = (plain.get("metadata") or {}).get("labels") or {}
    if labels.pop(HASH, None) is not None:
        plain = _without_empty(plain)
    return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).digest()


def template_hash(template: bytes, collisions: int | None) -> str:
    """The hash of a template; another one after each collision."""
    count = b"" if collisions is None else str(collisions).encode()
    digest = hashlib.sha256(identity(template) + count).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:HASH_LENGTH])


def set_name(deployment: Deployment, hashed: str) -> str:
    """The name of the set of a template."""
    return f"{deployment.metadata.name[: LONGEST_NAME - 1 - len(hashed)]}-{hashed}"


def oldest_first(sets: Iterable[ReplicaSet]) -> list[ReplicaSet]:
    """In the order in which they were made."""
    return sorted(sets, key=_made)


def find_new(deployment: Deployment, sets: Iterable[ReplicaSet]) -> ReplicaSet | None:
    """The set of the Deployment's template; of several the oldest, always the same."""
    wanted = identity(bytes(deployment.spec.template))
    same = (item for item in oldest_first(sets) if identity(bytes(item.spec.template)) == wanted)
    return next(same, None)


def revision(annotations: Mapping[str, str]) -> int | None:
    """The revision that annotations tell: 0 where there is none, None where it is no number."""
    text = annotations.get(REVISION)
    if text is None:
        return 0
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def next_revision(old: Iterable[ReplicaSet]) -> int:
    """The revision after all of the `old` sets."""
    return max((revision(item.metadata.annotations) or 0 for item in old), default=0) + 1


def by_revision(sets: Sequence[ReplicaSet]) -> list[ReplicaSet]:
    """The lowest revision first."""
    return sorted(sets, key=lambda item: (revision(item.metadata.annotations) or 0, _made(item)))


def annotations_of(
    deployment: Deployment, present: Mapping[str, str], number: int
) -> dict[str, str]:
    """The annotations of the newest set: those of the Deployment, its revision and earlier ones."""
    given = deployment.metadata.annotations.items()
    new = {**present, **{name: text for name, text in given if name not in KEPT_BACK}}
    told = present.get(REVISION)
    before = revision(present) if told else 0
    if before is None or before >= number:
        return new
    new[REVISION] = str(number)
    if told is not None:
        new[HISTORY] = _longer(present.get(HISTORY, ""), told)
    return new


def _longer(history: str, last: str) -> str:
    """The history with one more revision at its end; the first are left out where it is full."""
    texts = [text for text in history.split(",") if text]
    while texts and len(",".join([*texts, last])) > LONGEST_HISTORY:
        texts.pop(0)
    return ",".join([*texts, last])


def _made(item: ReplicaSet) -> tuple[str, str]:
    return (item.metadata.creation_timestamp or "", item.metadata.name)


def _without_empty(value: Any) -> Any:
    """Without nulls, empty lists and empty maps, where those say no more than an absent field."""
    if isinstance(value, dict):
        kept = {name: _without_empty(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if not _says_nothing(name, item)}
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    return value


def _says_nothing(name: str, value: Any) -> bool:
    return value is None or value == [] or (value == {} and name in MAPS)
