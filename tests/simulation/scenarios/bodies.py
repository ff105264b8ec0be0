"""Bodies that scenarios share."""

from typing import Any

from argosy.api.core import Pod
from argosy.api.resource import Resource
from argosy.controllers.garbage import GarbageCollector
from argosy.runtime.manager import Manager
from tests.simulation.world import Json, World


def labels(name: str) -> Json:
    return {"app": name}


def template(name: str, image: str = "one", **spec: Any) -> Json:
    """A pod's template."""
    return {
        "metadata": {"labels": labels(name)},
        "spec": {"containers": [{"name": "c", "image": image}], **spec},
    }


def workload(name: str, *, image: str = "one", **spec: Any) -> Json:
    """Anything with a selector and a template."""
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": labels(name)},
            "template": template(name, image),
            **spec,
        },
    }


def conditions(obj: Json) -> dict[str, str]:
    """The states of the conditions, by type."""
    found = obj.get("status", {}).get("conditions") or ()
    return {item["type"]: f"{item['status']} {item.get('reason', '')}".strip() for item in found}


def picked(obj: Json, *names: str) -> Json:
    """These fields of the status."""
    return {name: obj["status"][name] for name in names if name in obj["status"]}


def image(obj: Json) -> str:
    """The first container's, of a pod or of a template."""
    spec = obj["spec"].get("template", obj)["spec"]
    return str(spec["containers"][0]["image"])


def alive(world: World) -> list[Json]:
    """The pods that nobody has deleted and that have not ended."""
    return [
        pod
        for pod in world.all(Pod.resource)
        if "deletionTimestamp" not in pod["metadata"]
        and pod["status"].get("phase") not in ("Succeeded", "Failed")
    ]


def collect(manager: Manager, *kinds: Resource) -> None:
    """Run the garbage collector for these kinds only: the others only take time."""
    manager.add_runner(GarbageCollector(manager, kinds).run)


def finalizers(obj: Json) -> list[str]:
    return list(obj["metadata"].get("finalizers") or ())
