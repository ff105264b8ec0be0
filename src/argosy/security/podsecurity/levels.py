"""Levels and versions, and what a namespace's labels choose of them.

A policy has three modes: `enforce` refuses pods, `audit` notes them down, `warn` tells the client.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from argosy.base.errors import FieldError, invalid_value

Level = Literal["privileged", "baseline", "restricted"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the one that allows all to the strictest."""
LATEST = "latest"
MODES = ("enforce", "audit", "warn")
PREFIX = "pod-security.kubernetes.io/"
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)", re.ASCII)
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Standard:
    """A level as of a version: of Kubernetes' minor, or of the newest where that is None."""

    level: Level = "privileged"
    minor: int | None = None

    def __str__(self) -> str:
        return f"{self.level}:{LATEST if self.minor is None else f'v1.{self.minor}'}"


@dataclass(frozen=True, slots=True)
class Policy:
    """The standard of each mode."""

    enforce: Standard = Standard()
    audit: Standard = Standard()
    warn: Standard = Standard()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The policy that labels choose, and what is wrong with them."""

    policy: Policy
    errors: tuple[FieldError, ...] = ()


def read_level(text: str) -> Level:
    """Raises ValueError for what is none."""
    if text in LEVELS:
        return text
    raise ValueError(f"must be one of {', '.join(LEVELS)}")


def read_version(text: str) -> int | None:
    """The minor of `v1.x`; None for `latest`. Raises ValueError for what is neither."""
    if text == LATEST:
        return None
    found = _VERSION.fullmatch(text)
    if found is None or len(found[1]) > _MOST_DIGITS:
        raise ValueError('must be "latest" or "v1.x"')
    return int(found[1])


def stricter(one: Level, other: Level) -> bool:
    """Whether `one` is stricter than `other`."""
    return LEVELS.index(one) > LEVELS.index(other)


def chosen(labels: Mapping[str, str], defaults: Policy) -> Chosen:
    """What a namespace's labels choose, where they are wrong too.

    A wrong version is the newest. A wrong level is the strictest to enforce, and else none.
    """
    errors: list[FieldError] = []
    enforce = _mode(labels, "enforce", defaults.enforce, "restricted", errors)
    audit = _mode(labels, "audit", defaults.audit, "privileged", errors)
    warn = _mode(labels, "warn", defaults.warn, "privileged", errors)
    if (
        f"{PREFIX}warn" not in labels
        and labels.get(f"{PREFIX}enforce") == enforce.level
        and stricter(enforce.level, warn.level)
    ):  # whoever enforces wants to be told, of workloads too
        pinned = f"{PREFIX}warn-version" in labels
        warn = Standard(enforce.level, warn.minor if pinned else enforce.minor)
    return Chosen(Policy(enforce, audit, warn), tuple(errors))


def _mode(
    labels: Mapping[str, str],
    mode: str,
    default: Standard,
    otherwise: Level,
    errors: list[FieldError],
) -> Standard:
    level, minor = default.level, default.minor
    name = PREFIX + mode
    if (text := labels.get(name)) is not None:
        try:
            level = read_level(text)
        except ValueError as error:
            errors.append(_wrong(name, text, error))
            level = otherwise
    name = f"{PREFIX}{mode}-version"
    if (text := labels.get(name)) is not None:
        try:
            minor = read_version(text)
        except ValueError as error:
            errors.append(_wrong(name, text, error))
            minor = None
    return Standard(level, minor)


def _wrong(label: str, value: str, error: ValueError) -> FieldError:
    return invalid_value(f"metadata.labels[{label}]", value, str(error))
