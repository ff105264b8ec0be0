"""Views of pods: what they share, so that ten thousand of them take little room."""

from typing import Any

import msgspec

from argosy.api.core import LONGEST_SHARED, Pod


def pod(name: str, *volumes: dict[str, Any]) -> Pod:
    meta = {"name": name, "namespace": "default"}
    body = {"metadata": meta, "spec": {"volumes": list(volumes)}}
    return msgspec.json.decode(msgspec.json.encode(body), type=Pod)


def test_equal_volumes_are_kept_once() -> None:
    token = {"name": "t", "projected": {"sources": [{"secret": {"name": "s"}}]}}
    first, second, other = pod("a", token), pod("b", token), pod("c", {**token, "name": "u"})
    assert first.spec.volumes == (token,)
    assert first.spec.volumes is second.spec.volumes
    assert other.spec.volumes == ({**token, "name": "u"},)
    assert pod("d").spec.volumes == ()


def test_long_ones_are_not_held() -> None:
    long = {"name": "v", "projected": {"sources": [{"secret": {"name": "s" * LONGEST_SHARED}}]}}
    assert pod("a", long).spec.volumes == (long,)
    assert pod("a", long).spec.volumes is not pod("b", long).spec.volumes


def test_equal_spread_constraints_are_kept_once() -> None:
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    body = {"spec": {"topologySpreadConstraints": [constraint]}}
    first, second = (msgspec.json.decode(msgspec.json.encode(body), type=Pod) for _ in range(2))
    assert first.spec.topology_spread_constraints == (constraint,)
    assert first.spec.topology_spread_constraints is second.spec.topology_spread_constraints
