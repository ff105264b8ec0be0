"""Bootstrap tokens go at their end."""

import base64
from collections.abc import Sequence
from datetime import timedelta

from argosy.api.resource import Resource
from argosy.api.resources.core import SECRET
from argosy.base.clock import parse_timestamp, timestamp
from argosy.controllers.tokens import BOOTSTRAP, BOOTSTRAP_NAMESPACE, bootstrap_cleaning
from argosy.runtime.manager import Manager
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.world import Invariant, Step, World


def _clean(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(bootstrap_cleaning(manager))


def not_before() -> Invariant:
    """No token goes before its end."""

    def check(world: World, step: Step) -> None:
        if step.concerns(SECRET) and step.after is None and step.before is not None:
            ends = base64.b64decode(step.before["data"]["expiration"]).decode()
            assert parse_timestamp(ends) <= world.clock.now(), f"it ends at {ends}"

    return check


def _ending(user: User, seconds: float) -> dict[str, str]:
    ends = timestamp(user.clock.now() + timedelta(seconds=seconds))
    return {"expiration": base64.b64encode(ends.encode()).decode()}


async def _give(user: User) -> None:
    for name, seconds in (("short", 20.0), ("longer", 40.0), ("long", 100_000.0)):
        meta = {"name": name, "namespace": BOOTSTRAP_NAMESPACE}
        await user.create(
            SECRET, {"metadata": meta, "type": BOOTSTRAP, "data": _ending(user, seconds)}
        )
        await user.pause(5)
    for _ in range(2):
        await user.clock.sleep(20 * user.random.random() + 15)
        if user.world.get(SECRET, "longer", BOOTSTRAP_NAMESPACE) is not None:
            longer = {"data": _ending(user, 40.0)}
            await user.attempt(user.client.merge(SECRET, "longer", BOOTSTRAP_NAMESPACE, longer))
    await user.until(lambda: len(user.world.all(SECRET)) == 1)


GIVEN = Scenario(
    name="bootstrap-tokens",
    controllers=_clean,
    script=_give,
    final=lambda world: {"tokens": [item["metadata"]["name"] for item in world.all(SECRET)]},
    expected={"tokens": ["long"]},
    invariants=(not_before,),
    nodes=(),
    writes=30,
)

TOKENS = (GIVEN,)
