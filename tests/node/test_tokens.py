"""Tokens of pods: what is asked for, and when again."""

import base64
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from argosy.api.core import Pod
from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.api.volumes import TokenProjection
from argosy.node.tokens import SPREAD, PodTokens
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster, cluster
from tests.node.builders import container, pod_body

USUAL = TokenProjection(path="token", expiration_seconds=3607)
OTHER = TokenProjection(path="token", audience="vault", expiration_seconds=600)


@dataclass
class Scene:
    parts: Cluster
    clock: FakeClock
    tokens: PodTokens
    pod: Pod

    async def token(self, wish: TokenProjection = USUAL) -> str:
        return await self.tokens.token(self.pod, wish)


@pytest_asyncio.fixture
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock()
    async with cluster(clock=clock) as parts:
        meta = {"metadata": {"name": "me", "namespace": "default"}}
        await parts.client.create(SERVICE_ACCOUNT, meta)
        body = pod_body(container("true"), serviceAccountName="me")
        await parts.client.create(Pod.resource, body)
        pod = await parts.client.get(Pod, "p", "default")
        yield Scene(parts, clock, PodTokens(parts.client, clock), pod)


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


async def test_it_is_bound_to_the_pod(scene: Scene) -> None:
    said = claims(await scene.token())
    own = said["kubernetes.io"]
    assert own["pod"] == {"name": "p", "uid": scene.pod.metadata.uid}
    assert own["serviceaccount"]["name"] == "me"
    assert own["warnafter"] - said["iat"] == 3607
    assert claims(await scene.token(OTHER))["aud"] == ["vault"]


async def test_it_is_kept_for_four_fifths_of_its_life(scene: Scene) -> None:
    first = await scene.token()
    await scene.clock.advance(3607 * 0.8 - SPREAD)
    assert await scene.token() == first
    await scene.clock.advance(SPREAD + 1)
    second = await scene.token()
    assert second != first
    assert await scene.token() == second


async def test_a_long_one_is_kept_for_a_day(scene: Scene) -> None:
    wish = TokenProjection(path="t", audience="vault", expiration_seconds=30 * 86400)
    first = await scene.token(wish)
    await scene.clock.advance(86400 - SPREAD)
    assert await scene.token(wish) == first
    await scene.clock.advance(SPREAD + 1)
    assert await scene.token(wish) != first


async def test_the_old_one_is_used_to_its_end(scene: Scene) -> None:
    first = await scene.token(OTHER)
    await scene.parts.client.delete(SERVICE_ACCOUNT, "me", "default")
    await scene.clock.advance(599)
    assert await scene.token(OTHER) == first
    await scene.clock.advance(1)
    with pytest.raises(ValueError, match='failed to fetch token: serviceaccounts "me" not found'):
        await scene.token(OTHER)


async def test_pods_and_wishes_have_their_own(scene: Scene) -> None:
    first = await scene.token()
    assert await scene.token(TokenProjection(path="token", expiration_seconds=700)) != first
    scene.tokens.forget(scene.pod.metadata.uid)
    assert await scene.token() != first


async def test_none_for_a_pod_that_is_another_by_now(scene: Scene) -> None:
    client = scene.parts.client
    await client.delete(Pod.resource, "p", "default", grace=0)
    with pytest.raises(ValueError, match="failed to fetch token: pods"):
        await scene.token()
    await client.create(Pod.resource, pod_body(container("true"), serviceAccountName="me"))
    with pytest.raises(ValueError, match="does not match the UID in record"):
        await scene.token()
