"""For how long a simulated pod runs, and how it ends: what its annotations say. Pure.

`argosy.dev/simulated-run-seconds` is a number of seconds or a duration such as `90s`, `5m`,
`1h30m`; a pod without it runs until somebody deletes it. `argosy.dev/simulated-failure-rate` is the
chance that the run fails. Which runs fail follows from the pod's uid alone: whoever asks again,
after a restart say, gets the same answer.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from argosy.api.cel.values import CelError, parse_duration
from argosy.base.errors import invalid_value

RUN: Final = "argosy.dev/simulated-run-seconds"
FAILURES: Final = "argosy.dev/simulated-failure-rate"
LONGEST: Final = timedelta(days=3650)
_NUMBER: Final = re.compile(r"\d{1,10}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
_SHOWN: Final = 64


@dataclass(frozen=True, slots=True)
class Run:
    """`length`: None where it has no end of its own. `fails`: how it ends, if it does."""

    length: timedelta | None
    fails: bool


def read_run(annotations: Mapping[str, str], uid: str, failures: float) -> Run:
    """The run of the pod `uid`, on a node on which the share `failures` fails unless the pod says
    otherwise. Raises ValueError, in Kubernetes' words."""
    length: timedelta | None = None
    try:
        field = RUN
        if RUN in annotations:
            length = duration(annotations[RUN])
        field = FAILURES
        if FAILURES in annotations:
            failures = rate(annotations[FAILURES])
    except ValueError as error:
        value = annotations[field][:_SHOWN]
        told = invalid_value(f"metadata.annotations[{field}]", value, str(error))
        raise ValueError(str(told)) from None
    return Run(length, drawn(uid) < failures)


def duration(text: str) -> timedelta:
    """`90`, `0.5`, `90s`, `1h30m`. Raises ValueError."""
    try:
        length = timedelta(microseconds=parse_duration(_with_unit(text)).ns // 1000)
    except CelError:
        raise ValueError("must be a number of seconds or a duration such as 90s or 5m") from None
    if not timedelta() <= length <= LONGEST:
        raise ValueError(f"must be between 0 and {LONGEST.days * 24}h")
    return length


def rate(text: str) -> float:
    """A share between 0 and 1. Raises ValueError."""
    value = float(text) if _NUMBER.fullmatch(text) else -1.0
    if not 0.0 <= value <= 1.0:
        raise ValueError("must be a number between 0 and 1")
    return value


def drawn(uid: str) -> float:
    """The pod's lot: evenly spread over [0, 1), and always the same."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:6], "big") / 2**48


def _with_unit(text: str) -> str:
    return f"{text}s" if _NUMBER.fullmatch(text) else text
