"""Blocks of loopback addresses."""

import pytest

from argosy.node.addresses import AddressBlock


def test_two_nodes_on_a_machine_never_share_a_block() -> None:
    first = AddressBlock.claim(range(200, 220))
    second = AddressBlock.claim(range(200, 220))
    assert first.node != second.node
    assert first.assign("u").rsplit(".", 2)[0] != second.assign("u").rsplit(".", 2)[0]
    taken = first.node
    number = int(taken.split(".")[1])
    with pytest.raises(OSError, match="no loopback block"):
        AddressBlock.claim(range(number, number + 1))
    first.close()
    third = AddressBlock.claim(range(number, number + 1))
    assert third.node == taken
    second.close()
    third.close()


def test_a_pod_keeps_its_address_and_nobody_shares_it() -> None:
    block = AddressBlock.claim(range(220, 240))
    prefix = block.node.removesuffix("0.1")
    assert block.assign("a") == block.assign("a") == f"{prefix}0.2"
    assert block.assign("b", f"{prefix}0.9") == f"{prefix}0.9"
    assert block.assign("c", f"{prefix}0.9") == f"{prefix}0.3"
    assert block.assign("d", block.node) == f"{prefix}0.4"
    assert block.assign("e", "10.0.0.1") == f"{prefix}0.5"
    block.release("a")
    assert [block.assign(f"f{i}") for i in range(5)][2:] == [f"{prefix}0.{i}" for i in (8, 10, 11)]
    block.close()
