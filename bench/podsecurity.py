"""How long it takes to judge a pod: `python -m bench.podsecurity [-o json]`.

Each figure is the best of many runs of a thousand calls on one core, in microseconds.
"""

import argparse
import copy
import json
import sys
import timeit
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from argosy.security.podsecurity.evaluate import evaluate
from argosy.security.podsecurity.levels import LEVELS, Level, Standard

Json = dict[str, Any]

CALLS = 1_000
RUNS = 200
TARGET = 15.0
TYPICAL: Json = {
    "containers": [
        {
            "name": "main",
            "image": "python:3.12",
            "env": [{"name": "COLOR", "value": "red"}],
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
            "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            },
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
    ],
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "volumes": [{"name": "data", "emptyDir": {}}, {"name": "token", "projected": {}}],
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    microseconds: float
    target: float | None


def three() -> Json:
    """The typical pod with two more containers."""
    spec = copy.deepcopy(TYPICAL)
    (main,) = spec["containers"]
    spec["containers"].append({**main, "name": "proxy"})
    spec["initContainers"] = [{**main, "name": "setup"}]
    return spec


def best(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    return min(timeit.repeat(call, number=CALLS, repeat=RUNS)) / CALLS * 1e6


def judging(level: Level, spec: Json) -> float:
    """Microseconds to judge a pod at a level."""
    standard = Standard(level)
    return best(lambda: evaluate(standard, {}, spec))


def measured() -> list[Row]:
    """All rows."""
    rows = [Row(f"typical pod, {level}", judging(level, TYPICAL), TARGET) for level in LEVELS]
    rows.append(Row("three containers, restricted", judging("restricted", three()), None))
    bare: Json = {"containers": [{"name": "main", "image": "python:3.12"}]}
    rows.append(Row("refused pod, restricted", judging("restricted", bare), None))
    return rows


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", choices=("table", "json"), default="table")
    rows = measured()
    if parser.parse_args().o == "json":
        sys.stdout.write(f"{json.dumps([asdict(row) for row in rows], indent=2)}\n")
        return 0
    table = Table("pod", "µs", "target")
    for row in rows:
        target = "" if row.target is None else f"≤ {row.target:g}"
        table.add_row(row.what, f"{row.microseconds:.1f}", target)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
