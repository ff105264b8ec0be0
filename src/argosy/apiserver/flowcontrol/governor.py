"""Who governs a server's requests, made when somebody first asks who is governed at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from argosy.apiserver.catalog import Catalog
    from argosy.apiserver.flowcontrol.fairness import Serve
    from argosy.apiserver.request import User
    from argosy.base.clock import Clock
    from argosy.base.exposition import Family, Histogram
    from argosy.http.message import Request, Response
    from argosy.store.interface import Store


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most requests in progress; with `fair`, their sum is divided by priority levels."""

    reading: int = 400
    writing: int = 200
    fair: bool = True


class _Governing(Protocol):
    async def governed(self, request: "Request", user: "User", serve: "Serve") -> "Response": ...


class Governor:
    """Lets requests pass as `bounds` say. What it needs for that is imported with the first."""

    def __init__(self, store: "Store", catalog: "Catalog", clock: "Clock", bounds: Bounds) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._bounds = bounds
        self._governing: _Governing | None = None

    async def governed(self, request: "Request", user: "User", serve: "Serve") -> "Response":
        """The answer of `serve`, when it may begin; else 429, answered or raised."""
        if self._governing is None:
            self._governing = self._made()
        return await self._governing.governed(request, user, serve)

    def families(self) -> "Iterator[Family | Histogram]":
        """Metrics, if somebody was governed."""
        if self._governing is None:
            return
        from argosy.apiserver.flowcontrol.fairness import Fairness

        if isinstance(self._governing, Fairness):
            yield from self._governing.families()

    def _made(self) -> _Governing:
        bounds = self._bounds
        if not bounds.fair:
            from argosy.apiserver.flowcontrol.inflight import InFlight

            return InFlight(bounds.reading, bounds.writing)
        from argosy.apiserver.flowcontrol.fairness import Fairness

        seats = bounds.reading + bounds.writing
        return Fairness(self._store, self._catalog, self._clock, seats)
