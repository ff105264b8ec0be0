"""Tests of what is published for extension servers."""

import asyncio
import json
from pathlib import Path

from argosy.api.core import ConfigMap, Namespace
from argosy.apiserver.aggregation.identity import ProxyCertificate
from argosy.cluster.frontproxy import PAUSE, PLACE, Publisher
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import cluster


async def test_the_trust_is_published_and_comes_back(tmp_path: Path) -> None:
    clock = FakeClock()
    front = ProxyCertificate(tmp_path, clock)
    namespace, name = PLACE
    async with cluster() as made:
        await made.client.apply(Namespace.resource, {"metadata": {"name": namespace}})
        publisher = Publisher(made.client, clock, front, lambda: b"clients")
        running = asyncio.create_task(publisher.run())
        try:
            found = await made.until(ConfigMap, name, namespace, lambda it: True)
            assert found.data["client-ca-file"] == "clients"
            authority = front.certificates().ca_pem.decode()
            assert found.data["requestheader-client-ca-file"] == authority
            assert json.loads(found.data["requestheader-allowed-names"]) == ["front-proxy-client"]
            assert json.loads(found.data["requestheader-username-headers"]) == ["X-Remote-User"]
            await made.client.delete(ConfigMap.resource, name, namespace)
            await clock.advance(PAUSE)
            again = await made.until(ConfigMap, name, namespace, lambda it: True)
            assert again.data == found.data
        finally:
            running.cancel()
