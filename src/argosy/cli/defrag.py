"""`argosy defrag`: which pods to move so that whole GPUs and nodes become free."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from argosy.cli.connecting import NO_CLUSTER, Context, Kubeconfig, access, connected, what_helps
from argosy.cli.terminal import fail, show

if TYPE_CHECKING:
    from argosy.client.client import Client
    from argosy.client.kubeconfig import Access

Json = dict[str, Any]
HEADS = ("MOVE", "POD", "FROM", "TO", "FREES", "GAIN PER MOVE")
MOST_MOVES = 10_000
BAD_INPUT = 2


class Output(StrEnum):
    """How a plan is printed."""

    TABLE = "table"
    JSON = "json"


def defrag(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan only. Needed: nothing else can be done yet.")
    ] = False,
    max_moves: Annotated[
        int, typer.Option(min=1, max=MOST_MOVES, help="So many pods are moved at most.")
    ] = 100,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to print it.")
    ] = Output.TABLE,
    kubeconfig: Kubeconfig = None,
    context: Context = "",
) -> None:
    """Plan moves of pods that free whole GPUs and nodes, with the gain per move.

    Each move was made on a copy of the cluster by the scheduler's own rules, one after the other.
    PodDisruptionBudgets are honoured; nothing is evicted.
    """
    from argosy.base.errors import StatusError

    if not dry_run:
        text = "argosy defrag only plans: it evicts nobody"
        fail(text, "argosy defrag --dry-run shows the plan", code=BAD_INPUT)
    found = access(kubeconfig, context)
    try:
        told = asyncio.run(_asked(found, max_moves))
    except StatusError as error:
        usual = "who asks must be allowed to list nodes, pods and budgets of all namespaces"
        fail(str(error), what_helps(error, usual))
    except (ConnectionError, OSError) as error:
        fail(str(error), what_helps(error, NO_CLUSTER))
    show(told, lines, as_json=output is Output.JSON)


async def _asked(found: "Access", most: int) -> Json:
    from argosy.base.clock import SystemClock

    async with connected(found, SystemClock(), "argosy-defrag") as client:
        return await planned(client, most)


async def planned(client: "Client", most: int) -> Json:
    """The plan as JSON. Raises StatusError, ConnectionError."""
    from argosy.cli.listing import listed
    from argosy.scheduler.defrag.plan import KINDS, plan
    from argosy.scheduler.defrag.told import plain
    from argosy.scheduler.plugins.table import PLUGINS

    return plain(plan(await listed(client, KINDS), PLUGINS, most))


def lines(told: Json) -> list[str]:
    """The plan as text: what it comes to, its moves, and what is to be known of them."""
    found = [told["summary"]]
    if told["goals"]:
        found += ["", *_table([HEADS, *(row for goal in told["goals"] for row in _rows(goal))])]
        found += ["", "What is free, before and after:", *_table(_states(told))]
    if told["schedulable"]:
        found += ["", "Pods that wait and fit then:"]
        found += [f"  {name}" for name in told["schedulable"]]
    if told["goals"]:
        nodes = ", ".join(told["cordon"])
        found += ["", f"Cordon these first, or evicted pods may come back: {nodes}"]
    if told["kept"] and told["goals"]:
        found += ["", f"Of {told['pods']} pods {told['pods'] - told['movable']} can't be moved:"]
        found += [f"  {why}: {number}" for why, number in told["kept"].items()]
    if not told["complete"]:
        found += ["", "The cluster is too large to be looked at wholly: there may be more to gain."]
    return found


def _rows(goal: Json) -> list[tuple[str, ...]]:
    gain = f"{goal['gainPerMoveMilli'] / 1000:.2f}"
    return [
        (str(move["step"]), move["pod"], move["from"], _place(move), goal["frees"], gain)
        for move in goal["moves"]
    ]


def _place(move: Json) -> str:
    return ", ".join(move["devices"]) or str(move["to"])


def _states(told: Json) -> list[tuple[str, ...]]:
    before, after = told["before"], told["after"]
    return [
        ("nodes", str(before["freeNodes"]), str(after["freeNodes"])),
        ("GPUs", str(before["freeGPUs"]), str(after["freeGPUs"])),
        ("stranded GPUs", *(f"{one['strandedMilli'] / 1000:.2f}" for one in (before, after))),
    ]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
