"""A profile says which pods are typical; what is wrong there is told with its path."""

import re
from pathlib import Path
from typing import Any

import pytest

from argosy.scheduler.config.reading import parsed
from argosy.scheduler.config.setup import made, without_effect
from argosy.scheduler.packing.args import told
from argosy.scheduler.packing.columns import Demand
from argosy.scheduler.packing.traces import Typical
from argosy.testing.clock import FakeClock

GUIDE = Path(__file__).parents[3] / "docs" / "scheduling.md"


def test_the_profile_of_the_guide() -> None:
    """It is taken, and nothing scores there but packing."""
    texts = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (text,) = (it for it in texts if "GPUPacking" in it)
    configuration = parsed(text.encode())
    assert not list(without_effect(configuration))
    (profile,) = made(configuration, FakeClock()).profiles
    assert [plugin.name for plugin in profile.plugins if plugin.score] == []
    assert "GPUPacking" in {plugin.name for plugin in profile.plugins}


def test_typical_pods() -> None:
    pods = [
        {"cpu": "6500m", "gpus": 1, "gpuMilli": 460, "share": 3},
        {"cpu": 64, "gpus": 8, "models": ["H100", "A100"], "share": 1},
        {"share": 4},
    ]
    assert told({"policy": "fgd", "typicalPods": pods}) == (
        "fgd",
        [
            Typical(Demand(6_500, 0, 1, 460), 0.375),
            Typical(Demand(64_000, 0, 8, 1000, frozenset(("H100", "A100"))), 0.125),
            Typical(Demand(0, 0), 0.5),
        ],
    )
    assert told({}) == ("argosy", [])


@pytest.mark.parametrize(
    ("pod", "text"),
    [
        ({"cpu": "x"}, r'cpu: Invalid value: "x": '),
        ({"cpu": "-1"}, r'cpu: Invalid value: "-1": not in valid range \[0, 1000000000\]'),
        ({"cpu": "1e99"}, r"cpu: Invalid value: "),
        ({"cpu": [1]}, r"cpu: Invalid value: "),
        ({"gpus": -1}, r"gpus: Invalid value: -1: not in valid range \[0, 1024\]"),
        ({"gpus": 10**20}, r"gpus: Invalid value: "),
        ({"gpus": 1, "gpuMilli": 0}, r"gpuMilli: Invalid value: 0: not in valid range \[1, 1000\]"),
        ({"gpuMilli": 500}, r"gpus: Required value: "),
        ({"models": ["T4"]}, r"gpus: Required value: "),
        ({"share": 0}, r"share: Required value: "),
        ({"share": -1}, r"share: Invalid value: -1: not in valid range \[1, 1000000000\]"),
        ({"gpu": 1}, r"gpu: unknown field"),
    ],
)
def test_what_is_wrong_with_a_pod(pod: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=rf"^typicalPods\[1\]\.{text}"):
        told({"typicalPods": [{"share": 1}, {"share": 1, **pod}]})


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"policy": "best"}, r'^policy: Unsupported value: "best": supported values: "argosy", '),
        ({"policy": ["fgd"]}, r"^policy: Invalid value: expected "),
        ({"polcy": "fgd"}, r"^polcy: unknown field"),
        ({"typicalPods": {}}, r"^typicalPods: Invalid value: "),
        ({"typicalPods": [{"share": 1}] * 257}, r"^typicalPods: Too many: 257: must have at most"),
    ],
)
def test_what_is_wrong_with_the_whole(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        told(args)
