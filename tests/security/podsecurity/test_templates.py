"""Where pods stand in other kinds, and which of their changes count."""

from typing import Any

import pytest

from argosy.security.podsecurity.templates import TEMPLATES, pod_of, significant

Json = dict[str, Any]
POD: Json = {"metadata": {"annotations": {"a": "b"}}, "spec": {"hostPID": True}}


def within(way: tuple[str, ...], found: Json) -> Json:
    for name in reversed(way):
        found = {name: found}
    return found


@pytest.mark.parametrize("resource", TEMPLATES)
def test_the_pod_is_found(resource: str) -> None:
    way = TEMPLATES[resource]

    assert pod_of(resource, within(way, POD)) == (POD["metadata"], POD["spec"])
    assert pod_of(resource, within(way, {})) == ({}, {})


def test_a_controller_without_a_template_has_no_pod() -> None:
    assert pod_of("replicationcontrollers", {"spec": {}}) is None
    assert pod_of("cronjobs.batch", {"spec": {"jobTemplate": {"spec": None}}}) is None


ONE: Json = {"name": "a", "image": "x"}
TWO: Json = {"name": "b", "image": "y"}


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ({"containers": [ONE]}, {"containers": [ONE]}, False),
        ({"containers": [ONE]}, {"containers": [{**ONE, "resources": {}}]}, False),
        ({"containers": [ONE]}, {"containers": [{**ONE, "image": "z"}]}, True),
        ({"containers": [ONE]}, {"containers": [ONE, TWO]}, True),
        ({"initContainers": [ONE]}, {"initContainers": [{**ONE, "image": "z"}]}, True),
        ({"initContainers": [ONE]}, {}, True),
        ({}, {"tolerations": [{}]}, False),
        ({}, {"ephemeralContainers": [ONE]}, True),
        ({"ephemeralContainers": [ONE]}, {"ephemeralContainers": [TWO, ONE]}, True),
        ({"ephemeralContainers": [ONE, TWO]}, {"ephemeralContainers": [TWO, ONE]}, False),
        ({"ephemeralContainers": [ONE]}, {"ephemeralContainers": [{**ONE, "image": "z"}]}, True),
    ],
)
def test_which_changes_are_judged(old: Json, new: Json, counts: bool) -> None:
    assert significant(new, old) is counts
