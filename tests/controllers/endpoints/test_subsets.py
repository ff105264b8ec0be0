"""Subsets: one form for all that say the same, and never too many addresses."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.endpoints import EndpointAddress, EndpointPort, EndpointSubset
from argosy.controllers.endpoints.subsets import MOST, Subsets, repacked, truncated

HTTP, HTTPS = EndpointPort(name="http", port=80), EndpointPort(name="https", port=443)


def many(number: int, net: int = 0) -> tuple[EndpointAddress, ...]:
    return tuple(EndpointAddress(ip=f"10.{net}.{i // 250}.{i % 250}") for i in range(number))


def subset(ready: int, others: int = 0, *ports: EndpointPort) -> EndpointSubset:
    return EndpointSubset(
        addresses=many(ready), not_ready_addresses=many(others, 1), ports=ports or (HTTP,)
    )


def test_ports_of_the_same_addresses_are_together() -> None:
    a, b = many(2)
    split = [
        EndpointSubset(addresses=(b,), ports=(HTTPS,)),
        EndpointSubset(addresses=(a,), ports=(HTTP,)),
        EndpointSubset(addresses=(a,), ports=(HTTPS,)),
        EndpointSubset(addresses=(b,), ports=(HTTP,)),
    ]
    assert repacked(split) == (EndpointSubset(addresses=(a, b), ports=(HTTP, HTTPS)),)


def test_addresses_with_different_ports_are_apart() -> None:
    a, b = many(2)
    found = repacked(
        [
            EndpointSubset(addresses=(a, b), ports=(HTTP,)),
            EndpointSubset(not_ready_addresses=(a,), ports=(HTTPS,)),
        ]
    )
    assert found == (
        EndpointSubset(addresses=(a, b), ports=(HTTP,)),
        EndpointSubset(not_ready_addresses=(a,), ports=(HTTPS,)),
    )


def test_who_is_also_not_ready_is_not_ready() -> None:
    (a,) = many(1)
    both = EndpointSubset(addresses=(a,), not_ready_addresses=(a,), ports=(HTTP,))
    assert repacked([both]) == (EndpointSubset(not_ready_addresses=(a,), ports=(HTTP,)),)


def test_no_ports_at_all_are_fine() -> None:
    assert repacked([EndpointSubset(addresses=many(2))]) == (EndpointSubset(addresses=many(2)),)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.booleans(), st.sampled_from([(HTTP,), (HTTPS,), ()])),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_does_not_matter(
    parts: list[tuple[int, bool, tuple[EndpointPort, ...]]], chance: random.Random
) -> None:
    split = [
        EndpointSubset(addresses=(many(6)[i],), ports=ports)
        if ready
        else EndpointSubset(not_ready_addresses=(many(6)[i],), ports=ports)
        for i, ready, ports in parts
    ]
    found = repacked(split)
    chance.shuffle(split)
    assert repacked(split) == found == repacked(found)


@pytest.mark.parametrize(
    ("given_", "over", "expected"),
    [
        ([subset(MOST)], False, [(MOST, 0)]),
        ([subset(600, 400)], False, [(600, 400)]),
        ([subset(600, 500)], True, [(600, 400)]),
        ([subset(MOST + 1, 5)], True, [(MOST, 0)]),
        ([subset(300, 900), subset(300, 300, HTTPS)], True, [(300, 300), (300, 100)]),
        ([subset(1500, 5), subset(500, 5, HTTPS)], True, [(750, 0), (250, 0)]),
        ([], False, []),
    ],
)
def test_what_is_left_out(
    given_: list[EndpointSubset], over: bool, expected: list[tuple[int, int]]
) -> None:
    found: tuple[Subsets, bool] = truncated(given_)
    assert found[1] is over
    lengths = [(len(one.addresses), len(one.not_ready_addresses)) for one in found[0]]
    assert lengths == expected
