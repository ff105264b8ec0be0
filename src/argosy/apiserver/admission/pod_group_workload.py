"""PodGroupWorkloadExists: a pod group made from a workload's template names one that is there."""

import msgspec

from argosy.api.kinds import PREFERRED
from argosy.apiserver.admission.rule import Attributes


def workload_exists(attributes: Attributes) -> None:
    """Refuse a pod group whose workload, or template, is missing or going."""
    reference = (attributes.new["spec"].get("podGroupTemplateRef") or {}).get("workload")
    if not reference:
        return
    name, template = reference.get("workloadName"), reference.get("podGroupTemplateName")
    key = PREFERRED["Workload"].key(attributes.target.namespace, name)
    record = attributes.look(key) if name else None
    if record is None:
        raise attributes.refusal(f'PodGroup rejected: Workload "{name}" not found')
    workload = msgspec.json.decode(record.value)
    if workload["metadata"].get("deletionTimestamp"):
        raise attributes.refusal(f'PodGroup rejected: Workload "{name}" is being deleted')
    templates = workload["spec"].get("podGroupTemplates") or ()
    if all(one.get("name") != template for one in templates):
        raise attributes.refusal(
            f'PodGroup rejected: PodGroupTemplate "{template}" not found in Workload "{name}"'
        )
