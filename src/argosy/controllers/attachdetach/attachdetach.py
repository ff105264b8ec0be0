"""Has volumes of storage drivers attached to the nodes whose pods use them, and detached again.

A driver that wants it so has a part that attaches (the external attacher): it does what the objects
say that are made and deleted here, one for a volume at a node. A volume that only one node may have
waits until the other has let it go. A node is told of what it has by its status; before a volume is
taken from it, that it has it no longer; and as long as it says that it has it mounted it keeps it,
unless it is out of service, or is not ready for six minutes. What is decided, and why, is in
`plan`. Source: Kubernetes' attach-detach controller.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from argosy.api.core import Node, Pod
from argosy.api.meta import Key
from argosy.api.storage import (
    CSIDriver,
    CSISource,
    PersistentVolume,
    PersistentVolumeClaim,
    VolumeAttachment,
)
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.attachdetach.plan import (
    FAILED,
    PATIENCE,
    attachment_name,
    first,
    has,
    is_ready,
    mounted,
    ours,
    refusal,
    required,
    shared,
    unique_name,
)
from argosy.controllers.attachdetach.telling import NODE, Telling, at_node
from argosy.controllers.doubts import Doubts
from argosy.controllers.volumes.index import CLAIM, VOLUME, claims_of
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import EventRecorder, Note
from argosy.runtime.manager import Manager

Pods = Sequence[Pod]

NAME = "controllers/attachdetach"
COMPONENT = "attachdetach-controller"
USERS = "attachdetach/users"
"""The index of pods that use volumes, by their nodes."""
ELSEWHERE = "another node has it"


class AttachDetach:
    """Volume by volume: whatever concerns one is done in turn."""

    def __init__(self, client: Client, clock: Clock, manager: Manager) -> None:
        self._client, self._clock = client, clock
        self._events = EventRecorder(client, clock, COMPONENT)
        self._volumes = manager.informer(PersistentVolume)
        self._claims = manager.informer(PersistentVolumeClaim)
        self._nodes = manager.informer(Node)
        self._drivers = manager.informer(CSIDriver)
        self._attachments = manager.informer(VolumeAttachment)
        self._pods = manager.informer(Pod)
        self._pods.add_index(CLAIM, claims_of)
        self._pods.add_index(USERS, _node_of)
        self._attachments.add_index(VOLUME, _of_volume)
        self._attachments.add_index(NODE, at_node)
        self._waiting: dict[tuple[str, str], float] = {}  # by volume and node
        self._told: defaultdict[str, dict[str, str]] = defaultdict(dict)  # by the pod's uid, volume
        self._telling = Telling(client, self._nodes)
        self._doubts = Doubts(client, VolumeAttachment, self._attachments)
        self._pods.subscribe(self._pod_changed)
        self._volumes.subscribe(self._doubts.forget)
        self._volumes.subscribe(self._volume_changed)

    async def reconcile(self, volume: PersistentVolume) -> Result:
        """Attach the volume where it is needed, and detach it elsewhere, that first."""
        source = volume.spec.csi
        if source is None:
            return DONE
        await self._doubts.settle(volume.metadata.uid)
        wanted = self._wanted(volume, source)
        there = {one.spec.node_name: one for one in self._at(VOLUME, volume.metadata.name)}
        waits = []
        for node, attachment in there.items():
            if node not in wanted and ours(attachment, source):
                waits.append(await self._detach(attachment, source))
        for node, pods in first(wanted.items()):
            self._waiting.pop((volume.metadata.name, node), None)
            if node not in there:
                await self._attach(volume, node, pods, there)
            else:
                await self._follow(volume, source, there[node], pods)
        left = min((wait for wait in waits if wait is not None), default=None)
        return DONE if left is None else Result(left)

    def _wanted(self, volume: PersistentVolume, source: CSISource) -> Mapping[str, Pods]:
        """The pods that use the volume, by node."""
        reference = volume.spec.claim_ref
        if reference is None or not required(self._drivers.get("", source.driver)):
            return {}
        claim = self._claims.get(reference.namespace, reference.name)
        if claim is None or (claim.metadata.uid, claim.spec.volume_name, claim.status.phase) != (
            reference.uid,
            volume.metadata.name,
            "Bound",
        ):
            return {}
        found = defaultdict(list)
        for pod in self._pods.by_index(CLAIM, claim.key):
            if self._nodes.get("", pod.spec.node_name) is not None:
                found[pod.spec.node_name].append(pod)
        return found

    async def _attach(
        self,
        volume: PersistentVolume,
        node: str,
        pods: Pods,
        there: dict[str, VolumeAttachment],
    ) -> None:
        """Have it attached, unless another node has it that doesn't share it."""
        name, source = volume.metadata.name, volume.spec.csi
        assert source is not None
        if there and not shared(volume):
            users = [pod for pod in self._users(volume) if pod.spec.node_name in there]
            for pod in pods:
                await self._tell_once(name, ELSEWHERE, pod, refusal(name, pod, users))
            return
        called = attachment_name(source, node)
        body = {
            "metadata": {"name": called},
            "spec": {
                "attacher": source.driver,
                "nodeName": node,
                "source": {"persistentVolumeName": name},
            },
        }
        try:
            made = await self._client.create(VolumeAttachment.resource, body)
        except (StatusError, ConnectionError) as error:
            self._doubts.note(volume.metadata.uid, called, "", error)
            if not isinstance(error, StatusError) or error.reason != "AlreadyExists":
                raise
            # The cache may lag: whoever comes next must know that the node has it.
            there[node] = await self._client.get(VolumeAttachment, called)
            return
        there[node] = msgspec.convert(made, VolumeAttachment)
        await self._attachments.reached(made["metadata"]["resourceVersion"])

    def _users(self, volume: PersistentVolume) -> Pods:
        reference = volume.spec.claim_ref
        if reference is None:
            return ()
        return self._pods.by_index(CLAIM, (reference.namespace, reference.name))

    async def _follow(
        self, volume: PersistentVolume, source: CSISource, attachment: VolumeAttachment, pods: Pods
    ) -> None:
        """Tell the node and the pods how far the driver is."""
        if attachment.metadata.deletion_timestamp is not None:
            return
        name, status = volume.metadata.name, attachment.status
        if status.attached:
            node = self._nodes.get("", attachment.spec.node_name)
            if await self._report(node, unique_name(source), there=True):
                text = f'AttachVolume.Attach succeeded for volume "{name}" '
                for pod in pods:
                    self._told.get(pod.metadata.uid, {}).pop(name, None)
                    await self._events.record(pod, Note("SuccessfulAttachVolume", text))
        elif status.attach_error is not None:
            text = f'AttachVolume.Attach failed for volume "{name}" : {status.attach_error.message}'
            for pod in pods:
                await self._tell_once(name, text, pod, Note(FAILED, text, "Warning"))

    async def _detach(self, attachment: VolumeAttachment, source: CSISource) -> float | None:
        """Have it detached; in how many seconds it may be, where the node still has it mounted."""
        meta, name = attachment.metadata, unique_name(source)
        if meta.deletion_timestamp is not None:
            return None
        place = (attachment.spec.source.persistent_volume_name, attachment.spec.node_name)
        # Of the server: a cache that lags may not know that the node has it, or uses it.
        node = await self._client.find(Node, attachment.spec.node_name)
        if node is not None and mounted(node, name):
            if is_ready(node):
                self._waiting.pop(place, None)
                return None
            now = self._clock.monotonic()
            left = self._waiting.setdefault(place, now) + PATIENCE - now
            if left > 0:
                return left
        self._waiting.pop(place, None)
        await self._report(node, name, there=False)
        await self._client.delete(attachment.resource, meta.name, uid=meta.uid)
        return None

    async def _report(self, node: Node | None, name: str, *, there: bool) -> bool:
        """Tell the node what it has; whether it didn't know."""
        if node is None or has(node, name) is there:
            return False
        if there:
            await self._telling.add(node.metadata.name, name)
        else:
            await self._telling.drop(await self._telling.read(node.metadata.name), (name,))
        return True

    async def _tell_once(self, volume: str, what: str, pod: Pod, note: Note) -> None:
        told = self._told[pod.metadata.uid]
        if told.get(volume) != what:
            told[volume] = what
            await self._events.record(pod, note)

    def _at(self, index: str, value: str) -> list[VolumeAttachment]:
        return self._attachments.by_index(index, value)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """Forget what was told to a pod that is gone, or has ended: it waits for nothing."""
        if old is not None and (new is None or not claims_of(new)):
            self._told.pop(old.metadata.uid, None)

    def _volume_changed(self, old: PersistentVolume | None, new: PersistentVolume | None) -> None:
        """Forget which nodes were waited for."""
        if old is not None and new is None:
            name = old.metadata.name
            for place in [place for place in self._waiting if place[0] == name]:
                del self._waiting[place]

    def by_pod(self, pod: Pod) -> list[Key]:
        """The volumes that a pod uses."""
        claims = (self._claims.get(*key) for key in claims_of(pod))
        return [key for claim in claims if claim is not None for key in by_claim(claim)]

    def by_node(self, node: Node) -> list[Key]:
        """The volumes that are at a node, or are needed there: it may have been unknown."""
        name = node.metadata.name
        there = [key for one in self._at(NODE, name) for key in by_attachment(one)]
        return [
            *there,
            *(key for pod in self._pods.by_index(USERS, name) for key in self.by_pod(pod)),
        ]

    def by_driver(self, driver: CSIDriver) -> list[Key]:
        """The volumes of a driver."""
        name = driver.metadata.name
        volumes = self._volumes.items()
        return [one.key for one in volumes if one.spec.csi and one.spec.csi.driver == name]


