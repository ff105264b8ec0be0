"""JSON merge patch (RFC 7386): what a client wants different, with null for what has to go."""

from typing import Any

from argosy.base.errors import bad_request

MAX_DEPTH = 200
"""Levels of nesting in a patch; Kubernetes' own kinds stay below 30."""


def merge(target: Any, patch: Any) -> Any:
    """`target` with `patch` laid over it. Shares what is unchanged; raises 400 on deep nesting."""
    return _merged(target, patch, MAX_DEPTH)


def _merged(target: Any, patch: Any, depth: int) -> Any:
    if not isinstance(patch, dict):
        return patch
    if not depth:
        raise bad_request(f"the patch is nested more than {MAX_DEPTH} levels deep")
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value, depth - 1)
    return merged
