"""Volumes: bound, made, reclaimed, held while they are used, and attached where they are."""

from collections.abc import Sequence
from pathlib import Path

from argosy.api.core import Node, Pod
from argosy.api.resource import Resource
from argosy.api.storage import (
    CSIDriver,
    PersistentVolume,
    PersistentVolumeClaim,
    VolumeAttachment,
    VolumeAttributesClass,
)
from argosy.cluster.bootstrap import PROVISIONER
from argosy.controllers.attachdetach.attachdetach import attach_detach
from argosy.controllers.attachdetach.telling import told_volumes
from argosy.controllers.claimprotection import claim_protection
from argosy.controllers.ephemeralvolumes import ephemeral_volumes
from argosy.controllers.volumeclaims import volume_claims
from argosy.controllers.volumeprotection import class_protection, volume_protection
from argosy.controllers.volumes.volumes import volumes
from argosy.runtime.manager import Manager
from tests.simulation.actors import User, ready
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import collect, template
from tests.simulation.world import Invariant, Json, Step, World, controller_uid

CLAIMS, VOLUMES = PersistentVolumeClaim.resource, PersistentVolume.resource
ATTACHMENTS, CLASSES = VolumeAttachment.resource, VolumeAttributesClass.resource
ONCE = ["ReadWriteOnce"]
NOWHERE = Path("/nowhere")


def _claim(name: str, **spec: object) -> Json:
    wanted = {"accessModes": ONCE, "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": wanted}


def _volume(name: str, size: str = "1Gi", **source: object) -> Json:
    spec = {
        "capacity": {"storage": size},
        "accessModes": ONCE,
        "storageClassName": "hand",
        "persistentVolumeReclaimPolicy": "Retain",
        **source,
    }
    return {"metadata": {"name": name}, "spec": spec}


def _phase(obj: Json) -> str:
    return str(obj["status"].get("phase"))


