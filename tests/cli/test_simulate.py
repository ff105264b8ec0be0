"""`argosy simulate packing`: what it prints, and what it says of bad input."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from argosy.cli.main import app
from argosy.scheduler.packing.policies import POLICIES


@pytest.fixture
def trace(tmp_path: Path) -> list[str]:
    nodes, pods = tmp_path / "nodes.csv", tmp_path / "pods.csv"
    lines = "".join(f"n{at},32000,200000,4,G2\n" for at in range(6))
    nodes.write_text(f"sn,cpu_milli,memory_mib,gpu,model\n{lines}")
    lines = "".join(f"p{at},{cpu},4000,1,{milli},\n" for at in range(10) for cpu, milli in SHAPES)
    pods.write_text(f"name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n{lines}")
    return ["--nodes", str(nodes), "--pods", str(pods)]


SHAPES = ((2000, 470), (3000, 810), (9000, 1000))


def simulated(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", "packing", *arguments])


@pytest.mark.parametrize("policy", [*POLICIES, "random"])
def test_means_and_seeds(trace: list[str], policy: str) -> None:
    result = simulated(*trace, "--policy", policy, "--seeds", "1-3,7", "-o", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["policy"] == policy
    assert list(told["seeds"]) == ["1", "2", "3", "7"]
    for moment in ("100", "130"):
        each = [one[moment] for one in told["seeds"].values()]
        assert told["unallocated_percent"][moment] == pytest.approx(sum(each) / 4, abs=1e-3)
        assert all(0 <= percent <= 100 for percent in each)
    again = simulated(*trace, "--policy", policy, "--seeds", "1-3,7", "-o", "json")
    assert again.stdout == result.stdout


def test_text(trace: list[str]) -> None:
    result = simulated(*trace, "--seeds", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "argosy: percent of the GPUs unallocated"
    assert lines[1].split() == ["seed", "at", "100", "%", "at", "130", "%"]
    assert lines[3].split()[0] == "mean"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--policy", "best"], "unknown policy 'best'"),
        (["-o", "yaml"], "unknown output 'yaml'"),
        (["--seeds", "few"], "can't read the seeds 'few'"),
        (["--seeds", "5-1"], "can't read the seeds '5-1'"),
        (["--seeds", "1-99999999999"], "can't read the seeds"),
        (["--seeds", ""], "can't read the seeds ''"),
        (["--nodes", "/nowhere.csv"], "No such file"),
    ],
)
def test_what_is_wrong_is_told(trace: list[str], wrong: list[str], told: str) -> None:
    result = simulated(*trace, *wrong)
    assert result.exit_code == 2
    assert told in result.output
