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
from argosy.apiserver.authorization.followed import Followed
from argosy.store.interface import Store

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
    _changed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._followed = Followed(self.store, PREFIX, self)

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
        self._followed.catch_up()
        if self._changed:
            self._changed = False
            self._edition += 1
            self._places = {item.place: item for item in self._known.values()}

    def clear(self) -> None:
        """All is read anew."""
        self._known.clear()
        self._changed = True

    def put(self, key: str, value: bytes) -> None:
        """An APIService as it is now."""
        self.drop(key)
        api = _services.decode(value)
        if api.spec.service is not None and api.place not in self.own:
            self._known[key] = api
            self._changed = True

    def drop(self, key: str) -> None:
        """One is gone."""
        if self._known.pop(key, None) is not None:
            self._changed = True


def _order(api: APIService, highest: dict[str, int]) -> tuple[int, str, int, tuple[int, ...]]:
    spec = api.spec
    backwards = tuple(-number for number in version_order(spec.version))
    return (-highest[spec.group], spec.group, -spec.version_priority, backwards)
