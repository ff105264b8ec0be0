"""Health as kube-apiserver tells of it: `/healthz`, `/livez`, `/readyz`, and their single checks.

Why a check fails is said by the check alone (`/readyz/NAME`), which not everybody may ask; the list
withholds it. Nothing here waits: a check reads what is known already.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from argosy.base.clock import Clock
from argosy.http.message import Request, Response
from argosy.store.interface import Store

HEADERS: Mapping[str, str] = {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
}
ROOTS = ("/healthz", "/livez", "/readyz")
REMEMBERED = 60.0
"""Seconds after which a refusal counts no more, where nobody has tried to write since."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `failure` says what is wrong, and is empty where nothing is."""

    name: str
    failure: Callable[[], str]


@dataclass
class State:
    """What the server is told of the process that it is part of.

    `more` are checks of `/healthz` and `/readyz` alone, as the one of the store.
    """

    bootstrapped: bool = False
    ready: bool = False
    stopping: bool = False
    more: tuple[Check, ...] = ()


class StoreHealth:
    """Whether the store takes what it is given: the last write was not refused by the disk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._refusal = ""
        self._revision = 0
        self._since = 0.0

    def refused(self, reason: str) -> None:
        """A write was refused."""
        self._refusal = reason
        self._revision = self._store.revision
        self._since = self._clock.monotonic()

    def failure(self) -> str:
        """The last refusal; a later write, or enough time, makes up for it."""
        late = self._clock.monotonic() - self._since > REMEMBERED
        if late or self._store.revision > self._revision:
            self._refusal = ""
        return self._refusal


class Health:
    """Answers by path, and counts what came out."""

    def __init__(self, state: State, store: StoreHealth) -> None:
        self._state = state
        self._store = store
        self.outcomes: dict[tuple[str, str], list[int]] = {}
        """By check and endpoint: how often it failed, how often not, and the last (0: failed)."""

    @property
    def _checks(self) -> dict[str, tuple[Check, ...]]:
        return _checks(self._state, self._store)

    @property
    def paths(self) -> list[str]:
        """All paths that are answered."""
        single = [f"{path}/{check.name}" for path, all_ in self._checks.items() for check in all_]
        return [*self._checks, *single]

    def find(self, request: Request, path: str) -> Response | None:
        """The answer for `path`; None where it is none of these."""
        if path in ROOTS:
            return self._all(request, path)
        for root, checks in self._checks.items() if path.startswith(ROOTS) else ():
            for check in checks:
                if path == f"{root}/{check.name}":
                    return _single(check)
        return None

    def _all(self, request: Request, path: str) -> Response:
        query = parse_qs(request.query, keep_blank_values=True)
        excluded = set(query.get("exclude", ()))
        lines, healthy = [], True
        for check in self._checks[path]:
            if check.name in excluded:
                lines.append(f"[+]{check.name} excluded: ok\n")
            elif self._holds(check, path):
                lines.append(f"[+]{check.name} ok\n")
            else:
                healthy = False
                lines.append(f"[-]{check.name} failed: reason withheld\n")
        if unknown := sorted(excluded - {check.name for check in self._checks[path]}):
            names = ",".join(json.dumps(name) for name in unknown)
            lines.append(f"warn: some health checks cannot be excluded: no matches for {names}\n")
        if not healthy:
            return _text(500, f"{''.join(lines)}{path[1:]} check failed\n")
        return _text(
            200, f"{''.join(lines)}{path[1:]} check passed\n" if "verbose" in query else "ok"
        )

    def _holds(self, check: Check, path: str) -> bool:
        holds = not check.failure()
        outcome = self.outcomes.setdefault((check.name, path[1:]), [0, 0, 0])
        outcome[holds] += 1
        outcome[2] = int(holds)
        return holds


def _single(check: Check) -> Response:
    failure = check.failure()
    return _text(500, f"internal server error: {failure}\n") if failure else _text(200, "ok")


def _text(status: int, text: str) -> Response:
    return Response(status, HEADERS, text.encode())


def _checks(state: State, store: StoreHealth) -> dict[str, tuple[Check, ...]]:
    """The store goes by the name of upstream's, so that tools find it.

    It does not count for `/livez`: who ends the process for a full disk ends its pods, and makes no
    room.
    """
    alive = (
        Check("ping", lambda: ""),
        Check("log", lambda: ""),  # lines are written in this very loop: it turns, so they are
    )
    stored = Check("etcd", store.failure)
    begun = Check("poststarthook/bootstrap-controller", lambda: _unless(state.bootstrapped))
    ready = (
        *(*alive, stored, Check("etcd-readiness", store.failure), *state.more, begun),
        Check("poststarthook/start-node", lambda: _unless(state.ready)),
        Check("shutdown", lambda: "process is shutting down" if state.stopping else ""),
    )
    healthy = (*alive, stored, *state.more, begun)
    return {"/healthz": healthy, "/livez": (*alive, begun), "/readyz": ready}


def _unless(finished: bool) -> str:
    return "" if finished else "not finished"
