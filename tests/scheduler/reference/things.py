"""Short builders of nodes and pods for the reference's own tests."""

from typing import Any

from tests.scheduler.reference.kit import HOSTNAME, ZONE, Cluster, Object
from tests.scheduler.reference.rules import feasible

ROOMY = {"cpu": "64", "memory": "256Gi", "pods": "110"}


def node(name: str, zone: str | None = None, **more: Any) -> Object:
    """`labels`, `taints`, `unschedulable`, `room`, `images` and `features` as given."""
    labels = {HOSTNAME: name, **({ZONE: zone} if zone else {}), **more.get("labels", {})}
    spec = {key: more[key] for key in ("taints", "unschedulable") if key in more}
    status = {
        "allocatable": more.get("room", ROOMY),
        "images": more.get("images", []),
        "declaredFeatures": more.get("features", []),
    }
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


def pod(name: str = "pod", at: str | None = None, **more: Any) -> Object:
    """`app` is its one label; `namespace`, `requests` and `image` apart, the rest is its spec."""
    container = {"name": "c", "image": more.pop("image", "i")}
    container["resources"] = {"requests": more.pop("requests", {})}
    meta: Object = {"name": name, "namespace": more.pop("namespace", "default")}
    meta |= {"uid": name, "labels": {"app": more.pop("app", "web")}}
    spec = {"containers": [container], **more}
    if at is not None:
        spec["nodeName"] = at
    return {"metadata": meta, "spec": spec, "status": {"phase": "Running" if at else "Pending"}}


def cluster(nodes: list[Object], pods: list[Object] | None = None, **more: list[Object]) -> Cluster:
    spaces = [{"metadata": {"name": name, "labels": {"kind": name}}} for name in ("default", "far")]
    return {"nodes": nodes, "pods": pods or [], "namespaces": spaces, **more}


def crowd(*counts: int, app: str = "web") -> list[Object]:
    """That many pods on node n0, n1, …"""
    return [
        pod(f"p{i}{j}", f"n{i}", app=app) for i, count in enumerate(counts) for j in range(count)
    ]


def let_in(plugin: str, where: Cluster, one: Object, **args: Any) -> list[str]:
    """The nodes that the plugin does not refuse."""
    names = [each["metadata"]["name"] for each in where["nodes"]]
    return [name for name in names if feasible(plugin, where, one, name, args)]
