"""A store that lives and dies with its process: for tests, and the measure of the others."""

from collections.abc import Callable

from argosy.store.interface import Mutation, Page, Record, StoreUnavailableError
from argosy.store.log import Limits, Reader
from argosy.store.state import DEFAULT_LIMITS, FIRST_REVISION, State


class MemoryStore:
    """Every write is durable at once, as far as memory goes."""

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._state = State(FIRST_REVISION, limits)

    @property
    def revision(self) -> int:
        return self._state.revision

    @property
    def commit_seconds(self) -> float:
        return 0.0

    def hasten(self, wanted: Callable[[], bool]) -> None:
        """Nothing takes time here."""

    def get(self, key: str) -> Record | None:
        return self._state.get(key)

    def list(self, prefix: str) -> list[Record]:
        return self._state.under(prefix)

    def page(
        self, prefix: str, *, start_after: str = "", limit: int = 0, revision: int | None = None
    ) -> Page:
        return self._state.page(prefix, start_after, limit, revision)

    def watch(self, prefix: str, after: int) -> Reader:
        return self._state.watch(prefix, after)

    async def write(self, key: str, mutate: Mutation) -> Record | None:
        if self._state.log.closed:
            raise StoreUnavailableError("the store is closed")
        staged = self._state.stage(key, mutate)
        if staged.change is not None:
            self._state.publish([staged.change])
        return staged.told()

    def compact(self, keep_after: int) -> None:
        self._state.log.forget(keep_after)

    async def close(self) -> None:
        self._state.log.close()
