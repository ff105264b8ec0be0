"""The page about the runtime: its example runs as it stands."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

from argosy.api.core import ConfigMap, Service
from argosy.runtime.metrics import Metrics
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import cluster

PAGE = Path(__file__).parents[2] / "docs" / "runtime.md"


def example() -> Any:
    """The page's one block of Python, as a module."""
    [source] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    module = ModuleType("example")
    exec(compile(source, str(PAGE), "exec"), module.__dict__)
    return module


async def test_the_example_keeps_its_cards() -> None:
    async with cluster(clock=FakeClock()) as running:
        running.manager.add(example().cards(running.manager))
        running.start()
        body = {
            "metadata": {"name": "shop", "namespace": "default"},
            "spec": {"clusterIP": "10.96.1.1", "ports": [{"port": 80}]},
        }
        await running.client.create(Service.resource, body)
        await settle()
        card = await running.client.get(ConfigMap, "shop-card", "default")
        assert card.data == {"address": "10.96.1.1"}
        await running.client.delete(ConfigMap.resource, "shop-card", "default")
        await settle()
        assert await running.client.find(ConfigMap, "shop-card", "default") is not None


def test_the_page_names_every_metric() -> None:
    text = PAGE.read_text()
    for family in Metrics().families():
        assert f"`{family.name}`" in text
