"""A wall clock that jumps changes timestamps, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from argosy.api.core import ConfigMap
from argosy.base.clock import parse_timestamp
from argosy.testing.cluster import cluster
from tests.store.builders import Jumping


def config_map(name: str, text: str = "x") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "data": {"text": text}}


@pytest.mark.parametrize("jump", [timedelta(days=-3650), timedelta(days=3650)])
async def test_the_order_of_changes_is_that_of_the_writes(jump: timedelta) -> None:
    clock = Jumping()
    async with cluster(clock=clock) as running:
        client, resource = running.client, ConfigMap.resource
        first = await client.create(resource, config_map("first"))
        watch = client.watch(
            ConfigMap, "default", since=first["metadata"]["resourceVersion"], fields=""
        )
        clock.offset = jump
        second = await client.create(resource, config_map("second"))
        again = await client.update(resource, {**first, "data": {"text": "changed"}})
        await client.delete(resource, "second", "default")

        created = [parse_timestamp(one["metadata"]["creationTimestamp"]) for one in (first, second)]
        assert created[1] - created[0] == jump
        assert again["metadata"]["creationTimestamp"] == first["metadata"]["creationTimestamp"]
        events = [await anext(watch) for _ in range(3)]
        await watch.aclose()
        assert [(event.type, event.object.metadata.name) for event in events] == [
            ("ADDED", "second"),
            ("MODIFIED", "first"),
            ("DELETED", "second"),
        ]
        revisions = [int(event.object.metadata.resource_version) for event in events]
        assert revisions == list(range(revisions[0], revisions[0] + 3))
        assert revisions[0] == int(first["metadata"]["resourceVersion"]) + 1
