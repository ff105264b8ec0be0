"""Fixes for a pod that is held back before any node is looked at: something is missing or in the
way that has nothing to do with nodes."""

import msgspec

from argosy.api.core import Pod
from argosy.api.dra import ResourceClaim
from argosy.api.meta import ObjectMeta
from argosy.api.scheduling import Gang, PodGroup, PodGroupSpec, SchedulingPolicy
from argosy.api.storage import PersistentVolumeClaim
from argosy.scheduler.backlog import unit_of
from argosy.scheduler.explain.edits import without_gates
from argosy.scheduler.explain.fixes import Fix, proven
from argosy.scheduler.explain.remedies import Remedy
from argosy.scheduler.explain.standing import DEFAULT_SCHEDULER
from argosy.scheduler.explain.trials import Trials
from argosy.scheduler.occupants import claim_names


def opened(trials: Trials) -> tuple[Fix, ...]:
    """The gates taken off, where the pod would be placed then."""
    pod = trials.pod
    names = ", ".join(gate.name for gate in pod.spec.scheduling_gates)
    one = len(pod.spec.scheduling_gates) == 1
    text = f"remove scheduling gate{'' if one else 's'} {names}"
    remedy = Remedy(kind="RemoveGate", text=text, size=0, pod=without_gates)
    return tuple(proven(trials, [(remedy, None)]))


def grouped(trials: Trials) -> tuple[Fix, ...]:
    """The pod group that is missing, made for the pods that are there."""
    unit = trials.unit
    number = unit.bound + len(unit.pods)
    meta = ObjectMeta(
        name=unit.gang, namespace=trials.pod.metadata.namespace, uid=f"new-{unit.gang}"
    )
    policy = SchedulingPolicy(gang=Gang(min_count=number))
    made = PodGroup(metadata=meta, spec=PodGroupSpec(scheduling_policy=policy))
    text = f"create PodGroup {'/'.join(made.key)} (gang.minCount: {number})"
    remedy = Remedy(kind="Create", text=text, size=1, others=((None, made),))
    return tuple(proven(trials, [(remedy, None)]))


def smaller_gang(trials: Trials, number: int) -> tuple[Fix, ...]:
    """A gang of no more pods than there are or than fit."""
    group = trials.unit.group
    if group is None or number < 1 or unit_of(trials.pod).family:
        return ()
    policy = SchedulingPolicy(gang=Gang(min_count=number))
    less = msgspec.structs.replace(group, spec=PodGroupSpec(scheduling_policy=policy))
    text = f"lower gang.minCount of PodGroup {'/'.join(group.key)} to {number}"
    remedy = Remedy(kind="SmallerGang", text=text, size=8, others=((group, less),))
    return tuple(proven(trials, [(remedy, None)]))


def claimed(trials: Trials) -> tuple[Fix, ...]:
    """The resource claims that are missing, made for one device of each class in turn."""
    pod, devices = trials.pod, trials.state.devices
    namespace = pod.metadata.namespace
    names = [
        entry.resource_claim_name
        for entry in pod.spec.resource_claims
        if entry.resource_claim_name and devices.claim(namespace, entry.resource_claim_name) is None
    ]
    guesses = []
    for chosen in sorted(devices.classes) if names else ():
        made = tuple((None, _claim(namespace, name, chosen)) for name in names)
        text = f"create ResourceClaim {namespace}/{', '.join(names)} for a device of class {chosen}"
        guesses.append((Remedy(kind="Create", text=text, size=1, others=made), None))
    return tuple(proven(trials, guesses))


def _claim(namespace: str, name: str, device_class: str) -> ResourceClaim:
    exactly = {"deviceClassName": device_class}
    body = {
        "metadata": {"namespace": namespace, "name": name, "uid": f"new-{name}"},
        "spec": {"devices": {"requests": [{"name": "device", "exactly": exactly}]}},
    }
    return msgspec.convert(body, ResourceClaim)


def served(trials: Trials) -> tuple[Fix, ...]:
    """The pod with the name of a scheduler that is there."""

    def edit(pod: Pod) -> Pod:
        spec = msgspec.structs.replace(pod.spec, scheduler_name=DEFAULT_SCHEDULER)
        return msgspec.structs.replace(pod, spec=spec)

    text = f"set schedulerName to {DEFAULT_SCHEDULER}"
    remedy = Remedy(kind="SchedulerName", text=text, size=1, pod=edit)
    return tuple(proven(trials, [(remedy, None)]))


def volume_claimed(trials: Trials) -> tuple[Fix, ...]:
    """The volume claims that are missing, made of each storage class in turn."""
    pod, volumes = trials.pod, trials.state.volumes
    namespace = pod.metadata.namespace
    names = [name for name in claim_names(pod) if volumes.claim(namespace, name) is None]
    guesses: list[tuple[Remedy, None]] = []
    for chosen in sorted(volumes.classes) if names else ():
        made = tuple((None, _volume_claim(namespace, name, chosen)) for name in names)
        told = f"{namespace}/{', '.join(names)}"
        text = f"create PersistentVolumeClaim {told} of storage class {chosen}"
        guesses.append((Remedy(kind="Create", text=text, size=1, others=made), None))
    return tuple(proven(trials, guesses))


def _volume_claim(namespace: str, name: str, storage_class: str) -> PersistentVolumeClaim:
    body = {
        "metadata": {"namespace": namespace, "name": name, "uid": f"new-{name}"},
        "spec": {
            "storageClassName": storage_class,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    return msgspec.convert(body, PersistentVolumeClaim)
