"""JobValidation: a job whose pods are one gang keeps its parallelism.

The group was made for so many pods: with fewer the gang could never be placed again.
"""

from collections.abc import Iterator

import msgspec

from argosy.api.scheduling import PodGroup
from argosy.apiserver.admission.rule import Attributes, Json

GATES = ("GenericWorkload", "WorkloadWithJob")


def keep_parallelism(attributes: Attributes) -> None:
    """Refuse another parallelism for a job with a gang."""
    new, old = attributes.new["spec"], (attributes.old or {}).get("spec") or {}
    if new.get("parallelism") == old.get("parallelism"):
        return
    gates = attributes.target.served.gates
    if gates is not None and not any(map(gates.open, GATES)):
        return
    for group in _groups(attributes, attributes.old or {}):
        if group.spec.scheduling_policy.gang is not None:
            raise attributes.refusal(
                "cannot change parallelism for a Job referencing gang-scheduled "
                f'PodGroup "{group.metadata.name}"'
            )


def _groups(attributes: Attributes, job: Json) -> Iterator[PodGroup]:
    """The group that the job's pods name, or else those that belong to the job."""
    resource, meta = PodGroup.resource, job["metadata"]
    named = (job["spec"]["template"]["spec"].get("schedulingGroup") or {}).get("podGroupName")
    if named:
        record = attributes.look(resource.key(meta["namespace"], named))
        if record is not None:
            yield msgspec.json.decode(record.value, type=PodGroup)
        return
    for record in attributes.items(resource.key(meta["namespace"])):
        group = msgspec.json.decode(record.value, type=PodGroup)
        if group.controller is not None and group.controller.uid == meta["uid"]:
            yield group
