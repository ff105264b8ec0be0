"""Tests of the condition `Available`: a reason for each way in which nobody is there."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from argosy.api.meta import Condition
from argosy.api.registration import APIService, APIServiceSpec, ServiceReference
from argosy.api.resources.core import ENDPOINTS, SERVICE
from argosy.apiserver.aggregation.availability import availability
from argosy.http.message import Response
from tests.apiserver.aggregation.kit import (
    GROUP,
    ROOT,
    SERVICE_NAME,
    VERSION,
    Extended,
    extended,
)

Json = dict[str, Any]
PLACE = {"name": "other", "namespace": "kube-system"}
SHOWN = 'service/other in "kube-system"'


@pytest_asyncio.fixture
async def made(tmp_path: Path) -> AsyncGenerator[Extended]:
    async with extended(tmp_path, registered=False) as found:
        yield found


async def looked(made: Extended, name: str = "other", port: int = 443, **spec: Any) -> Condition:
    service = ServiceReference(namespace="kube-system", name=name, port=port)
    told = APIServiceSpec(group=GROUP, version=VERSION, service=service, **spec)
    extensions = made.cluster.plane.server.aggregation.extensions
    return await availability(extensions, APIService(spec=told), seconds=0.2)


async def service(made: Extended, **spec: Any) -> None:
    ports = [{"name": "https", "port": 443}]
    body = {"metadata": PLACE, "spec": {"clusterIP": "None", "ports": ports, **spec}}
    await made.cluster.client.create(SERVICE, body)


async def test_what_is_local_is_there(made: Extended) -> None:
    extensions = made.cluster.plane.server.aggregation.extensions
    found = await availability(extensions, APIService())
    assert (found.status, found.reason) == ("True", "Local")


async def test_no_service(made: Extended) -> None:
    found = await looked(made)
    assert (found.status, found.reason) == ("False", "ServiceNotFound")
    assert found.message == f"{SHOWN} is not present"


async def test_no_such_port(made: Extended) -> None:
    await service(made, selector={"app": "a"})
    found = await looked(made, port=8443)
    assert (found.status, found.reason) == ("False", "ServicePortError")
    assert found.message == f"{SHOWN} is not listening on port 8443"


async def test_no_endpoints(made: Extended) -> None:
    await service(made)
    found = await looked(made)
    assert (found.status, found.reason) == ("False", "EndpointsNotFound")
    assert found.message == f"cannot find endpointslices for {SHOWN}"


@pytest.mark.parametrize("kept", [True, False])
async def test_nobody_behind_them(made: Extended, kept: bool) -> None:
    await service(made, selector={} if kept else {"app": "a"})
    if kept:
        await made.cluster.client.create(ENDPOINTS, {"metadata": PLACE, "subsets": []})
    found = await looked(made)
    assert (found.status, found.reason) == ("False", "MissingEndpoints")
    assert found.message == (f'endpointslices for {SHOWN} have no addresses with port name "https"')


async def test_a_server_that_answers(made: Extended) -> None:
    found = await looked(made, SERVICE_NAME, made.port, ca_bundle=made.bundle)
    assert (found.status, found.reason) == ("True", "Passed")
    assert found.message == "all checks passed"
    (seen,) = made.extension.seen(ROOT)
    assert seen.headers["x-remote-user"] == "system:kube-aggregator"
    assert seen.headers["x-remote-group"] == "system:masters"


@pytest.mark.parametrize(
    ("answer", "silent", "trusted", "expected"),
    [
        (Response(500), False, True, "bad status from https://"),
        (Response(302, {"location": "/"}), False, True, ": 302"),
        (None, True, True, "context deadline exceeded"),
        (None, False, False, "certificate verify failed"),
    ],
)
async def test_a_server_that_does_not(
    made: Extended, answer: Response | None, silent: bool, trusted: bool, expected: str
) -> None:
    made.extension.silent = silent
    made.extension.instead = lambda request: answer
    bundle = {"ca_bundle": made.bundle} if trusted else {}
    found = await looked(made, SERVICE_NAME, made.port, **bundle)
    assert (found.status, found.reason) == ("False", "FailedDiscoveryCheck")
    assert found.message.startswith("failing or missing response from https://")
    assert expected in found.message


async def test_who_need_not_be_known_is_believed(made: Extended) -> None:
    found = await looked(made, SERVICE_NAME, made.port, insecure_skip_tls_verify=True)
    assert found.reason == "Passed"
