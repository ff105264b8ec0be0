"""Rules about other pods through the API: who waits is placed as soon as another's place allows."""

from typing import Any

from argosy.api.core import Namespace, Pod
from argosy.client.client import Client
from argosy.testing.clock import settle
from tests.scheduler.builders import pod_body
from tests.scheduler.test_loop import make_node, placed, refused, scheduling

HARD = "requiredDuringSchedulingIgnoredDuringExecution"
HOST = "kubernetes.io/hostname"


async def make_pod(client: Client, name: str, space: str = "default", **spec: Any) -> None:
    labels = {"app": spec.pop("app")}
    body = pod_body(name, spec=spec)
    body["metadata"] = {"name": name, "namespace": space, "labels": labels}
    del body["status"]
    await client.create(Pod.resource, body)


def near(app: str, **more: Any) -> dict[str, Any]:
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": app}}, **more}
    return {"podAffinity": {HARD: [term]}}


def even(app: str) -> list[dict[str, Any]]:
    selector = {"matchLabels": {"app": app}}
    stated = {"maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule"}
    return [{**stated, "labelSelector": selector}]


async def test_a_pod_follows_the_one_that_it_must_be_near() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_node(client, "n2", labels={HOST: "n2"})
        await make_pod(client, "guest", app="b", affinity=near("a"))
        text = "0/2 nodes are available: 2 node(s) didn't match pod affinity rules."
        await running.until(Pod, "guest", "default", refused(text))
        await make_pod(client, "host", app="a", nodeSelector={HOST: "n2"})
        await running.until(Pod, "host", "default", placed)
        await settle()
        await clock.advance(1)
        guest = await running.until(Pod, "guest", "default", placed)
        assert guest.spec.node_name == "n2"


async def test_pods_spread_and_wait_for_the_emptiest_to_fill() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_node(client, "n2", labels={HOST: "n2"})
        await make_node(client, "n3", labels={HOST: "n3"}, spec={"unschedulable": True})
        await make_pod(client, "one", app="a", topologySpreadConstraints=even("a"))
        await running.until(Pod, "one", "default", placed)
        await make_pod(client, "two", app="a", topologySpreadConstraints=even("a"))
        spread = "node(s) didn't match pod topology spread constraints"
        text = (
            f"0/3 nodes are available: 1 {spread}, 1 {spread} (missing required label), "
            "1 node(s) were unschedulable."
        )
        await running.until(Pod, "two", "default", refused(text))
        anywhere = [{"operator": "Exists"}]
        await make_pod(client, "fill", app="a", nodeSelector={HOST: "n3"}, tolerations=anywhere)
        await running.until(Pod, "fill", "default", placed)
        await settle()
        await clock.advance(1)
        two = await running.until(Pod, "two", "default", placed)
        assert two.spec.node_name == "n2"


async def test_a_namespace_gets_the_label_that_a_term_asks_for() -> None:
    async with scheduling() as (running, clock):
        client = running.client
        await make_node(client, "n2", labels={HOST: "n2"})
        await client.create(
            Namespace.resource,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blue"}},
        )
        await make_pod(client, "host", "blue", app="a", nodeSelector={HOST: "n2"})
        await running.until(Pod, "host", "blue", placed)
        chosen = {"namespaceSelector": {"matchLabels": {"team": "blue"}}}
        await make_pod(client, "guest", app="b", affinity=near("a", **chosen))
        text = "0/2 nodes are available: 2 node(s) didn't match pod affinity rules."
        await running.until(Pod, "guest", "default", refused(text))
        await client.merge(
            Namespace.resource, "blue", "", {"metadata": {"labels": {"team": "blue"}}}
        )
        await settle()
        await clock.advance(1)
        await running.until(Pod, "guest", "default", placed)
