"""Health as kube-apiserver tells of it: `/healthz`, `/livez`, `/readyz`, and their single checks.

Why a check fails is said by the check alone (`/readyz/NAME`), which not everybody may ask; the list
withholds it. Nothing here waits: a check reads what is known already.
"""

from collections.abc import Callable
from dataclasses import dataclass

from argosy.base.clock import Clock
from argosy.http.checks import Check, listed, single
from argosy.http.message import Request, Response
from argosy.store.interface import Store

ROOTS = ("/healthz", "/livez", "/readyz")
REMEMBERED = 60.0
"""Seconds after which a refusal counts no more, where nobody has tried to write since."""


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
            return listed(self._checks[path], path[1:], request.query, self._noted(path))
        for root, checks in self._checks.items() if path.startswith(ROOTS) else ():
            for check in checks:
                if path == f"{root}/{check.name}":
                    return single(check)
        return None

    def _noted(self, path: str) -> Callable[[Check], bool]:
        """Whether a check holds, counted as asked for at `path`."""

        def holds(check: Check) -> bool:
            holding = check.holds
            outcome = self.outcomes.setdefault((check.name, path[1:]), [0, 0, 0])
            outcome[holding] += 1
            outcome[2] = int(holding)
            return holding

        return holds


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
