"""Traces of GPU clusters (Alibaba's openb, as published with FGD), and arrivals made of them."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from argosy.scheduler.packing.columns import MILLI, Demand, GpuNode

POPULAR = 0.95
"""The most frequent shapes that together make so much of a trace are its typical ones."""
LOAD = 1.3
MOST = 10**12
"""Millicores or MiB of one node or pod: far beyond what there is, and sums stay exact."""
MOST_DEVICES = 1024


@dataclass(frozen=True, slots=True)
class Typical:
    """A shape that is frequent, and its share of all such pods."""

    demand: Demand
    share: float


class TraceError(ValueError):
    """A trace can't be used; the message tells why and where."""


def nodes_of(path: Path) -> list[GpuNode]:
    """The nodes of `sn,cpu_milli,memory_mib,gpu,model`. Raises TraceError and OSError."""
    found = [
        GpuNode(
            name=row.text("sn"),
            cpu=row.number("cpu_milli"),
            memory=row.number("memory_mib"),
            gpus=row.number("gpu", MOST_DEVICES),
            model=row.text("model"),
        )
        for row in _rows(path)
    ]
    if not any(node.gpus for node in found):
        raise TraceError(f"{path}: no node has a GPU")
    return found


def pods_of(path: Path) -> list[Demand]:
    """The pods in the order of their names. Raises TraceError and OSError.

    Columns: `name,cpu_milli,memory_mib,num_gpu,gpu_milli` (of each GPU) and, if there is one,
    `gpu_spec`, the models that will do, with | between them.
    """
    found = [_demand(row) for row in sorted(_rows(path), key=lambda row: row.text("name"))]
    if not any(pod.total for pod in found):
        raise TraceError(f"{path}: no pod asks for a GPU")
    return found


def _demand(row: "_Row") -> Demand:
    gpus = row.number("num_gpu", MOST_DEVICES)
    milli = row.number("gpu_milli", MILLI) if gpus else 0
    if gpus and not milli:
        raise row.wrong("gpu_milli", "a pod with GPUs needs more than 0 of each")
    models = row.given.get("gpu_spec") or ""
    return Demand(
        row.number("cpu_milli"),
        row.number("memory_mib"),
        gpus,
        milli,
        frozenset(filter(None, models.split("|"))),
    )


def typical(pods: Sequence[Demand]) -> list[Typical]:
    """The shapes that cover 95 % of the pods, their shares summing up to 1. Memory is no matter."""
    counts = Counter(Demand(p.cpu, 0, p.gpus, p.milli, p.models) for p in pods)
    ordered = sorted(
        counts, key=lambda d: (-counts[d], -d.cpu, -d.milli, -d.gpus, sorted(d.models))
    )
    found: list[Demand] = []
    covered = 0
    for demand in ordered:
        if covered >= POPULAR * len(pods):
            break
        found.append(demand)
        covered += counts[demand]
    return [Typical(demand, counts[demand] / covered) for demand in found]


def arrivals(pods: Sequence[Demand], capacity: int, random: Random) -> list[Demand]:
    """All pods, shuffled, and more of the same at random until 1.3 times the capacity is asked."""
    found = list(pods)
    random.shuffle(found)
    most, asked = LOAD * capacity, sum(pod.total for pod in found)
    while asked > most:
        asked -= found.pop(random.randrange(len(found))).total
    while True:
        more = pods[random.randrange(len(pods))]
        if asked + more.milli > most:
            return found
        found.append(more)
        asked += more.total


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a trace."""

    given: dict[str, str | None]
    where: str

    def text(self, column: str) -> str:
        value = self.given.get(column)
        if value is None:
            raise self.wrong(column, "there is none")
        return value

    def number(self, column: str, most: int = MOST) -> int:
        text = self.text(column)
        try:
            value = int(text)
        except ValueError:
            raise self.wrong(column, f"{text[:40]!r} is no whole number") from None
        if not 0 <= value <= most:
            raise self.wrong(column, f"{text[:40]} is not between 0 and {most:,}")
        return value

    def wrong(self, column: str, why: str) -> TraceError:
        return TraceError(f"{self.where}, {column}: {why}")


def _rows(path: Path) -> list[_Row]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.DictReader(file)
            return [_Row(given, f"{path}, line {lines.line_num}") for given in lines]
    except (csv.Error, UnicodeDecodeError) as error:
        raise TraceError(f"{path}: {error}") from None
