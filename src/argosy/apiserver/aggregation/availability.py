"""Whether an extension server is there: the condition `Available` of its APIService.

Reasons and words are kube-aggregator's. A service is looked at as requests find it: behind it are
its Endpoints or, where nobody keeps any, the ready pods that it selects. At last the server is
asked for what it must have, the document of the group's version.
"""

import asyncio
from typing import Any, Final

import msgspec

from argosy.api.meta import Condition
from argosy.api.registration import APIService, ServiceReference
from argosy.api.resources.core import ENDPOINTS, SERVICE
from argosy.apiserver.aggregation.extension import Extensions
from argosy.apiserver.aggregation.identity import AGGREGATOR
from argosy.apiserver.outbound import OutboundError, backend
from argosy.store.interface import Store

Json = dict[str, Any]
SECONDS: Final = 5.0
ATTEMPTS: Final = (1, 4)
"""So many are made at once, and so many more if none of the first came through."""


async def availability(
    extensions: Extensions, api: APIService, *, seconds: float = SECONDS
) -> Condition:
    """The condition, without its time."""
    service = api.spec.service
    if service is None:
        return _condition("Local", "Local APIServices are always available", "True")
    fault = _fault(extensions.store, service)
    if fault is not None:
        return fault
    error = ""
    for attempts in ATTEMPTS:
        answers = await asyncio.gather(*(_asked(extensions, api, seconds) for _ in range(attempts)))
        if "" in answers:
            return _condition("Passed", "all checks passed", "True")
        error = answers[-1]
    return _condition("FailedDiscoveryCheck", error)


def _condition(reason: str, message: str, status: str = "False") -> Condition:
    return Condition(type="Available", status=status, reason=reason, message=message)


def _fault(store: Store, service: ServiceReference) -> Condition | None:
    """What is wrong with the service, before anybody asks it."""
    namespace, name, port = service.namespace, service.name, service.port
    shown = f'service/{name} in "{namespace}"'
    record = store.get(SERVICE.key(namespace, name))
    if record is None:
        return _condition("ServiceNotFound", f"{shown} is not present")
    spec: Json = msgspec.json.decode(record.value)["spec"]
    if (spec.get("type") or "ClusterIP") != "ClusterIP":
        return None
    wanted = next((one for one in spec.get("ports") or () if one["port"] == port), None)
    if wanted is None:
        return _condition("ServicePortError", f"{shown} is not listening on port {port}")
    if not spec.get("selector") and store.get(ENDPOINTS.key(namespace, name)) is None:
        return _condition("EndpointsNotFound", f"cannot find endpointslices for {shown}")
    try:
        backend(store, namespace, name, port)
    except OutboundError:
        called = wanted.get("name") or ""
        message = f'endpointslices for {shown} have no addresses with port name "{called}"'
        return _condition("MissingEndpoints", message)
    return None


async def _asked(extensions: Extensions, api: APIService, seconds: float) -> str:
    """What is wrong with the answer; empty where nothing is."""
    service = api.spec.service
    assert service is not None
    path = f"/apis/{api.spec.group}/{api.spec.version}"
    url = f"https://{service.name}.{service.namespace}.svc:{service.port}{path}"
    try:
        status, _, _ = await extensions.asked(api, path, AGGREGATOR, seconds=seconds)
    except TimeoutError:
        fault = f'Get "{url}": context deadline exceeded'
    except (OutboundError, OSError, ValueError) as error:
        fault = f'Get "{url}": {error or type(error).__name__}'
    else:
        if 200 <= status < 300:
            return ""
        fault = f"bad status from {url}: {status}"
    return f"failing or missing response from {url}: {fault}"
