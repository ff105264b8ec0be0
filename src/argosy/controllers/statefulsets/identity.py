"""Who is who in a StatefulSet: names and numbers, and the pods and claims that bear them.

Pure. A pod is SET-N, its claim TEMPLATE-SET-N; N counts from `spec.ordinals.start`. The hostname is
the pod's name and the subdomain the set's headless service, so that each has a name in the network.
"""

import re
from collections.abc import Mapping
from typing import Any

from argosy.api.core import Pod
from argosy.api.meta import owned
from argosy.api.statefulsets import StatefulSet
from argosy.controllers.podcontrol import pod_from

Json = dict[str, Any]
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
REVISION = "controller-revision-hash"
LARGEST = 2**31 - 1
_NAME = re.compile(r"(.*)-([0-9]+)", re.DOTALL | re.ASCII)


def ordinal(pod: Pod) -> int:
    """The number in a pod's name; -1 where there is none."""
    match = _NAME.fullmatch(pod.metadata.name)
    number = int(match[2]) if match and len(match[2]) <= len(str(LARGEST)) else -1
    return number if number <= LARGEST else -1


def member(owner: StatefulSet, pod: Pod) -> bool:
    """Whether the pod has the name of one of the set's."""
    match = _NAME.fullmatch(pod.metadata.name)
    return match is not None and match[1] == owner.metadata.name


def wanted(owner: StatefulSet) -> range:
    """The numbers that the set's pods have."""
    start = owner.spec.ordinals.start
    return range(start, start + owner.spec.replicas)


def revision(pod: Pod) -> str:
    """The name of the revision that a pod was made of."""
    return pod.metadata.labels.get(REVISION, "")


def pod_name(owner: StatefulSet, number: int) -> str:
    """The name of the set's pod with this number."""
    return f"{owner.metadata.name}-{number}"


def claim_names(owner: StatefulSet, number: int) -> dict[str, str]:
    """The names of a pod's claims, by the templates'."""
    templates = (item["metadata"]["name"] for item in owner.spec.volume_claim_templates)
    return {name: f"{name}-{pod_name(owner, number)}" for name in templates}


def labels(owner: StatefulSet, number: int) -> dict[str, str]:
    """What tells a pod's identity, for services and for people."""
    return {POD_NAME: pod_name(owner, number), POD_INDEX: str(number)}


def pod(owner: StatefulSet, template: Mapping[str, Any], made_of: str, number: int) -> Json:
    """The set's pod with this number, of the `template` that the revision `made_of` keeps."""
    body = pod_from(template, owner)
    name = pod_name(owner, number)
    given = body["metadata"].get("labels") or {}
    body["metadata"]["name"] = name
    body["metadata"]["labels"] = {**given, **labels(owner, number), REVISION: made_of}
    spec = {**body["spec"], "hostname": name}
    spec.pop("subdomain", None)
    if owner.spec.service_name:
        spec["subdomain"] = owner.spec.service_name
    claims = claim_names(owner, number)
    if claims:
        spec["volumes"] = _volumes(claims, template)
    body["spec"] = spec
    return body


def _volumes(claims: Mapping[str, str], template: Mapping[str, Any]) -> list[Json]:
    """The claims come first; volumes of the template that have a claim's name are left out."""
    given = template["spec"].get("volumes") or ()
    mounted: list[Json] = [
        {"name": name, "persistentVolumeClaim": {"claimName": claim}}
        for name, claim in claims.items()
    ]
    return [*mounted, *(volume for volume in given if volume["name"] not in claims)]


def claim(owner: StatefulSet, template: Mapping[str, Any], number: int) -> Json:
    """The claim of one of the templates for the pod with this number."""
    given = template["metadata"]
    meta = {name: given[name] for name in ("annotations", "finalizers") if name in given}
    name = claim_names(owner, number)[given["name"]]
    selected = owner.spec.selector.match_labels
    meta |= {"name": name, "namespace": owner.metadata.namespace}
    meta["labels"] = {**(given.get("labels") or {}), **selected}
    if owner.spec.persistent_volume_claim_retention_policy.when_deleted == "Delete":
        meta["ownerReferences"] = [owned(owner)]
    kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return {**kind, "metadata": meta, "spec": template["spec"]}
