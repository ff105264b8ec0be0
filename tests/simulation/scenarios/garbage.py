"""The garbage collector and namespaces: what goes with its owner, and what never does."""

from collections.abc import Sequence
from typing import Any

from argosy.api.core import Namespace, Pod
from argosy.api.resource import Resource
from argosy.api.resources.core import CONFIG_MAP, SECRET
from argosy.controllers.namespaces import namespaces
from argosy.runtime.manager import Manager
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import collect, template
from tests.simulation.world import Invariant, Json, Step, World

KINDS = (CONFIG_MAP, SECRET)


def _run(manager: Manager, served: Sequence[Resource]) -> None:
    collect(manager, *KINDS)


def _final(world: World) -> Json:
    """Who is there, and of whom."""
    return {
        obj["metadata"]["name"]: [
            owner["name"] for owner in obj["metadata"].get("ownerReferences") or ()
        ]
        for kind in KINDS
        for obj in world.all(kind)
    }


def _uid(user: User, name: str) -> str:
    found = user.world.get(CONFIG_MAP, name)
    return str(found["metadata"]["uid"]) if found is not None else "gone"


async def _make(user: User, kind: Resource, name: str, *owners: str, block: bool = False) -> None:
    given = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner,
            "uid": _uid(user, owner),
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    meta: Json = {"name": name, "namespace": "default", "ownerReferences": given}
    await user.create(kind, {"metadata": meta})


async def _family(user: User, *, block: bool = False) -> None:
    """Two roots; children of the first, of the second, and of both; grandchildren."""
    await _make(user, CONFIG_MAP, "root")
    await _make(user, CONFIG_MAP, "other")
    await user.pause(5)
    for number in range(3):
        await _make(user, CONFIG_MAP, f"child-{number}", "root", block=block)
    await _make(user, CONFIG_MAP, "both", "root", "other", block=block)
    await _make(user, SECRET, "others", "other", block=block)
    await user.pause(5)
    for number in range(3):
        await _make(user, SECRET, f"grandchild-{number}", f"child-{number}", block=block)
    await user.pause(10)


def kept() -> Invariant:
    """Nothing is taken away that has an owner who stays."""

    def check(world: World, step: Step) -> None:
        if step.after is not None or step.before is None:
            return
        owners = step.before["metadata"].get("ownerReferences") or ()
        for owner in owners:
            found = world.get(CONFIG_MAP, owner["name"])
            if found is not None and found["metadata"]["uid"] == owner["uid"]:
                assert "deletionTimestamp" in found["metadata"], f"{owner['name']} is there"

    return check


def last() -> Invariant:
    """A root that goes in the foreground goes after its children."""

    def check(world: World, step: Step) -> None:
        if step.after is None and step.key.endswith("/root"):
            left = [
                obj["metadata"]["name"]
                for obj in world.all(CONFIG_MAP)
                if [owner["name"] for owner in obj["metadata"].get("ownerReferences", ())]
                == ["root"]
            ]
            assert not left, f"{left} outlive it"

    return check


async def _background(user: User) -> None:
    await _family(user)
    await user.delete(CONFIG_MAP, "root", "Background")
    await user.pause(10)
    await _make(user, CONFIG_MAP, "late", "root")  # of an owner that is gone


async def _foreground(user: User) -> None:
    await _family(user, block=True)
    await user.delete(CONFIG_MAP, "root", "Foreground")


async def _orphan(user: User) -> None:
    await _family(user)
    await user.delete(CONFIG_MAP, "root", "Orphan")


def _scenario(name: str, script: Any, expected: Json, *invariants: Any) -> Scenario:
    return Scenario(
        name=f"garbage-{name}",
        controllers=_run,
        script=script,
        final=_final,
        expected=expected,
        invariants=(kept, *invariants),
        writes=150,
    )


STAYING: Json = {"other": [], "others": ["other"]}
BACKGROUND = _scenario("background", _background, {**STAYING, "both": ["other"]})
FOREGROUND = _scenario("foreground", _foreground, {**STAYING, "both": ["other"]}, last)
ORPHAN = _scenario(
    "orphan",
    _orphan,
    {
        **STAYING,
        "both": ["other"],
        **{f"child-{number}": [] for number in range(3)},
        **{f"grandchild-{number}": [f"child-{number}"] for number in range(3)},
    },
)


def _run_namespaces(manager: Manager, served: Sequence[Resource]) -> None:
    wanted = {"ConfigMap", "Secret", "Pod", "Namespace"}
    manager.add(namespaces(manager, [item for item in served if item.kind in wanted]))


async def _leave(user: User) -> None:
    for name in ("one", "two"):
        await user.create(Namespace.resource, {"metadata": {"name": name}})
    await user.pause(5)
    for name in ("one", "two"):
        for number in range(3):
            meta = {"name": f"thing-{number}", "namespace": name}
            await user.create(CONFIG_MAP, {"metadata": meta})
        meta = {"name": "pod", "namespace": name}
        await user.create(Pod.resource, {**template("x"), "metadata": meta})
    await user.pause(10)
    await user.delete(Namespace.resource, "one")


NAMESPACES = Scenario(
    name="namespaces",
    controllers=_run_namespaces,
    script=_leave,
    final=lambda world: {
        "one": [key for key in world.objects if "/one" in key and "/events/" not in key],
        "two": sorted(key for key in world.objects if "/two/" in key and "/events/" not in key),
    },
    expected={
        "one": [],
        "two": [*(f"//configmaps/two/thing-{number}" for number in range(3)), "//pods/two/pod"],
    },
    writes=150,
)

GARBAGE = (BACKGROUND, FOREGROUND, ORPHAN, NAMESPACES)