def _bind(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(volume_claims(manager, NOWHERE, PROVISIONER))
    manager.add(volumes(manager, NOWHERE, PROVISIONER))
    manager.add(claim_protection(manager))
    manager.add(volume_protection(manager))


def one_each() -> Invariant:
    """A volume is one claim's, and a claim is told of none that isn't its own."""

    def check(world: World, step: Step) -> None:
        if step.concerns(CLAIMS) and step.after is not None:
            name = step.after["spec"].get("volumeName")
            there = [item for item in world.all(CLAIMS) if item["spec"].get("volumeName") == name]
            assert not name or len(there) == 1, f"{len(there)} claims have {name}"
            volume = world.get(VOLUMES, name or "")
            if volume is not None and _phase(step.after) == "Bound":
                assert _whose(volume) == step.after["metadata"]["uid"], f"{name} isn't its own"
        if step.concerns(VOLUMES) and step.before is not None and step.after is not None:
            before, after = _whose(step.before), _whose(step.after)
            assert not before or not after or before == after, "another claim's at once"

    return check


def _whose(volume: Json) -> str:
    return str((volume["spec"].get("claimRef") or {}).get("uid", ""))


def kept_for_claims() -> Invariant:
    """No volume goes while its claim is there."""

    def check(world: World, step: Step) -> None:
        if step.concerns(VOLUMES) and step.before is not None and step.after is None:
            uids = {item["metadata"]["uid"] for item in world.all(CLAIMS)}
            assert _whose(step.before) not in uids, "its claim is there"

    return check


def _bound(world: World, kind: str) -> list[Json]:
    """The claims of a kind that have volumes."""
    return [
        item
        for item in world.all(CLAIMS)
        if item["metadata"]["name"].startswith(kind) and _phase(item) == "Bound"
    ]


def _shared_out(world: World) -> bool:
    return len(_bound(world, "static")) == 2 and len(_bound(world, "dynamic")) == 2


async def _store(user: User) -> None:
    for number, size in enumerate(("1Gi", "5Gi")):
        await user.create(VOLUMES, _volume(f"v{number}", size, hostPath={"path": "/x"}))
    for number in range(3):
        await user.create(CLAIMS, _claim(f"static-{number}", storageClassName="hand"))
        await user.pause(5)
        if number < 2:
            await user.create(CLAIMS, _claim(f"dynamic-{number}"))
    await user.until(lambda: _shared_out(user.world))
    assert _shared_out(user.world), "they wait"
    first, second = _bound(user.world, "static")
    await user.delete(CLAIMS, first["metadata"]["name"])
    await user.delete(CLAIMS, "dynamic-0")
    await user.delete(VOLUMES, second["spec"]["volumeName"])
    await user.pause(60)
    await user.delete(CLAIMS, second["metadata"]["name"])


BOUND = Scenario(
    name="volumes",
    controllers=_bind,
    script=_store,
    final=lambda world: {
        "claims": [
            [item["metadata"]["name"].partition("-")[0], _phase(item)] for item in world.all(CLAIMS)
        ],
        "volumes": [[item["metadata"]["name"][0], _phase(item)] for item in world.all(VOLUMES)],
    },
    expected={
        "claims": [["dynamic", "Bound"], ["static", "Pending"]],
        "volumes": [["p", "Bound"], ["v", "Released"]],
    },
    invariants=(one_each, kept_for_claims),
    protected=True,
    nodes=("a",),
    writes=200,
)


def _make(manager: Manager, served: Sequence[Resource]) -> None:
    _bind(manager, served)
    manager.add(ephemeral_volumes(manager))
    collect(manager, Pod.resource, CLAIMS)


async def _use(user: User) -> None:
    spec = _claim("")["spec"]
    volume = {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}

    async def make(name: str) -> None:
        body = template("x", volumes=[volume])
        body["metadata"] = {"name": name, "namespace": "default"}
        await user.create(Pod.resource, body)
        await user.pause(5)

    for number in range(3):
        await make(f"p{number}")
    for name in ("p1", "p2"):
        await user.delete(Pod.resource, name)
    await user.until(lambda: user.world.get(Pod.resource, "p1") is None)
    await make("p1")


EPHEMERAL = Scenario(
    name="ephemeral-volumes",
    controllers=_make,
    script=_use,
    final=lambda world: {
        "claims": {
            item["metadata"]["name"]: [
                _phase(item),
                [
                    pod["metadata"]["name"]
                    for pod in world.all(Pod.resource)
                    if pod["metadata"]["uid"] == controller_uid(item)
                ],
            ]
            for item in world.all(CLAIMS)
        },
        "volumes": len(world.all(VOLUMES)),
    },
    expected={
        "claims": {"p0-v": ["Bound", ["p0"]], "p1-v": ["Bound", ["p1"]]},
        "volumes": 2,
    },
    invariants=(one_each, kept_for_claims),
    protected=True,
    nodes=("a",),
    writes=200,
)


def _protect(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(claim_protection(manager))
    [classes] = [item for item in served if item.kind == CLASSES.kind]
    manager.add(class_protection(manager, classes))


def unnamed() -> Invariant:
    """No class goes that a claim names."""

    def check(world: World, step: Step) -> None:
        if step.concerns(CLASSES) and step.after is None:
            name = step.key.rpartition("/")[2]
            named = [item["spec"].get("volumeAttributesClassName") for item in world.all(CLAIMS)]
            assert name not in named, "a claim names it"

    return check


async def _classify(user: User) -> None:
    for name in ("used", "idle"):
        body = {
            "metadata": {"name": name},
            "driverName": "d.example.com",
            "parameters": {"speed": name},
        }
        await user.create(CLASSES, body)
    await user.create(CLAIMS, _claim("c", volumeAttributesClassName="used"))
    await user.pause()
    for name in ("used", "idle"):
        await user.delete(CLASSES, name)
    await user.pause()
    await user.delete(CLAIMS, "c")


CLASSIFIED = Scenario(
    name="volume-attributes-classes",
    controllers=_protect,
    script=_classify,
    final=lambda world: {
        "classes": [item["metadata"]["name"] for item in world.all(CLASSES)],
        "claims": len(world.all(CLAIMS)),
    },
    expected={"classes": [], "claims": 0},
    invariants=(unnamed,),
    protected=True,
    nodes=(),
    writes=60,
)


def _attach(manager: Manager, served: Sequence[Resource]) -> None:
    _bind(manager, served)
    manager.add(attach_detach(manager))
    manager.add(told_volumes(manager))


def at_one_node() -> Invariant:
    """A volume for one node is at one, and isn't taken from one that uses it."""

    def check(world: World, step: Step) -> None:
        if not step.concerns(ATTACHMENTS):
            return
        nodes = [item["spec"]["nodeName"] for item in world.all(ATTACHMENTS)]
        assert len(nodes) <= 1, f"it is at {nodes}"
        if step.before is not None and _going(step.after) and not _going(step.before):
            node = world.get(Node.resource, step.before["spec"]["nodeName"]) or {}
            assert not node["status"].get("volumesInUse"), "it is in use"

    return check


def _going(attachment: Json | None) -> bool:
    return attachment is None or "deletionTimestamp" in attachment["metadata"]


async def _attacher(user: User) -> None:
    """The driver's part that attaches."""
    while True:
        await user.clock.sleep(0.2 + user.random.random())
        for item in user.world.all(ATTACHMENTS):
            if _going(item):
                free = {"metadata": {"finalizers": None}}
                await user.attempt(_tell(user, item, free))
            elif not item["status"].get("attached"):
                held = {"metadata": {"finalizers": ["example.com/attacher"]}}
                await user.attempt(_tell(user, item, held))
                done = {"status": {"attached": True}}
                await user.attempt(_tell(user, item, done, "status"))


async def _tell(user: User, attachment: Json, patch: Json, subresource: str = "") -> None:
    meta = attachment["metadata"]
    told = {**patch, "metadata": {**patch.get("metadata", {}), "uid": meta["uid"]}}
    await user.client.merge(ATTACHMENTS, meta["name"], "", told, subresource=subresource)


async def _mount(user: User) -> None:
    """What nodes have in use: the volumes of the pods on them."""
    while True:
        await user.clock.sleep(0.2 + user.random.random())
        pods = [pod["spec"].get("nodeName") for pod in user.world.all(Pod.resource)]
        for node in user.world.all(Node.resource):
            name = node["metadata"]["name"]
            wanted = ["kubernetes.io/csi/d.example.com^h"] if name in pods else []
            if (node["status"].get("volumesInUse") or []) != wanted:
                patch = {"status": {"volumesInUse": wanted}}
                await user.attempt(
                    user.client.merge(Node.resource, name, "", patch, subresource="status")
                )


def _pod_at(node: str) -> Json:
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
    body = template("x", volumes=[volume], affinity=affinity)
    return {**body, "metadata": {"name": f"at-{node}", "namespace": "default"}}


def _attached(world: World, node: str) -> bool:
    return any(
        item["spec"]["nodeName"] == node and item["status"].get("attached")
        for item in world.all(ATTACHMENTS)
    )


async def _move(user: User) -> None:
    await user.create(CSIDriver.resource, {"metadata": {"name": "d.example.com"}, "spec": {}})
    source = {"driver": "d.example.com", "volumeHandle": "h"}
    await user.create(VOLUMES, _volume("v", csi=source))
    await user.create(CLAIMS, _claim("c", storageClassName="hand"))
    await user.create(Pod.resource, _pod_at("a"))
    await user.until(lambda: _attached(user.world, "a"))
    assert _attached(user.world, "a"), "it is not attached"
    await user.create(Pod.resource, _pod_at("b"))
    await user.pause()
    await user.delete(Pod.resource, "at-a")


ATTACHED = Scenario(
    name="attach-detach",
    controllers=_attach,
    script=_move,
    others=(_attacher, _mount),
    final=lambda world: {
        "attached": [
            [item["spec"]["nodeName"], item["status"].get("attached")]
            for item in world.all(ATTACHMENTS)
        ],
        "told": {
            node["metadata"]["name"]: len(node["status"].get("volumesAttached") or ())
            for node in world.all(Node.resource)
        },
        "ready": [pod["metadata"]["name"] for pod in world.all(Pod.resource) if ready(pod)],
    },
    expected={"attached": [["b", True]], "told": {"a": 0, "b": 1}, "ready": ["at-b"]},
    invariants=(one_each, at_one_node),
    protected=True,
    writes=200,
)

STORAGE = (BOUND, EPHEMERAL, CLASSIFIED, ATTACHED)
