"""What KMS v2 lets a plugin say, with kube-apiserver's words for what it does not."""

import hashlib
from collections.abc import Iterator

from argosy.api.names import label_faults, subdomain_faults
from argosy.store.kms.messages import Sealed

LONGEST_ANNOTATIONS = 32 * 1024
LONGEST = 1024
"""Of a key's id, and of a sealed seed, in bytes."""


def hashed(key_id: str) -> str:
    """How a key's id is shown: it may tell too much."""
    return f"sha256:{hashlib.sha256(key_id.encode()).hexdigest()}" if key_id else ""


def key_fault(key_id: str) -> str:
    """What is wrong with a key's id; empty where nothing is."""
    size = len(key_id.encode())
    if not size:
        return "keyID is empty"
    if size > LONGEST:
        return f"keyID is {size} bytes, which exceeds the max size of {LONGEST}"
    return ""


def sealed_faults(key: Sealed) -> Iterator[str]:
    """What is wrong with a sealed seed, and what came with it."""
    size = len(key.ciphertext)
    if not size:
        yield "failed to validate encrypted DEK source: encrypted DEK source is empty"
    elif size > LONGEST:
        exceeds = f"is {size} bytes, which exceeds the max size of {LONGEST}"
        yield f"failed to validate encrypted DEK source: encrypted DEK source {exceeds}"
    if fault := key_fault(key.key_id):
        yield f"failed to validate key id: {fault}"
    total = sum(len(name.encode()) + len(value) for name, value in key.annotations.items())
    if total > LONGEST_ANNOTATIONS:
        exceeds = f"is {total}, which exceeds the max size of {LONGEST_ANNOTATIONS}"
        yield f"failed to validate annotations: total size of annotations {exceeds}"
        return
    for name in key.annotations:
        if faults := _domain_faults(name):
            yield f"failed to validate annotations: {name[:LONGEST]!r}: {faults[0]}"


def _domain_faults(name: str) -> list[str]:
    """Of a fully qualified domain name (RFC 1123)."""
    bare = name.removesuffix(".")
    if faults := subdomain_faults(bare):
        return faults
    labels = bare.split(".")
    if len(labels) < 2:
        return ["should be a domain with at least two segments separated by dots"]
    return [fault for label in labels for fault in label_faults(label)]
