"""When the token of a secret was used last stands on the secret."""

import asyncio
import logging

import pytest

from argosy.api.resources.core import SECRET
from argosy.apiserver.authentication.legacy import LAST_USED, Used
from argosy.cluster.usedtokens import PAUSE_SECONDS, UsedTokens
from argosy.controllers.tokens import Secret
from argosy.testing.clock import EPOCH, FakeClock
from argosy.testing.cluster import cluster


async def test_the_day_is_written_to_the_very_secret(caplog: pytest.LogCaptureFixture) -> None:
    clock, used = FakeClock(), Used()
    async with cluster(clock=clock) as running:
        made = {"metadata": {"name": "it", "namespace": "default"}}
        uid = (await running.client.create(SECRET, made))["metadata"]["uid"]
        task = asyncio.create_task(UsedTokens(running.client, clock, used).run())
        with caplog.at_level(logging.WARNING):
            used.note("default", "gone", "u-1")
            used.note("default", "it", "another")
            await clock.advance(PAUSE_SECONDS)
        assert [record.secret for record in caplog.records] == [  # type: ignore[attr-defined]
            "default/gone",
            "default/it",
        ]
        found = await running.client.get(Secret, "it", "default")
        assert not found.metadata.labels
        used.note("default", "it", uid)
        await clock.advance(PAUSE_SECONDS)
        found = await running.client.get(Secret, "it", "default")
        assert found.metadata.labels == {LAST_USED: EPOCH.strftime("%Y-%m-%d")}
        task.cancel()
