"""Views of Endpoints and EndpointSlices: where the pods behind a service are."""

from typing import ClassVar

from argosy.api.meta import Object, View
from argosy.api.resource import Resource
from argosy.api.resources.core import ENDPOINTS
from argosy.api.resources.network import ENDPOINT_SLICE


class TargetRef(View, frozen=True, kw_only=True):
    """The object that an address is of."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class EndpointPort(View, frozen=True, kw_only=True):
    """A port behind a service."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"
    app_protocol: str | None = None


class EndpointAddress(View, frozen=True, kw_only=True):
    """An address, as Endpoints have it."""

    ip: str
    hostname: str = ""
    node_name: str | None = None
    target_ref: TargetRef | None = None


class EndpointSubset(View, frozen=True, kw_only=True):
    """Addresses that all have the same ports."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(Object, frozen=True, kw_only=True):
    """All addresses behind a service, in one object."""

    resource: ClassVar[Resource] = ENDPOINTS

    subsets: tuple[EndpointSubset, ...] = ()


class EndpointConditions(View, frozen=True, kw_only=True):
    """How an endpoint is; what is not said counts as ready, serving and not terminating."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Hint(View, frozen=True, kw_only=True):
    """A zone or a node."""

    name: str


class EndpointHints(View, frozen=True, kw_only=True):
    """Whose clients shall use the endpoint."""

    for_zones: tuple[Hint, ...] = ()
    for_nodes: tuple[Hint, ...] = ()


class Endpoint(View, frozen=True, kw_only=True):
    """One endpoint of a slice."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    hostname: str = ""
    target_ref: TargetRef | None = None
    node_name: str | None = None
    zone: str | None = None
    hints: EndpointHints | None = None


class EndpointSlice(Object, frozen=True, kw_only=True):
    """A part of the endpoints behind a service: those of one address family and the same ports."""

    resource: ClassVar[Resource] = ENDPOINT_SLICE

    address_type: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()