def by_claim(claim: PersistentVolumeClaim) -> list[Key]:
    """The volume of a claim."""
    return [("", claim.spec.volume_name)] if claim.spec.volume_name else []


def by_attachment(attachment: VolumeAttachment) -> list[Key]:
    """The volume that is attached."""
    return [("", name) for name in _of_volume(attachment)]


def _of_volume(attachment: VolumeAttachment) -> tuple[str, ...]:
    name = attachment.spec.source.persistent_volume_name
    return (name,) if name else ()


def _node_of(pod: Pod) -> tuple[str, ...]:
    return (pod.spec.node_name,) if pod.spec.node_name and claims_of(pod) else ()


def attach_detach(manager: Manager) -> Controller[PersistentVolume]:
    """The controller, on the manager's caches."""
    controller = AttachDetach(manager.client_as(NAME), manager.clock, manager)
    return Controller(
        name=NAME,
        informer=manager.informer(PersistentVolume),
        reconcile=controller.reconcile,
        watches=(
            Watch(manager.informer(Pod), controller.by_pod),
            Watch(manager.informer(PersistentVolumeClaim), by_claim),
            Watch(manager.informer(VolumeAttachment), by_attachment),
            Watch(manager.informer(Node), controller.by_node),
            Watch(manager.informer(CSIDriver), controller.by_driver),
        ),
    )
