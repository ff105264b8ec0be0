"""The cluster's roles and bindings, as they stand in the store.

The defaults count before they are written: a cluster starts without waiting for them, and a server
whose store has none (in a test, say) is like any other. Once one was seen in the store, only what
is there counts.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import msgspec

from argosy.api.resources.access import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    RBAC,
    ROLE,
    ROLE_BINDING,
)
from argosy.apiserver.authorization.followed import Followed
from argosy.security.rbac.aggregation import complete
from argosy.security.rbac.defaults import defaults
from argosy.security.rbac.objects import BindingObject, RoleObject
from argosy.security.rbac.policy import Named, Policy
from argosy.store.interface import Store

Json = dict[str, Any]
Gate = Callable[[str], bool]
_RESOURCES = {one.kind: one for one in (CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING)}
_ROLES = frozenset({CLUSTER_ROLE.plural, ROLE.plural})


class Roles:
    """Reads them on demand. `gate` says which feature gates are open."""

    def __init__(self, store: Store, gate: Gate) -> None:
        self._table = _Table(gate)
        self._followed = Followed(store, f"/{RBAC}/", self._table)

    def policy(self) -> Policy:
        """Who may do what, by all that is durable."""
        self._followed.catch_up()
        return self._table.policy


class _Table:
    """Takes objects into a policy."""

    def __init__(self, gate: Gate) -> None:
        self.policy = Policy()
        self._gate = gate
        self._role = msgspec.json.Decoder(RoleObject)
        self._binding = msgspec.json.Decoder(BindingObject)

    @cached_property
    def _unwritten(self) -> dict[str, Json]:
        """The defaults that were not yet seen in the store, by key."""
        return {_key(item): item for item in complete(defaults(self._gate))}

    def clear(self) -> None:
        self.policy = Policy()
        for key, item in self._unwritten.items():
            self._take(key, item)

    def put(self, key: str, value: bytes) -> None:
        self._unwritten.pop(key, None)
        plural, named = _parts(key)
        if plural in _ROLES:
            self.policy.set_role(named, self._role.decode(value))
        else:
            self.policy.set_binding(named, self._binding.decode(value))

    def drop(self, key: str) -> None:
        self._unwritten.pop(key, None)
        plural, named = _parts(key)
        if plural in _ROLES:
            self.policy.drop_role(named)
        else:
            self.policy.drop_binding(named)

    def _take(self, key: str, item: Json) -> None:
        plural, named = _parts(key)
        if plural in _ROLES:
            self.policy.set_role(named, msgspec.convert(item, RoleObject))
        else:
            self.policy.set_binding(named, msgspec.convert(item, BindingObject))


def _key(item: Json) -> str:
    meta = item["metadata"]
    return _RESOURCES[item["kind"]].key(meta.get("namespace", ""), meta["name"])


def _parts(key: str) -> tuple[str, Named]:
    """The plural, and what it is called: `/group/plural/[namespace/]name`."""
    _, _, plural, *named = key.split("/")
    return plural, (named[0], named[1]) if len(named) > 1 else ("", named[0])
