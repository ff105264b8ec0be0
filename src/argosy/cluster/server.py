"""An API server over a store, and the in-process way to it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from argosy.api.builtin import load
from argosy.api.features import Switches, switches
from argosy.api.kinds import OWN, RESOURCES
from argosy.api.resource import Resource
from argosy.apiserver.app import APIServer
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.tokens import Tokens, token_hash
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.extensions.kinds import CustomKinds
from argosy.apiserver.flowcontrol.governor import Bounds
from argosy.apiserver.guards import Guards
from argosy.apiserver.request import User
from argosy.base.clock import Clock
from argosy.client.client import Client
from argosy.client.transport import InProcess
from argosy.http.message import Handler
from argosy.store.interface import Store
from argosy.store.memory import MemoryStore

MINOR = "1.37"
ADMIN = User("kubernetes-admin", ("system:masters", "system:authenticated"))
INTERNAL = User("system:apiserver", ("system:masters", "system:authenticated"))


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The server and a token for clients in its own process."""

    server: APIServer
    token: str
    resources: tuple[Resource, ...]  # each built-in kind that is served, once
    gate: Callable[[str], bool]  # whether a feature gate is open

    def client(self, manager: str) -> Client:
        """A client in this process that writes as `manager`."""
        return Client(InProcess(self.server.handle, self.token), manager)


def memory_store() -> Store:
    """A store that ends with the process, for tests."""
    return MemoryStore()


def without(plugins: frozenset[str]) -> Guards:
    """The guards of a server on which these admission plugins are off."""
    from argosy.apiserver.admission.configuration import AdmissionRules

    return Guards(admission=AdmissionRules(disabled=plugins))


def control_plane(
    store: Store,
    clock: Clock,
    *,
    admin_token: str = "",
    node: Handler | None = None,
    minor: str = MINOR,
    chosen: Switches | None = None,
    keys: Keys | None = None,
    guards: Guards | None = None,
    bounds: Bounds | None = None,
) -> ControlPlane:
    """An API server for Kubernetes `minor`; an admin may come with `admin_token`.

    `keys` sign the tokens of service accounts; without, they end with the process. How many
    requests are taken at once is said by `bounds`.
    How it is guarded beyond that `guards` say; raises ConfigurationError where they can't be had.
    """
    chosen = chosen or switches(RESOURCES, minor)
    definitions = load(chosen.gates.minor)
    catalog = Catalog(RESOURCES, OWN, definitions, chosen.serves, chosen.gates)
    built_in = catalog.stored
    catalog.extend(CustomKinds(store, definitions, built_in))
    internal = secrets.token_urlsafe(32)
    users = {token_hash(internal): INTERNAL}
    if admin_token:
        users[token_hash(admin_token)] = ADMIN
    server = APIServer(
        store=store,
        catalog=catalog,
        definitions=definitions,
        tokens=Tokens(users),
        clock=clock,
        node=node,
        keys=keys,
        guards=guards,
        bounds=bounds,
    )
    server.metrics.gates = chosen.gates.enabled
    return ControlPlane(server, internal, built_in, catalog.gate)
