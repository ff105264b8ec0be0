"""Claims that pods use do not go; nobody's end is missed, and a cache that lags loses nothing."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.api.core import Pod, PodSpec
from argosy.api.meta import ObjectMeta, OwnerReference
from argosy.api.storage import PersistentVolumeClaim
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.claimprotection import FINALIZER, claim_protection, uses
from argosy.http.message import Request, Response
from argosy.runtime.manager import Manager
from argosy.runtime.pace import WINDOW_SECONDS
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster
from tests.controllers.kit import Scene, controlled
from tests.runtime.kit import faulty, no_fault

Json = dict[str, Any]
CLAIM = PersistentVolumeClaim
SPEC: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@asynccontextmanager
async def protecting() -> AsyncGenerator[Scene, None]:
    async with controlled(
        lambda manager: manager.add(claim_protection(manager)), protected=True
    ) as it:
        yield it


async def make_claim(client: Client, name: str = "c") -> None:
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": SPEC}
    await client.create(CLAIM.resource, body)
    await settle()


async def make_pod(client: Client, name: str = "p", claim: str = "c", node: str = "n") -> None:
    spec = {
        "nodeName": node,
        "containers": [{"name": "c", "image": "i"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}],
    }
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
    await client.create(Pod.resource, body)
    await settle()


async def delete(client: Client, name: str = "c") -> None:
    await client.delete(CLAIM.resource, name, "default")
    await settle()


async def state(client: Client, name: str = "c") -> str:
    claim = await client.find(CLAIM, name, "default")
    if claim is None:
        return "gone"
    return "going" if claim.metadata.deletion_timestamp else "there"


async def test_a_claim_that_nobody_uses_goes_at_once() -> None:
    async with protecting() as it:
        await make_claim(it.client)
        assert await state(it.client) == "there"
        await delete(it.client)
        assert await state(it.client) == "gone"


async def test_a_claim_waits_for_the_last_pod_whether_it_runs_or_not() -> None:
    async with protecting() as it:
        await make_claim(it.client)
        for name in ("p", "q"):
            await make_pod(it.client, name)
        await delete(it.client)
        assert await state(it.client) == "going"
        await it.end("p")
        await it.client.delete(Pod.resource, "q", "default", grace=0)
        await settle()
        assert await state(it.client) == "going"  # a pod that has ended is still there
        await it.client.delete(Pod.resource, "p", "default", grace=0)
        await settle()
        assert await state(it.client) == "gone"


async def test_pods_on_no_node_hold_nothing() -> None:
    async with protecting() as it:
        await make_claim(it.client)
        await make_pod(it.client, node="")
        await delete(it.client)
        assert await state(it.client) == "gone"


async def test_a_pod_that_takes_anothers_name_does_not_hide_its_end() -> None:
    async with protecting() as it:
        await make_claim(it.client)
        await make_pod(it.client)
        await delete(it.client)
        await it.client.delete(Pod.resource, "p", "default", grace=0)
        await make_pod(it.client, claim="other")
        assert await state(it.client) == "gone"


async def test_a_claim_that_lost_its_finalizer_gets_it_back() -> None:
    async with protecting() as it:
        await make_claim(it.client)
        patch = {"metadata": {"finalizers": ["x.io/y"]}}
        await it.client.merge(CLAIM.resource, "c", "default", patch)
        await settle()
        claim = await it.client.get(CLAIM, "c", "default")
        assert claim.metadata.finalizers == ("x.io/y", FINALIZER)


async def test_finalizers_of_others_stay() -> None:
    async with protecting() as it:
        await make_claim(it.client)
        patch = {"metadata": {"finalizers": [FINALIZER, "forged.io/x"]}}
        await it.client.merge(CLAIM.resource, "c", "default", patch)
        await delete(it.client)
        claim = await it.client.get(CLAIM, "c", "default")
        assert claim.metadata.finalizers == ("forged.io/x",)
        with pytest.raises(StatusError) as error:  # nor does it come back
            await it.client.merge(CLAIM.resource, "c", "default", patch)
        assert error.value.code == 422


async def test_a_thousand_pods_of_one_claim_cost_few_lists() -> None:
    clock = FakeClock()
    async with cluster(clock=clock, protected=True) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        manager.add(claim_protection(manager))
        running.manager.add_runner(manager.run)
        running.start()
        lists = 0

        async def count(request: Request) -> Response | None:
            nonlocal lists
            live = "watch" not in request.query and request.path.endswith("default/pods")
            lists += live
            return None

        transport.fault = count
        await make_claim(running.client)
        for i in range(200):
            await make_pod(running.client, f"p{i}")
        await delete(running.client)
        for i in range(200):
            assert await state(running.client) == "going"
            await running.client.delete(Pod.resource, f"p{i}", "default", grace=0)
        await clock.advance(WINDOW_SECONDS)  # so many at once are looked at together
        assert await state(running.client) == "gone" and lists <= 2


@pytest.mark.parametrize("failing", range(4))
async def test_whatever_fails_the_claim_is_let_go_and_not_too_early(failing: int) -> None:
    clock = FakeClock()
    async with cluster(clock=clock, protected=True) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        manager.add(claim_protection(manager))
        running.manager.add_runner(manager.run)
        running.start()
        asked = 0

        async def fail(request: Request) -> Response | None:
            nonlocal asked
            asked += "watch" not in request.query
            if asked == failing + 1:
                asked += 1
                raise ConnectionError("reset")
            return None

        await settle()
        await make_claim(running.client)
        transport.fault = fail
        await make_pod(running.client)
        await delete(running.client)
        assert await state(running.client) == "going"
        await running.client.delete(Pod.resource, "p", "default", grace=0)
        await clock.advance(10)
        assert await state(running.client) == "gone"


async def test_a_cache_that_lags_lets_nothing_go() -> None:
    clock = FakeClock()
    async with cluster(clock=clock, protected=True) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        manager.add(claim_protection(manager))
        blind = True

        async def hide(request: Request) -> Response | None:
            """The cache sees no pods; the list before the claim goes does."""
            if blind and request.path == "/api/v1/pods" and "watch" in request.query:
                raise ConnectionError("reset")
            return None

        transport.fault = hide
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        await make_claim(running.client)
        await make_pod(running.client)
        await delete(running.client)
        assert await state(running.client) == "going"
        await running.client.delete(Pod.resource, "p", "default", grace=0)
        await clock.advance(16)  # nobody tells of its end
        assert await state(running.client) == "gone"


@pytest.mark.parametrize(
    ("moment", "left"), [("GET", "going"), ("PATCH", "gone")], ids=["looked for", "let go"]
)
async def test_a_pod_that_comes_while_its_claim_goes(moment: str, left: str) -> None:
    """It holds the claim if it came before the look for pods; else its node refuses the claim."""
    clock = FakeClock()
    async with cluster(clock=clock, protected=True) as running:
        client, transport = faulty(running)
        manager = Manager(client, clock)
        manager.add(claim_protection(manager))
        running.manager.add_runner(manager.run)
        running.start()
        await settle()
        await make_claim(running.client)

        async def meanwhile(request: Request) -> Response | None:
            if request.method == moment and "namespaces/default" in request.path:
                transport.fault = no_fault
                await make_pod(running.client)
            return None

        transport.fault = meanwhile
        await delete(running.client)
        await clock.advance(60)
        assert transport.fault is no_fault and await state(running.client) == left


@pytest.mark.parametrize(
    ("owner", "volume", "grace", "used"),
    [
        ("u", {"ephemeral": {}}, None, True),
        ("u", {"ephemeral": {}}, 0, False),
        ("u", {"ephemeral": {}}, 5, True),
        ("other", {"ephemeral": {}}, None, False),
        ("other", {"persistentVolumeClaim": {"claimName": "p-v"}}, 0, True),
        ("u", {"persistentVolumeClaim": {"claimName": "x"}}, None, False),
        ("u", {"emptyDir": {}}, None, False),
    ],
)
def test_who_uses_a_claim(owner: str, volume: Json, grace: int | None, used: bool) -> None:
    going = {} if grace is None else {"deletion_timestamp": "t"}
    pod = _pod({"name": "v", **volume}, deletion_grace_period_seconds=grace, **going)
    reference = OwnerReference(kind="Pod", name="p", uid=owner, controller=True)
    claim = CLAIM(metadata=_meta("p-v", owner_references=(reference,)))
    assert uses(pod, claim) is used


def _pod(volume: Json, **meta: Any) -> Pod:
    return Pod(
        metadata=_meta("p", uid="u", **meta),
        spec=PodSpec(node_name="n", volumes=(volume,)),
    )


def _meta(name: str, **more: Any) -> ObjectMeta:
    return ObjectMeta(name=name, namespace="default", **more)
