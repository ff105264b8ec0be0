"""Which pods are on a node, without a look at all pods."""

from argosy.api.core import Pod
from argosy.runtime.informer import Informer

NODE = "nodelifecycle/node"
"""The index of pods by their node."""


class Placed:
    """Pods by node, as far as the cache knows."""

    def __init__(self, pods: Informer[Pod]) -> None:
        self._pods = pods
        pods.add_index(NODE, _node)

    def on(self, node: str) -> list[Pod]:
        """The pods on a node."""
        return self._pods.by_index(NODE, node)


def _node(pod: Pod) -> tuple[str, ...]:
    return (pod.spec.node_name,) if pod.spec.node_name else ()
