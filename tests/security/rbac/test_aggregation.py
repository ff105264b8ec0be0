"""Which rules an aggregated role gathers."""

from typing import Any

import pytest

from argosy.security.rbac.aggregation import aggregated, selector_of

Json = dict[str, Any]


def role(name: str, resource: str, **labels: str) -> Json:
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": [resource]}
    return {"metadata": {"name": name, "labels": labels}, "rules": [rule]}


def test_rules_come_in_order_of_names_once_each_and_never_from_itself() -> None:
    whole = {
        **role("all", "nodes", a="1"),
        "aggregationRule": {
            "clusterRoleSelectors": [{"matchLabels": {"a": "1"}}, {"matchLabels": {"b": "1"}}]
        },
    }
    others = [
        role("c", "pods", a="1", b="1"),
        role("b", "secrets", a="1"),
        role("x", "events"),
        {"metadata": {"name": "bare"}, "rules": None},
    ]
    found = aggregated(whole, [*others, whole])
    assert found is not None
    assert [rule["resources"] for rule in found] == [["secrets"], ["pods"]]
    assert aggregated(others[0], others) is None
    assert aggregated({**whole, "aggregationRule": {}}, others) == []


@pytest.mark.parametrize(
    ("expression", "labels", "chosen"),
    [
        ({"key": "a", "operator": "Exists"}, {"a": ""}, True),
        ({"key": "a", "operator": "DoesNotExist"}, {"a": ""}, False),
        ({"key": "a", "operator": "In", "values": ["x"]}, {"a": "x"}, True),
        ({"key": "a", "operator": "NotIn", "values": ["x"]}, {"a": "x"}, False),
    ],
)
def test_selectors(expression: Json, labels: dict[str, str], chosen: bool) -> None:
    assert selector_of({"matchExpressions": [expression]}).matches(labels) is chosen
    both = {"matchLabels": {"b": "y"}, "matchExpressions": [expression]}
    assert selector_of(both).matches({**labels, "b": "y"}) is chosen
    assert not selector_of(both).matches(labels)
