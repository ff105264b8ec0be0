"""Whether a pod keeps to a standard, and the words for where it does not."""

from collections.abc import Iterable
from dataclasses import dataclass

from argosy.security.podsecurity.levels import Standard
from argosy.security.podsecurity.subject import Json, subject
from argosy.security.podsecurity.table import NEWEST, demands


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that a pod fails, why in short, and with what was found; `detail` may be empty."""

    check: str
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


def evaluate(
    standard: Standard, metadata: Json, spec: Json, *, newest: int | None = None
) -> tuple[Finding, ...]:
    """What a pod fails of a standard; nothing where it keeps to it.

    The pod has the structure of its kind. `newest` is the minor that is served, if not the
    newest that is known: `latest` means this one, and so does every later version.
    """
    newest = NEWEST if newest is None else min(newest, NEWEST)
    minor = newest if standard.minor is None else min(standard.minor, newest)
    asked = demands(standard.level, minor)
    if not asked:
        return ()
    pod = subject(metadata, spec)
    findings: list[Finding] = []
    for name, test in asked:
        if (found := test(pod)) is not None:
            findings.append(Finding(name, found.reason, found.detail))
    return tuple(findings)


def in_detail(findings: Iterable[Finding]) -> str:
    """All that is wrong with one pod."""
    return ", ".join(map(str, findings))


def in_short(findings: Iterable[Finding]) -> str:
    """The same, as it may be said of many pods at once."""
    return ", ".join(finding.reason for finding in findings)
