"""How many pods like one fit: counted by array, and checked by putting them there."""

from argosy.scheduler.columns import Columns
from argosy.scheduler.copies import MOST, copies
from argosy.scheduler.shape import Request, request_of
from tests.scheduler.builders import node, occupant, pod


def test_the_scarcest_resource_says() -> None:
    nodes = Columns()
    nodes.put_node(node("a", allocatable={"cpu": 4, "memory": "8Gi", "pods": 110}))
    nodes.put_node(node("b", allocatable={"cpu": 9, "memory": "2Gi", "example.com/gpu": 5}))
    nodes.put_node(node("c", allocatable={"cpu": 9, "pods": 2}))
    nodes.put_node(node("gone"))
    nodes.put_pod("a", occupant("p", requests={"cpu": 1}))
    nodes.drop_node("gone")

    def told(**requests: str | int) -> list[int]:
        asked = {name.replace("gpu", "example.com/gpu"): it for name, it in requests.items()}
        return [int(number) for number in copies(nodes, request_of(pod(requests=asked)))]

    assert told(cpu=1) == [3, 9, 2, 0]
    assert told(cpu=2, memory="1Gi") == [1, 2, 2, 0]
    assert told(gpu=2) == [0, 2, 0, 0]
    assert told() == [109, 110, 2, 0]


def test_a_node_with_less_than_nothing_left_has_room_for_none() -> None:
    nodes = Columns()
    nodes.put_node(node("a", allocatable={"cpu": 1}))
    nodes.put_pod("a", occupant("p", requests={"cpu": 3}))
    assert copies(nodes, request_of(pod(requests={"cpu": 1}))).tolist() == [0]


def test_there_are_never_more_than_can_be_summed() -> None:
    nodes = Columns()
    nodes.put_node(node("a", allocatable={"pods": 2**60}))
    assert copies(nodes, Request((("pods", 1),), (0, 0))).tolist() == [MOST]
