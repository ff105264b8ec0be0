"""Small GPU clusters and their pods."""

from random import Random

from argosy.scheduler.packing.columns import Demand, GpuNode

MODELS = ("G2", "T4", "V100")
SHARES = (110, 160, 230, 320, 470, 650, 810)


def node(name: str, *, cpu: int = 96_000, gpus: int = 8, model: str = "G2") -> GpuNode:
    return GpuNode(name, cpu, 400_000, gpus, model)


def whole(gpus: int = 1, cpu: int = 10_000, *models: str) -> Demand:
    return Demand(cpu, 30_000, gpus, 1000, frozenset(models))


def part(milli: int, cpu: int = 3_000, *models: str) -> Demand:
    return Demand(cpu, 5_000, 1, milli, frozenset(models))


def some_nodes(random: Random, count: int) -> list[GpuNode]:
    return [
        node(
            f"n{at}",
            cpu=random.choice((16_000, 64_000, 96_000)),
            gpus=random.choice((1, 2, 4, 8)),
            model=random.choice(MODELS),
        )
        for at in range(count)
    ]


def some_pods(random: Random, count: int) -> list[Demand]:
    found = []
    for _ in range(count):
        cpu = random.choice((1_000, 4_000, 8_000, 12_000))
        models = random.choices(((), ("T4",), ("G2", "V100")), (8, 1, 1))[0]
        kind = random.random()
        if kind < 0.15:
            found.append(Demand(cpu, 10_000))
        elif kind < 0.6:
            found.append(part(random.choice(SHARES), cpu, *models))
        else:
            found.append(whole(random.choices((1, 2, 8), (8, 1, 1))[0], cpu, *models))
    return found
