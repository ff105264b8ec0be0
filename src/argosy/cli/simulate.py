"""`argosy simulate`: try out placing on a cluster that is not there."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from argosy.cli.terminal import fail

BAD_INPUT = 2
RANDOM = "random"
MOST_SEEDS = 10_000

app = typer.Typer(help="Try out placing on a cluster that is not there.", no_args_is_help=True)


@app.callback()
def simulate() -> None:
    """Try out placing on a cluster that is not there."""


@app.command()
def packing(
    nodes: Annotated[
        Path,
        typer.Option(help="Nodes: sn,cpu_milli,memory_mib,gpu,model.", metavar="CSV"),
    ],
    pods: Annotated[
        Path,
        typer.Option(
            help="Pods: name,cpu_milli,memory_mib,num_gpu,gpu_milli[,gpu_spec].", metavar="CSV"
        ),
    ],
    policy: Annotated[
        str, typer.Option(help="argosy, fgd, bestfit, dotprod or random.")
    ] = "argosy",
    seeds: Annotated[str, typer.Option(help="One, a list (1,2) or a range (42-51).")] = "42-51",
    output: Annotated[
        str, typer.Option("-o", "--output", help="json, or text for people.")
    ] = "text",
) -> None:
    """Tell how much of the GPUs a policy leaves unallocated, as pods arrive and stay.

    The experiment of FGD (Weng and others, USENIX ATC'23): the pods are shuffled, more of the same
    are drawn until they ask for 130 % of the GPUs, and each is placed where it fits or dropped.
    Told are the percent of the GPUs that nobody has once demand for 100 % and for all has arrived.
    """
    from argosy.scheduler.packing.policies import POLICIES
    from argosy.scheduler.packing.replay import outcome
    from argosy.scheduler.packing.traces import TraceError, nodes_of, pods_of

    if output not in ("json", "text"):
        fail(f"unknown output {output!r}", "use -o json or -o text", code=BAD_INPUT)
    if policy not in (*POLICIES, RANDOM):
        known = ", ".join((*POLICIES, RANDOM))
        fail(f"unknown policy {policy!r}", f"there are {known}", code=BAD_INPUT)
    wanted = _seeds(seeds)
    try:
        there, asked = nodes_of(nodes), pods_of(pods)
    except TraceError as error:
        fail(f"reading {error}", "give CSV files with these columns: --help", code=BAD_INPUT)
    except OSError as error:
        wrong = f"reading {error.filename}: {error.strerror}"
        fail(wrong, "give CSV files that can be read", code=BAD_INPUT)
    found = {seed: outcome(there, asked, POLICIES.get(policy), seed) for seed in wanted}
    _print(policy, found, output)


def _print(policy: str, found: Mapping[int, Mapping[int, float]], output: str) -> None:
    moments = next(iter(found.values())).keys()
    count = len(found)
    means = {moment: sum(one[moment] for one in found.values()) / count for moment in moments}
    if output == "json":
        told = {
            "policy": policy,
            "unallocated_percent": _rounded(means),
            "seeds": {str(seed): _rounded(one) for seed, one in found.items()},
        }
        sys.stdout.write(f"{json.dumps(told, indent=2)}\n")
        return
    sys.stdout.write(f"{policy}: percent of the GPUs unallocated\n")
    rows: Sequence[tuple[str, Mapping[int, float]]] = (
        *((str(seed), one) for seed, one in found.items()),
        ("mean", means),
    )
    sys.stdout.write("seed  " + "".join(f"{f'at {moment} %':>10}" for moment in moments) + "\n")
    for name, one in rows:
        sys.stdout.write(f"{name:<6}" + "".join(f"{one[m]:10.2f}" for m in moments) + "\n")


def _rounded(one: Mapping[int, float]) -> dict[str, float]:
    return {str(moment): round(percent, 4) for moment, percent in one.items()}


def _seeds(text: str) -> list[int]:
    """The seeds, each once."""
    found: dict[int, None] = {}
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            low, high = int(first), int(last or first)
            if high < low or high - low >= MOST_SEEDS:
                raise ValueError(part)
            found.update(dict.fromkeys(range(low, high + 1)))
    except ValueError:
        fail(f"can't read the seeds {text!r}", "try --seeds 42-51", code=BAD_INPUT)
    return list(found)
