"""Which other servers serve what, as it is right now.

It stands in the store, as APIServices. What was written since the last time is read whenever
somebody asks, so that a route begins and ends with the answer to the write. Those of what this
server serves itself are known by their places alone: they lead nowhere else.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

from argosy.api.registration import APIService, Place, version_order
from argosy.api.resources.extensions import API_SERVICE
from argosy.store.interface import Change, CompactedError, Store, Watch

PREFIX = API_SERVICE.key()
_services = msgspec.json.Decoder(APIService)


@dataclass
class Registry:
    """Follows the APIServices in `store`; nobody else serves the places in `own`."""

    store: Store
    own: Collection[Place]
    _edition: int = field(default=1, init=False)
    _known: dict[str, APIService] = field(default_factory=dict, init=False)
    _places: dict[Place, APIService] = field(default_factory=dict, init=False)
    _watch: Watch | None = field(default=None, init=False)

    @property
    def edition(self) -> int:
        """A number that changes whenever one of them does."""
        self._follow()
        return self._edition

    @property
    def present(self) -> bool:
        """Whether there is any."""
        self._follow()
        return bool(self._known)

    def find(self, place: Place) -> APIService | None:
        """Who else serves a group's version."""
        self._follow()
        return self._places.get(place)

    @property
    def all(self) -> list[APIService]:
        """In the order in which discovery shows them, versions of one group together."""
        self._follow()
        highest: dict[str, int] = {}
        for item in self._known.values():
            group, priority = item.spec.group, item.spec.group_priority_minimum
            highest[group] = max(priority, highest.get(group, 0))
        return sorted(self._known.values(), key=lambda item: _order(item, highest))

    def _follow(self) -> None:
        """Read what was written since the last time."""
        watch = self._watch
        if watch is None:
            self._begin()
            return
        try:
            while watch.revision < self.store.revision:
                for change in watch.ready():
                    self._take(change)
        except CompactedError:
            self._begin()

    def _begin(self) -> None:
        """Read all there is."""
        self._known.clear()
        self._watch = self.store.watch(PREFIX, self.store.revision)
        for record in self.store.list(PREFIX):
            self._put(record.key, record.value)
        self._renewed()

    def _take(self, change: Change) -> None:
        before = self._known.pop(change.key, None)
        if change.value is not None:
            self._put(change.key, change.value)
        if before is not self._known.get(change.key):
            self._renewed()

    def _put(self, key: str, value: bytes) -> None:
        api = _services.decode(value)
        if api.spec.service is not None and api.place not in self.own:
            self._known[key] = api

    def _renewed(self) -> None:
        self._edition += 1
        self._places = {item.place: item for item in self._known.values()}


def _order(api: APIService, highest: dict[str, int]) -> tuple[int, str, int, tuple[int, ...]]:
    spec = api.spec
    backwards = tuple(-number for number in version_order(spec.version))
    return (-highest[spec.group], spec.group, -spec.version_priority, backwards)
