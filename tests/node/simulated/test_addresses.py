"""Addresses of simulated pods."""

from argosy.api.core import Pod
from argosy.node.simulated.addresses import PodAddresses
from argosy.testing.builders import body, view


def having(address: str) -> Pod:
    return view(Pod, body("pod", status={"podIP": address}))


def test_none_is_given_twice() -> None:
    addresses = PodAddresses()
    given = [addresses.next() for _ in range(300)]
    assert given[0] == "10.128.0.1" and given[255] == "10.128.1.0"
    assert len(set(given)) == 300


def test_those_that_pods_have_are_passed_over() -> None:
    addresses = PodAddresses()
    addresses.changed(None, having("10.128.0.1"))
    addresses.changed(None, having("10.128.0.2"))
    addresses.changed(having("10.128.0.2"), None)
    addresses.changed(None, having(""))
    addresses.changed(having(""), having("10.128.0.3"))
    assert [addresses.next() for _ in range(2)] == ["10.128.0.2", "10.128.0.4"]
