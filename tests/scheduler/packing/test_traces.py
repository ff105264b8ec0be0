"""Traces as they are read, and what is said of those that can't be."""

from pathlib import Path

import pytest

from argosy.scheduler.packing.traces import TraceError, nodes_of, pods_of, typical
from tests.scheduler.packing.kit import part, whole

NODES = "sn,cpu_milli,memory_mib,gpu,model\n"
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "trace.csv"
    path.write_text(text)
    return path


def test_nodes_and_pods(tmp_path: Path) -> None:
    [node] = nodes_of(written(tmp_path, NODES + "a,96000,400000,8,G2\n"))
    assert (node.name, node.cpu, node.memory, node.gpus, node.model) == (
        *("a", 96000, 400000, 8, "G2"),
    )
    lines = "b,1,2,2,1000,T4|G2\na,3,4,1,500,\nc,5,6,0,0,\n"
    first, second, third = pods_of(written(tmp_path, PODS + lines))
    assert (first.cpu, first.shared, first.total, first.models) == (3, True, 500, frozenset())
    assert (second.total, second.shared, second.models) == (2000, False, frozenset({"T4", "G2"}))
    assert (third.gpus, third.total) == (0, 0)


def test_a_trace_without_models(tmp_path: Path) -> None:
    text = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,2,1,500\n"
    [pod] = pods_of(written(tmp_path, text))
    assert pod.models == frozenset()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (NODES, "no node has a GPU"),
        (NODES + "a,96000,400000,0,\n", "no node has a GPU"),
        (NODES + "a,many,400000,8,G2\n", "line 2, cpu_milli: 'many' is no whole number"),
        (NODES + "a,-1,400000,8,G2\n", "line 2, cpu_milli: -1 is not between 0 and"),
        (NODES + "a,1,1,1000000,G2\n", "line 2, gpu: 1000000 is not between 0 and 1,024"),
        (NODES + "a,1\n", "line 2, memory_mib: there is none"),
        ("name\na\n", "line 2, sn: there is none"),
        ("", "no node has a GPU"),
        (NODES + f"a,{'9' * 400},1,1,G2\n", "is not between 0 and"),
        (NODES + f"a,{'9' * 5000},1,1,G2\n", "is no whole number"),
        (NODES + "a,1,1,1,G2\n\x00", "line 3"),
    ],
)
def test_nodes_that_can_not_be_read(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(TraceError, match=told):
        nodes_of(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PODS + "a,1,1,0,0,\n", "no pod asks for a GPU"),
        (PODS + "a,1,1,1,1001,\n", "gpu_milli: 1001 is not between 0 and 1,000"),
        (PODS + "a,1,1,1,0,\n", "gpu_milli: a pod with GPUs needs more than 0 of each"),
    ],
)
def test_pods_that_can_not_be_read(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(TraceError, match=told):
        pods_of(written(tmp_path, text))


def test_other_bytes_than_text(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TraceError, match="trace.csv"):
        nodes_of(path)


def test_typical_pods_are_the_frequent_ones() -> None:
    pods = [part(500)] * 90 + [whole(1)] * 8 + [whole(2)] * 2
    found = typical(pods)
    assert [one.share for one in found] == pytest.approx([90 / 98, 8 / 98])
    assert [one.demand.total for one in found] == [500, 1000]
    assert all(one.demand.memory == 0 for one in found)
