"""Slices of a service: what is in them, and that as few as possible change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from argosy.api.core import Container, ContainerPort, Pod, Service, ServicePort
from argosy.api.endpoints import EndpointSlice
from argosy.controllers.endpoints.packing import MOST, Packing, identity
from argosy.controllers.endpoints.plan import MANAGED_BY, MANAGER, SERVICE_NAME, families, plan
from tests.controllers.endpoints.kit import node, pod, pods, service, stored

SERVICE = service()


def decided(
    some: list[Pod], there: list[EndpointSlice] | None = None, of: Service = SERVICE
) -> Packing:
    return plan(of, some, node, there or []).packing


def after(packing: Packing, start: int = 0) -> list[EndpointSlice]:
    """The slices that there are when the plan is carried out."""
    drafts = [*packing.update, *packing.create]
    return packing.kept + [stored(one, f"s-{start + i}") for i, one in enumerate(drafts)]


def names(pieces: list[EndpointSlice]) -> list[str]:
    found = [one.target_ref for piece in pieces for one in piece.endpoints]
    return sorted(one.name for one in found if one is not None)


def test_a_service_without_pods_has_one_slice_without_endpoints() -> None:
    (draft,) = decided([]).create
    assert (draft.address_type, draft.ports, draft.endpoints) == ("IPv4", (), [])
    again = decided([], [stored(draft, "s-1")])
    assert not (again.create or again.update or again.delete)


def test_the_empty_slice_becomes_the_first_one() -> None:
    there = after(decided([]))
    packing = decided(pods(3), there)
    assert not packing.create and not packing.delete
    (draft,) = packing.update
    assert draft.before == there[0] and len(draft.endpoints) == 3
    assert [port.port for port in draft.ports] == [8080]


def test_the_last_slice_becomes_the_empty_one() -> None:
    there = after(decided(pods(150)))
    assert len(there) == 2
    packing = decided([], there)
    assert (len(packing.update), len(packing.delete), packing.create) == (1, 1, [])
    assert packing.update[0].endpoints == []


def test_nothing_changes_where_nothing_has() -> None:
    there = after(decided(pods(250)))
    assert sorted(len(piece.endpoints) for piece in there) == [50, 100, 100]
    packing = decided(pods(250), there)
    assert not (packing.create or packing.update or packing.delete)


def test_one_change_is_one_write() -> None:
    some = pods(250)
    there = after(decided(some))
    some[120] = pod("p0120", "10.0.0.121", ready=False)
    packing = decided(some, there)
    assert (len(packing.update), len(packing.create), len(packing.delete)) == (1, 0, 0)
    assert [one.conditions.ready for one in packing.update[0].endpoints].count(False) == 1


def test_slices_that_change_anyway_are_filled_first() -> None:
    there = after(decided(pods(250)))
    without = [one for i, one in enumerate(pods(250)) if i not in (3, 4)]
    packing = decided([*without, *pods(2, start=500)], there)
    (draft,) = packing.update
    assert len(draft.endpoints) == MOST and not packing.create


def test_the_fullest_is_filled_first() -> None:
    """Whichever comes first."""
    there = after(decided(pods(190)))
    for pieces in (there, there[::-1]):
        lost = {piece.endpoints[0].addresses for piece in pieces}
        some = [one for one in pods(190) if (one.status.pod_ip,) not in lost]
        packing = decided([*some, *pods(5, start=500)], pieces)
        assert sorted(len(draft.endpoints) for draft in packing.update) == [93, 100]


def test_what_is_left_goes_into_one_slice_that_has_room() -> None:
    there = after(decided(pods(250)))
    packing = decided(pods(260), there)
    (draft,) = packing.update
    assert len(draft.endpoints) == 60 and not packing.create
    packing = decided(pods(310), there)
    assert [len(one.endpoints) for one in packing.create] == [60] and not packing.update


def test_what_is_no_longer_there_goes_with_its_slice() -> None:
    there = after(decided(pods(250)))
    packing = decided(pods(100), there)
    assert len(packing.delete) == 2 and not packing.update and not packing.create
    assert names(after(packing)) == [one.metadata.name for one in pods(100)]


def test_ports_that_differ_by_pod_have_slices_of_their_own() -> None:
    def listening(name: str, ip: str, port: int) -> Pod:
        declared = ContainerPort(container_port=port, name="web")
        return pod(name, ip, containers=(Container(name="c", ports=(declared,)),))

    of = service(ServicePort(port=80, target_port="web"))
    some = [listening("a", "10.0.0.1", 1), listening("b", "10.0.0.2", 2), pod("c", "10.0.0.3")]
    found = {draft.ports: names([stored(draft, "x")]) for draft in decided(some, of=of).create}
    assert {tuple(port.port for port in ports): who for ports, who in found.items()} == {
        (1,): ["a"],
        (2,): ["b"],
        (): ["c"],
    }


def test_families() -> None:
    dual = service(ip_families=("IPv6", "IPv4"))
    both = decided([pod("a", "10.0.0.1", "fd00::1"), pod("b", "10.0.0.2")], of=dual)
    found = {one.address_type: names([stored(one, "x")]) for one in both.create}
    assert found == {"IPv4": ["a", "b"], "IPv6": ["a"]}
    single = decided([pod("a", "10.0.0.1", "fd00::1")], after(both))
    assert [piece.address_type for piece in single.delete] == ["IPv6"]


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (service(ip_families=("IPv6",)), ("IPv6",)),
        (service(ip_families=(), cluster_ip="fd00::1"), ("IPv6",)),
        (service(ip_families=(), cluster_ip="None"), ("IPv4", "IPv6")),
    ],
)
def test_families_that_are_not_said(of: Service, expected: tuple[str, ...]) -> None:
    assert families(of) == expected


def test_labels_are_the_services_own_and_ours() -> None:
    reserved = {SERVICE_NAME: "lie", MANAGED_BY: "lie", "service.kubernetes.io/headless": "lie"}
    (draft,) = decided([], of=service(labels={"x": "y", **reserved})).create
    assert draft.labels == {"x": "y", SERVICE_NAME: "s", MANAGED_BY: MANAGER}
    headless = service(cluster_ip="None", ports=(), labels={"x": "y"})
    (other,) = decided(pods(1), of=headless).create
    assert other.labels["service.kubernetes.io/headless"] == ""
    assert other.ports == () and len(other.endpoints) == 1


def test_labels_that_change_are_written() -> None:
    there = after(decided(pods(150)))
    packing = decided(pods(150), there, of=service(labels={"x": "y"}))
    assert len(packing.update) == 2 and not (packing.create or packing.delete)


def test_slices_of_an_older_service_of_that_name_are_not_taken() -> None:
    there = [stored(one, "old", uid="other") for one in decided(pods(1)).create]
    packing = decided(pods(1), there)
    assert packing.delete == there and len(packing.create) == 1 and not packing.update


def test_pods_of_nodes_that_are_not_known_wait() -> None:
    some = [pod("a", "10.0.0.1"), pod("b", "10.0.0.2", node_name="gone")]
    result = plan(SERVICE, some, node, [])
    assert result.strays == ["b"]
    assert names(after(result.packing)) == ["a"]
    published = plan(service(publish_not_ready_addresses=True), some, node, [])
    assert published.strays == [] and names(after(published.packing)) == ["a", "b"]


@pytest.mark.parametrize(
    ("distribution", "ready", "zones", "nodes"),
    [
        ("PreferClose", True, ["z"], []),
        ("PreferSameZone", True, ["z"], []),
        ("PreferSameNode", True, ["z"], ["n"]),
        ("PreferSameNode", False, [], []),
        ("", True, [], []),
    ],
)
def test_hints(distribution: str, ready: bool, zones: list[str], nodes: list[str]) -> None:
    of = service(traffic_distribution=distribution)
    (draft,) = decided([pod("a", "10.0.0.1", ready=ready)], of=of).create
    hints = draft.endpoints[0].hints
    assert ([one.name for one in hints.for_zones] if hints else []) == zones
    assert ([one.name for one in hints.for_nodes] if hints else []) == nodes
    there = [stored(draft, "s-1")]
    again = decided([pod("a", "10.0.0.1", ready=ready)], there, of=of)
    assert again.kept == there
    other = decided([pod("a", "10.0.0.1", ready=ready)], there)
    assert [one.endpoints[0].hints for one in other.update] == ([None] if hints else [])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(st.integers(0, 330), max_size=330), min_size=1, max_size=5))
def test_slices_always_hold_what_they_should(steps: list[set[int]]) -> None:
    """Each endpoint is in one slice, no slice holds too many, and a second look finds it right."""
    everybody = pods(331)
    there: list[EndpointSlice] = []
    for number, step in enumerate(steps):
        some = [everybody[i] for i in sorted(step)]
        packing = decided(some, there)
        assert len(packing.update) + len(packing.create) <= max(
            len(there) + 1, len(some) // 100 + 1
        )
        there = after(packing, 100 * number)
        assert names(there) == [one.metadata.name for one in some]
        assert all(len(piece.endpoints) <= MOST for piece in there)
        again = decided(some, there)
        assert not (again.create or again.update or again.delete)


def test_an_endpoint_stays_the_same_whatever_its_state() -> None:
    (draft,) = decided(pods(1)).create
    one = draft.endpoints[0]
    assert identity(one) == identity(replace(one, zone="other", node_name="other"))
    assert identity(one) != identity(replace(one, hostname="other"))
