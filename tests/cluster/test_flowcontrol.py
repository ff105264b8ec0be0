"""The default flow schemas and priority levels are there, and come back."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.api.resources.control import FLOW_SCHEMA, PRIORITY_LEVEL
from argosy.apiserver.flowcontrol.governor import Bounds
from argosy.client.client import Client
from argosy.cluster.embedded import Options, StartError, bounds
from argosy.cluster.flowcontrol import PERIOD_SECONDS, FlowControl
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster

Json = dict[str, Any]
AUTO = "apf.kubernetes.io/autoupdate-spec"


async def read(client: Client, name: str) -> Json:
    found: Json = msgspec.json.decode(await client.call("GET", PRIORITY_LEVEL.path(name)))
    return found


async def test_all_are_written_once() -> None:
    async with cluster() as running:
        keeping = FlowControl(running.client, FakeClock())
        assert await keeping.ensure() == 19
        assert await keeping.ensure() == 0
        listed = msgspec.json.decode(await running.client.call("GET", FLOW_SCHEMA.path()))
        assert len(listed["items"]) == 11
        assert (await read(running.client, "system"))["metadata"]["annotations"] == {AUTO: "true"}


async def test_what_was_edited_or_deleted_is_put_back_or_left() -> None:
    clock = FakeClock()
    async with cluster(clock=clock) as running:
        client = running.client
        running.manager.add_runner(FlowControl(client, clock).run)
        running.start()
        await settle(200)
        shares = {"spec": {"limited": {"nominalConcurrencyShares": 99}}}
        await client.merge(PRIORITY_LEVEL, "workload-low", "", shares)
        free = {"metadata": {"annotations": {AUTO: "false"}}, **shares}
        await client.merge(PRIORITY_LEVEL, "workload-high", "", free)
        await client.delete(PRIORITY_LEVEL, "catch-all")
        await client.delete(FLOW_SCHEMA, "exempt")
        old = {**await read(client, "system"), "metadata": {"name": "old"}}
        old["metadata"]["annotations"] = {AUTO: "true"}
        await client.create(PRIORITY_LEVEL, old)
        await clock.advance(PERIOD_SECONDS)
        await settle(200)
        low, high = [await read(client, name) for name in ("workload-low", "workload-high")]
        assert low["spec"]["limited"]["nominalConcurrencyShares"] == 100
        assert high["spec"]["limited"]["nominalConcurrencyShares"] == 99
        assert (await read(client, "catch-all"))["spec"]["type"] == "Limited"
        await client.call("GET", FLOW_SCHEMA.path("exempt"))
        listed = msgspec.json.decode(await client.call("GET", PRIORITY_LEVEL.path()))
        assert "old" not in {item["metadata"]["name"] for item in listed["items"]}


def test_bounds_are_those_that_were_asked_for(tmp_path: Path) -> None:
    assert bounds(Options(data_dir=tmp_path, port=0)) == Bounds(400, 200, True)
    asked = Options(data_dir=tmp_path, port=0, reading_inflight=7, writing_inflight=0, fair=False)
    assert bounds(asked) == Bounds(7, 0, False)
    with pytest.raises(StartError, match="are both 0"):
        bounds(Options(data_dir=tmp_path, port=0, reading_inflight=0, writing_inflight=0))
