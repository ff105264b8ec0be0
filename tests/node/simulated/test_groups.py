"""What the flag says: groups of nodes, or what is wrong with them and where."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.node.gpus import SimulatedGPU
from argosy.node.simulated.groups import (
    DEFAULTS,
    LONGEST,
    MOST_DEVICES,
    MOST_GROUPS,
    MOST_NODES,
    READERS,
    parse_groups,
    read_words,
)


def test_a_group_with_everything() -> None:
    (group,) = parse_groups(
        [
            "1000x(cpu=64, memory=512Gi, ephemeral-storage=2Ti, pods=200, gpu=2xH100(memory=40Gi),"
            "example.com/fpga=3, zones=3, labels=tier=gold;empty=, failure-rate=0.05,"
            "taints=spot=true:NoSchedule;old:NoExecute)"
        ]
    )
    assert (group.index, group.count, group.zones, group.failures) == (0, 1000, 3, 0.05)
    assert group.resources == {
        "cpu": "64",
        "memory": "512Gi",
        "ephemeral-storage": "2Ti",
        "pods": "200",
        "nvidia.com/gpu": "2",
        "example.com/fpga": "3",
    }
    assert group.gpus == tuple(SimulatedGPU(f"gpu-{i}", "H100", "40Gi") for i in range(2))
    assert group.labels == {"tier": "gold", "empty": ""}
    spot = {"key": "spot", "value": "true", "effect": "NoSchedule"}
    assert group.taints == (spot, {"key": "old", "effect": "NoExecute"})


def test_what_is_not_said_has_its_usual_value() -> None:
    (group,) = parse_groups(["3x()"])
    assert group.count == 3 and group.resources == DEFAULTS
    assert not (group.gpus or group.zones or group.labels or group.taints or group.failures)


def test_several_groups_of_several_flags() -> None:
    groups = parse_groups(["1x(cpu=1),2x(cpu=500m)", " 3x( gpu=4 ) "])
    assert [(group.index, group.count) for group in groups] == [(0, 1), (1, 2), (2, 3)]
    assert groups[1].resources["cpu"] == "500m"
    assert groups[2].gpus[3] == SimulatedGPU("gpu-3", "simulated", "16Gi")


def test_gpus_are_their_makers() -> None:
    (group,) = parse_groups(["1x(gpu=8xMI300X)"])
    assert group.resources["amd.com/gpu"] == "8"


def test_gpus_that_are_only_counted() -> None:
    (group,) = parse_groups(["1x(nvidia.com/gpu=8)"])
    assert group.resources["nvidia.com/gpu"] == "8" and group.gpus == ()


def test_the_order_of_words_does_not_matter() -> None:
    one, other = parse_groups(["1x(cpu=1,pods=2)", "1x(pods=2,cpu=1)"])
    assert one.words == other.words == "cpu=1,pods=2"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no group of nodes: expected COUNTx"),
        ("5", "is no group of nodes"),
        ("5x", "is no group of nodes"),
        ("x(cpu=1)", "is no group of nodes"),
        ("-1x()", "is no group of nodes"),
        ("٣x()", "is no group of nodes"),
        ("1x(),", "'' is no group of nodes"),
        ("1x()x", "is no group of nodes"),
        ("0x()", "'0x()': the count must be between 1 and 20000"),
        (f"{MOST_NODES + 1}x()", "the count must be between"),
        ("1x(cpu=1", "a parenthesis has no other half"),
        ("1x(cpu=1))", "a parenthesis has no other half"),
        ("1x(cpu)", "'cpu' is not KEY=VALUE"),
        ("1x(cpu=)", "'cpu=' is not KEY=VALUE"),
        ("1x(=1)", "'=1' is not KEY=VALUE"),
        ("1x(,)", "'' is not KEY=VALUE"),
        ("1x(cpu=1,cpu=2)", "'cpu' is given twice"),
        ("1x(gpus=1)", "'gpus' is unknown; known are cpu, ephemeral-storage"),
        ("2x(cpu=1),1x(cpu=many)", "'1x(cpu=many)': 'cpu': quantities must match"),
        ("1x(cpu=0)", "'cpu': '0' must be greater than 0 and at most 1000000"),
        ("1x(cpu=-4)", "'-4' must be greater than 0"),
        ("1x(cpu=1e9)", "at most 1000000"),
        ("1x(cpu=1u)", "finer than what is counted"),
        ("1x(memory=9Ei)", "at most"),
        ("1x(memory=100m)", "finer than what is counted"),
        ("1x(pods=2.5)", "finer than what is counted"),
        ("1x(gpu=8xRTX)", "'gpu': '8xRTX': unknown model 'RTX'"),
        ("1x(gpu=0)", "'gpu': '0': the count must be at least 1"),
        ("1x(gpu=2000)", "more than 1024"),
        ("1x(gpu=1,nvidia.com/gpu=2)", "'nvidia.com/gpu': gpu= gives it already"),
        ("1x(nvidia.com/gpu=2,gpu=1)", "'gpu': nvidia.com/gpu gives them already"),
        ("1x(example.com/a b=1)", "'example.com/a b': name part must consist"),
        ("1x(example.com/x=0)", "'0' must be a whole number between 1 and"),
        ("1x(node.kubernetes.io/x=1)", "Kubernetes' own names"),
        ("1x(zones=0)", "'zones': '0' must be a whole number between 1 and 1000"),
        ("1x(zones=1001)", "between 1 and 1000"),
        ("1x(labels=a)", "'labels': 'a' is not KEY=VALUE"),
        ("1x(labels=a=b c)", "'labels': Invalid value"),
        ("1x(taints=a)", "'taints': 'a' is not KEY[=VALUE]:EFFECT"),
        ("1x(taints=a:Never)", "'taints': Unsupported value"),
        ("1x(taints=a:NoExecute;a=b:NoExecute)", "unique by key and effect"),
        ("1x(failure-rate=1.1)", "'failure-rate': must be a number between 0 and 1"),
        ("1x(failure-rate=nan)", "must be a number between 0 and 1"),
        (",".join(["1x()"] * (MOST_GROUPS + 1)), "65 groups of nodes: at most 64"),
        (f"{MOST_NODES}x(),1x()", "20001 nodes: at most 20000"),
        (f"{MOST_NODES}x(gpu=9)", f"180000 GPUs: at most {MOST_DEVICES}"),
        ("1x(" + "a" * LONGEST + ")", "more than 16384 characters"),
        ("y" * 1000, f"{'y' * 63}…' is no group"),
    ],
)
def test_what_is_wrong_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_groups([text])
    assert told in str(caught.value)
    assert len(str(caught.value)) < 500


WORDS = st.sampled_from(
    [*READERS, "example.com/x", "x", "=", ",", "(", ")", "1", "8xH100", "0.5", "1Gi", ";", ":", " "]
)


@settings(max_examples=200)
@given(st.lists(WORDS | st.text(max_size=3), max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    for whole in (text, f"1x({text})"):
        try:
            groups = parse_groups([whole])
        except ValueError as error:
            assert str(error)
        else:
            assert all(1 <= group.count <= MOST_NODES for group in groups)


@settings(max_examples=50)
@given(
    cpu=st.integers(1, 10**6),
    memory=st.integers(1, 4096),
    gpu=st.integers(1, 16),
    zones=st.integers(1, 9),
    count=st.integers(1, 100),
)
def test_its_words_say_the_same_again(
    cpu: int, memory: int, gpu: int, zones: int, count: int
) -> None:
    text = f"{count}x(zones={zones},cpu={cpu},memory={memory}Mi,gpu={gpu}xA100)"
    (group,) = parse_groups([text])
    again = read_words(group.words)
    assert again.words == group.words and again.resources == group.resources
    assert (again.gpus, again.zones) == (group.gpus, group.zones)
