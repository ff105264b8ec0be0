"""What a pod is to a service."""

import pytest

from argosy.api.core import Container, ContainerPort, InitContainer, Pod, Service, ServicePort
from argosy.controllers.endpoints.pods import belongs, endpoint, kept, number, ports
from tests.controllers.endpoints.kit import node, pod, service


@pytest.mark.parametrize(
    ("one", "terminating", "expected"),
    [
        (pod("p", "10.0.0.1"), False, True),
        (pod("p", "10.0.0.1", ready=False), False, True),
        (pod("p"), True, False),
        (pod("p", "10.0.0.1", phase="Succeeded"), True, False),
        (pod("p", "10.0.0.1", phase="Failed"), True, False),
        (pod("p", "10.0.0.1", going=True), True, True),
        (pod("p", "10.0.0.1", going=True), False, False),
    ],
)
def test_which_pods_stand_behind_services(one: Pod, terminating: bool, expected: bool) -> None:
    assert belongs(one, terminating=terminating) is expected


@pytest.mark.parametrize(
    ("one", "published", "expected"),
    [
        (pod("p", "10.0.0.1"), False, (True, True, False)),
        (pod("p", "10.0.0.1", ready=False), False, (False, False, False)),
        (pod("p", "10.0.0.1", going=True), False, (False, True, True)),
        (pod("p", "10.0.0.1", going=True, ready=False), True, (True, False, True)),
    ],
)
def test_conditions(one: Pod, published: bool, expected: tuple[bool, bool, bool]) -> None:
    found = endpoint(one, node("n"), service(publish_not_ready_addresses=published), "IPv4")
    assert found is not None
    said = found.conditions
    assert (said.ready, said.serving, said.terminating) == expected


def test_what_an_endpoint_says_of_its_pod() -> None:
    named = pod("p", "010.0.0.1", "FD00::0001", hostname="web-0", subdomain="s")
    four, six = (endpoint(named, node("n"), service(), one) for one in ("IPv4", "IPv6"))
    assert four is not None and six is not None
    assert (four.addresses, six.addresses) == (("10.0.0.1",), ("fd00::1",))
    assert (four.hostname, four.node_name, four.zone) == ("web-0", "n", "z")
    target = four.target_ref
    assert target is not None
    assert (target.kind, target.namespace, target.name, target.uid) == (
        "Pod",
        "default",
        "p",
        "uid-p",
    )
    elsewhere = endpoint(pod("p", "10.0.0.1", hostname="h", subdomain="t"), None, service(), "IPv4")
    assert elsewhere is not None and (elsewhere.hostname, elsewhere.zone) == ("", None)
    assert endpoint(pod("p", "10.0.0.1"), node("n"), service(), "IPv6") is None
    assert endpoint(pod("p", "nonsense"), node("n"), service(), "IPv4") is None


def declaring(*declared: ContainerPort, beside: tuple[ContainerPort, ...] = ()) -> Pod:
    first = InitContainer(name="i", ports=(ContainerPort(container_port=1, name="web"),))
    sidecar = InitContainer(name="s", restart_policy="Always", ports=beside)
    container = Container(name="c", ports=declared)
    return pod("p", "10.0.0.1", containers=(container,), init_containers=(first, sidecar))


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (ServicePort(port=80), 80),
        (ServicePort(port=80, target_port=8080), 8080),
        (ServicePort(port=80, target_port="web"), 8000),
        (ServicePort(port=80, target_port="metrics"), 9000),
        (ServicePort(port=80, target_port="web", protocol="UDP"), None),
        (ServicePort(port=80, target_port="nope"), None),
    ],
)
def test_the_number_of_a_port(port: ServicePort, expected: int | None) -> None:
    web = ContainerPort(container_port=8000, name="web")
    one = declaring(web, beside=(ContainerPort(container_port=9000, name="metrics"),))
    assert number(one, port) == expected


def test_ports_that_a_pod_does_not_know_are_left_out() -> None:
    named = ServicePort(name="a", port=1, target_port="nope")
    known = ServicePort(name="b", port=2, protocol="UDP", app_protocol="x")
    (found,) = ports(pod("p", "10.0.0.1"), service(named, known))
    assert (found.name, found.port, found.protocol, found.app_protocol) == ("b", 2, "UDP", "x")


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (service(), True),
        (service(selector={}), False),
        (service(type="ExternalName"), False),
    ],
)
def test_whose_endpoints_are_kept(one: Service, expected: bool) -> None:
    assert kept(one) is expected
