"""ImageLocality: nodes that have the pod's images already, by their sizes.

An image counts the less the fewer nodes have it: otherwise the first node to have one would draw
all its pods. What images are worth is told in `images`.
"""

from argosy.api.core import Pod
from argosy.scheduler.framework import Plugin, Survey
from argosy.scheduler.preferring import Worths
from argosy.scheduler.state import State


def survey(state: State, pod: Pod) -> Survey | None:
    """None for a pod to whose images all nodes are alike."""
    nodes = state.nodes
    if not nodes.images:
        return None
    spec = pod.spec
    wanted = [item.image for item in spec.init_containers]
    wanted += [item.image for item in spec.containers]
    containers = len(wanted)
    for volume in spec.volumes:
        if source := volume.get("image"):
            wanted.append(str(source.get("reference") or ""))
    there = nodes.images.anywhere([normalized(image) for image in wanted])
    if not there or not containers:
        return None
    worths = nodes.images.worths(there, containers=containers, nodes=nodes.count, size=nodes.size)
    return None if worths is None else Worths(worths)


def normalized(image: str) -> str:
    """As nodes name it: with a tag."""
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"


PLUGIN = Plugin(name="ImageLocality", survey=survey, prefers=True)
