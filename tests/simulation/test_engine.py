"""The engine finds what is wrong with a controller, and plays a seed twice alike."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from argosy.api.core import ConfigMap
from argosy.api.resource import Resource
from argosy.api.resources.core import CONFIG_MAP
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.manager import Manager
from tests.simulation.__main__ import main
from tests.simulation.actors import User
from tests.simulation.engine import Scenario, run
from tests.simulation.scenarios.table import SCENARIOS
from tests.simulation.world import Invariant, Json, Step, World

Act = Callable[[Manager, ConfigMap], Awaitable[Result]]


def scenario(act: Act, *invariants: Callable[[], Invariant], writes: int = 100) -> Scenario:
    """A controller that acts on one ConfigMap, which is to be marked in the end."""

    def add(manager: Manager, served: Sequence[Resource]) -> None:
        async def reconcile(obj: ConfigMap) -> Result:
            return await act(manager, obj)

        manager.add(
            Controller(name="test", informer=manager.informer(ConfigMap), reconcile=reconcile)
        )

    async def script(user: User) -> None:
        await user.create(CONFIG_MAP, {"metadata": {"name": "it", "namespace": "default"}})

    return Scenario(
        name="test",
        controllers=add,
        script=script,
        final=lambda world: {"data": (world.get(CONFIG_MAP, "it") or {}).get("data")},
        expected={"data": {"seen": "yes"}},
        invariants=invariants,
        writes=writes,
    )


async def mark(manager: Manager, obj: ConfigMap, **data: str) -> Result:
    patch: Json = {"data": {"seen": "yes", **data}}
    await manager.client.merge(CONFIG_MAP, obj.metadata.name, "default", patch)
    return DONE


async def spin(manager: Manager, obj: ConfigMap) -> Result:
    """It writes for ever."""
    await mark(manager, obj, time=str(manager.clock.monotonic()))
    return Result(after=1.0)


async def forget(manager: Manager, obj: ConfigMap) -> Result:
    return DONE


async def stumble(manager: Manager, obj: ConfigMap) -> Result:
    await mark(manager, obj)
    raise KeyError("a fault of its own")


def never() -> Invariant:
    def check(world: World, step: Step) -> None:
        assert not (step.after or {}).get("data"), "it was marked"

    return check


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize(
    ("act", "invariants", "problem"),
    [
        (mark, (), ""),
        (mark, (never,), "it was marked"),
        (forget, (), "came to rest as {'data': None}"),
        (stumble, (), "a fault of its own"),
        (spin, (), "writes, 100 allowed"),
    ],
)
def test_what_is_found(
    act: Act, invariants: Sequence[Callable[[], Invariant]], problem: str, seed: int
) -> None:
    found = run(scenario(act, *invariants), seed)
    assert problem in found.problem
    assert bool(found.problem) is bool(problem)


def test_a_seed_is_played_twice_alike() -> None:
    for name in ("replication-controller", "garbage-foreground"):
        first, second = (run(SCENARIOS[name], 5, trace=True) for _ in range(2))
        assert first == second
        assert first.history != run(SCENARIOS[name], 6, trace=True).history


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "1", "--only", "garbage-orphan"]) == 0
    told = capsys.readouterr().out
    assert "garbage-orphan seed=1: passed" in told and "create //configmaps/default/root" in told
