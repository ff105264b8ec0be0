"""Fragments: small cases by hand, and what holds of all."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from argosy.scheduler.packing.columns import GpuColumns
from argosy.scheduler.packing.fragments import UNIT, Fragments, without
from argosy.scheduler.packing.traces import Typical, typical
from tests.scheduler.packing.kit import node, part, some_nodes, some_pods, whole


def fragments(columns: GpuColumns, *pods: Typical) -> Fragments:
    return Fragments(columns, pods)


def measured(it: Fragments, what: str, cpu: int, *gpu: int) -> float:
    measure = it.next if what == "next" else it.last
    found = measure(np.array([0]), np.array([cpu]), np.array([gpu]))
    return float(found[0]) / UNIT


def test_devices_that_are_too_full_are_fragments() -> None:
    it = fragments(GpuColumns([node("a", gpus=2)]), Typical(part(500), 1.0))
    assert measured(it, "next", 96_000, 400, 600) == 400
    assert measured(it, "next", 96_000, 400, 400) == 800
    assert measured(it, "next", 96_000, 500, 1000) == 0
    assert measured(it, "last", 96_000, 400, 600) == 500
    assert measured(it, "last", 96_000, 500, 1000) == 0


def test_a_node_without_processors_is_all_fragments() -> None:
    it = fragments(GpuColumns([node("a", gpus=2)]), Typical(whole(1, 10_000), 1.0))
    assert measured(it, "next", 9_000, 1000, 1000) == 2000
    assert measured(it, "next", 12_000, 1000, 1000) == 0
    assert measured(it, "last", 12_000, 1000, 1000) == 1000


def test_pods_without_gpus_and_of_other_models_can_use_nothing() -> None:
    columns = GpuColumns([node("a", gpus=1, model="G2")])
    it = fragments(columns, Typical(part(500), 0.5))
    assert measured(it, "next", 96_000, 1000) == 500
    it = fragments(columns, Typical(part(500, 3_000, "T4"), 1.0))
    assert measured(it, "next", 96_000, 1000) == 1000


def test_pods_of_several_gpus_need_them_whole_and_together() -> None:
    it = fragments(GpuColumns([node("a", gpus=4)]), Typical(whole(2), 1.0))
    assert measured(it, "next", 96_000, 1000, 1000, 1000, 0) == 0
    assert measured(it, "last", 96_000, 1000, 1000, 1000, 0) == 1000
    assert measured(it, "next", 96_000, 1000, 900, 0, 0) == 1900


def test_whole_devices_are_the_first_that_are_free() -> None:
    gpu = np.array([[400, 1000, 1000, 1000]])
    assert without(gpu, whole(2)).tolist() == [[400, 0, 0, 1000]]
    assert without(gpu, some_pods(Random(1), 1)[0]).shape == (1, 4)


@given(seed=st.integers(0, 2**32))
def test_fragments_are_part_of_what_is_free(seed: int) -> None:
    random = Random(seed)
    columns = GpuColumns(some_nodes(random, 5))
    it = Fragments(columns, typical(some_pods(random, 40)))
    rows = np.arange(5)
    gpu = np.array([[random.randint(0, int(most)) for most in row] for row in columns.gpu])
    cpu = np.array([random.randint(0, int(most)) for most in columns.cpu])
    total = gpu.sum(axis=1) * UNIT
    for measure in (it.next, it.last):
        found = measure(rows, cpu, gpu)
        assert ((found >= 0) & (found <= total + 50 * UNIT)).all()
    assert (it.scarcity >= 0).all()
