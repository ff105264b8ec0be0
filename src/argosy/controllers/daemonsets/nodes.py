"""What is known of nodes: they tell of their health all the time, which is no news for daemons."""

from argosy.api.core import Node, Taint


class Known:
    """What decides who takes which pods: labels and taints."""

    def __init__(self) -> None:
        self._nodes: dict[str, tuple[dict[str, str], tuple[Taint, ...]]] = {}

    def news(self, node: Node) -> bool:
        """Whether any of it is new; it is known from then on."""
        now = (node.metadata.labels, node.spec.taints)
        if self._nodes.get(node.metadata.name) == now:
            return False
        self._nodes[node.metadata.name] = now
        return True

    def forget(self, node: Node) -> None:
        """It is gone."""
        self._nodes.pop(node.metadata.name, None)
