"""Health checks, and answers about them in the form of Kubernetes' servers.

Why a check fails is said by the check alone, which not everybody may ask; the list withholds it.
Nothing here waits: a check reads what is known already. Source: apiserver's `healthz`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from argosy.http.message import Response

HEADERS: Mapping[str, str] = {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `failure` says what is wrong, and is empty where nothing is."""

    name: str
    failure: Callable[[], str]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.failure()


def listed(
    checks: Sequence[Check],
    root: str,
    query: str,
    holds: Callable[[Check], bool] = lambda check: check.holds,
) -> Response:
    """What the checks of the endpoint `root` say; `exclude` and `verbose` may be in the query."""
    asked = parse_qs(query, keep_blank_values=True)
    excluded = set(asked.get("exclude", ()))
    lines, healthy = [], True
    for check in checks:
        if check.name in excluded:
            lines.append(f"[+]{check.name} excluded: ok\n")
        elif holds(check):
            lines.append(f"[+]{check.name} ok\n")
        else:
            healthy = False
            lines.append(f"[-]{check.name} failed: reason withheld\n")
    if unknown := sorted(excluded - {check.name for check in checks}):
        names = ",".join(json.dumps(name) for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {names}\n")
    if not healthy:
        return _text(500, f"{''.join(lines)}{root} check failed\n")
    return _text(200, f"{''.join(lines)}{root} check passed\n" if "verbose" in asked else "ok")


def single(check: Check) -> Response:
    """What one check says."""
    failure = check.failure()
    return _text(500, f"internal server error: {failure}\n") if failure else _text(200, "ok")


def _text(status: int, text: str) -> Response:
    return Response(status, HEADERS, text.encode())
