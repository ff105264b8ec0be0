"""What of a node is news."""

from typing import Any

import msgspec

from argosy.api.core import Node
from argosy.controllers.daemonsets.nodes import Known


def node(**body: Any) -> Node:
    return msgspec.convert({"metadata": {"name": "a", **body.pop("meta", {})}, **body}, Node)


def test_labels_and_taints_are_news_and_health_is_not() -> None:
    known = Known()
    assert known.news(node()) and not known.news(node())
    healthy = node(status={"conditions": [{"type": "Ready", "status": "True"}]})
    assert not known.news(healthy)
    assert known.news(node(meta={"labels": {"x": "y"}}))
    assert known.news(node(spec={"taints": [{"key": "k", "effect": "NoExecute"}]}))
    known.forget(node())
    assert known.news(node(spec={"taints": [{"key": "k", "effect": "NoExecute"}]}))
