"""A set that gets smaller spares the pod that became ready while its cache lagged."""

import pytest

from argosy.api.replicas import ReplicaSet
from argosy.controllers.replicasets import replica_sets
from tests.controllers.faults import LAG, Lagging, with_faults
from tests.controllers.replicakit import body, pods, say, scale, turn


class LatePods(Lagging):
    """What watches tell of pods comes late."""

    late = ("/pods",)


@pytest.mark.parametrize("position", [0, 1])
async def test_the_pod_that_became_ready_stays(position: int) -> None:
    async with with_faults(LatePods, replica_sets) as (it, _):
        await it.client.create(ReplicaSet.resource, body(replicas=2))
        await turn(it)
        for _ in range(3):
            await it.clock.advance(LAG)
        there = await pods(it)
        assert len(there) == 2
        await say(it, there[position])
        await scale(it, ReplicaSet, 1)
        for _ in range(10):
            await it.clock.advance(LAG)
        left = await pods(it)
        assert [pod.metadata.name for pod in left] == [there[position].metadata.name]
