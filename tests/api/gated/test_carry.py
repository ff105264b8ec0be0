"""What an older minor doesn't know outlasts its updates."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from argosy.api.builtin import load
from argosy.api.gated.carry import carry
from argosy.api.structural import prune

SPEC = load("1.30")("io.k8s.api.core.v1.PodSpec")
A, B = {"name": "a", "new": 1}, {"name": "b", "new": {"x": []}}


@pytest.mark.parametrize(
    "old, new, wanted",
    [
        ({"new": 1, "nodeName": "a"}, {"nodeName": "b"}, {"nodeName": "b", "new": 1}),
        ({"new": 1}, {"new": 2}, {"new": 2}),
        ({"containers": [A, B]}, {"containers": [{"name": "b"}]}, {"containers": [B]}),
        ({"containers": [A]}, {"containers": [{"name": "c"}]}, {"containers": [{"name": "c"}]}),
        ({"tolerations": [{"new": 1}]}, {"tolerations": [{}]}, {"tolerations": [{"new": 1}]}),
        ({"tolerations": [{"new": 1}]}, {"tolerations": [{}, {}]}, {"tolerations": [{}, {}]}),
        ({"dnsConfig": {"new": 1}}, {}, {}),  # the place is gone
        ({"dnsConfig": {"new": 1}}, {"dnsConfig": None}, {"dnsConfig": None}),
        ({"nodeSelector": {"a": "b"}}, {"nodeSelector": {}}, {"nodeSelector": {}}),
        ({"containers": ["of another shape"]}, {"containers": [{"name": "a"}]}, None),
    ],
)
def test_it_comes_back_where_it_stood(old: Any, new: Any, wanted: Any) -> None:
    found = deepcopy(new)
    carry(SPEC, found, old)
    assert found == (new if wanted is None else wanted)


UNKNOWN = some.dictionaries(some.sampled_from(["x1", "x2"]), some.integers(), max_size=2)


@settings(max_examples=50)
@given(UNKNOWN, some.lists(UNKNOWN, max_size=3), UNKNOWN)
def test_an_update_that_changes_nothing_loses_nothing(
    top: Any, containers: list[Any], context: Any
) -> None:
    named = [{"name": f"c{i}", "image": "i", **more} for i, more in enumerate(containers)]
    whole = {"nodeName": "n", "containers": named, "securityContext": context, **top}
    old = deepcopy(whole)
    new = deepcopy(prune(SPEC, old))
    carry(SPEC, new, whole)
    assert new == whole
