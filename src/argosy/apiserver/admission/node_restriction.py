"""NodeRestriction: a node writes what is its own, and of that only what a node has to say.

It concerns users of the group `system:nodes` alone. One table says what is asked of them, resource
by resource; what is not in the table is for the authorizer to decide.
"""

from collections.abc import Callable, Mapping

import msgspec

from argosy.api.resources.core import POD
from argosy.apiserver.admission.node_labels import forbidden_labels
from argosy.apiserver.admission.node_pods import created, token_audience
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.admission.subjects import subject_of
from argosy.base.errors import not_found

NODES = "system:nodes"
PREFIX = "system:node:"
LEASES = "kube-node-lease"
SIGNERS = ("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet")
OF_STATUS = ("capacity", "conditions", "allocatedResourceStatuses", "allocatedResources")
"""What of a claim's status a node writes."""

Restriction = Callable[[str, Attributes], None]


def restrict_nodes(attributes: Attributes) -> None:
    """Refuse a node what is not its own."""
    user = attributes.user
    if NODES not in user.groups or not user.name.startswith(PREFIX):
        return
    node = user.name.removeprefix(PREFIX)
    if not node:
        raise attributes.refusal(f'could not determine node from user "{user.name}"')
    restriction = RESTRICTIONS.get(attributes.target.served.resource.qualified)
    if restriction is not None:
        restriction(node, attributes)


def _pod(node: str, attributes: Attributes) -> None:
    subresource = attributes.target.subresource
    if subresource == "status":
        _pod_status(node, attributes)
    elif subresource == "eviction":
        if _node_of(attributes, attributes.target.name) != node:
            raise attributes.refusal(
                f"node {node} can only evict pods with spec.nodeName set to itself"
            )
    elif subresource:
        raise attributes.refusal(
            f"unexpected pod subresource \"{subresource}\", only 'status' and 'eviction' are "
            "allowed"
        )
    elif attributes.operation == "CREATE":
        created(node, attributes)
    elif attributes.operation != "DELETE":
        raise attributes.refusal(
            f'unexpected operation "{attributes.operation}", node "{node}" can only create and '
            "delete mirror pods"
        )
    elif _before(attributes)["spec"].get("nodeName") != node:
        raise attributes.refusal(
            f'node "{node}" can only delete pods with spec.nodeName set to itself'
        )


def _pod_status(node: str, attributes: Attributes) -> None:
    new, old = attributes.new, _before(attributes)
    if old["spec"].get("nodeName") != node:
        raise attributes.refusal(
            f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'
        )
    if (new["metadata"].get("labels") or {}) != (old["metadata"].get("labels") or {}):
        raise attributes.refusal(f'node "{node}" cannot update labels through pod status')
    after, before = new.get("status") or {}, old.get("status") or {}
    for field, shown in (
        ("resourceClaimStatuses", "resource claim statues"),
        ("extendedResourceClaimStatus", "extended resource claim status"),
    ):
        if (after.get(field) or None) != (before.get(field) or None):
            raise attributes.refusal(f'node "{node}" cannot update {shown}')


def _node(node: str, attributes: Attributes) -> None:
    if attributes.name != node:
        raise attributes.refusal(f'node "{node}" is not allowed to modify node "{attributes.name}"')
    if attributes.operation not in ("CREATE", "UPDATE"):
        return
    new, old = attributes.new, attributes.old
    spec, meta = new.get("spec") or {}, new["metadata"]
    _keep_source(node, attributes, spec)
    if old is None:
        if wrong := forbidden_labels(meta.get("labels") or {}, {}):
            shown = ", ".join(wrong)
            raise attributes.refusal(
                f'node "{node}" is not allowed to set the following labels: {shown}'
            )
        return
    if (spec.get("taints") or []) != ((old.get("spec") or {}).get("taints") or []):
        raise attributes.refusal(f'node "{node}" is not allowed to modify taints')
    if (meta.get("ownerReferences") or []) != (old["metadata"].get("ownerReferences") or []):
        raise attributes.refusal(f'node "{node}" is not allowed to modify ownerReferences')
    if wrong := forbidden_labels(meta.get("labels") or {}, old["metadata"].get("labels") or {}):
        raise attributes.refusal(f"is not allowed to modify labels: {', '.join(wrong)}")


def _keep_source(node: str, attributes: Attributes, spec: Json) -> None:
    """Whose configuration it takes is not for the node to say; an old one may drop it."""
    source, old = spec.get("configSource"), attributes.old
    if source is None:
        return
    if old is None:
        what = "create pods with a non-nil configSource"
        raise attributes.refusal(f'node "{node}" is not allowed to {what}')
    if source != (old.get("spec") or {}).get("configSource"):
        what = "update configSource to a new non-nil configSource"
        raise attributes.refusal(f'node "{node}" is not allowed to {what}')


def _claim(node: str, attributes: Attributes) -> None:
    if attributes.target.subresource != "status":
        raise attributes.refusal("may only update PVC status")
    if _beside_status(attributes.new) != _beside_status(_before(attributes)):
        raise attributes.refusal(
            f'node "{node}" is not allowed to update fields other than status.quantity and '
            "status.conditions"
        )


def _beside_status(claim: Json) -> Json:
    kept = ("resourceVersion", "managedFields")
    meta = {key: item for key, item in claim["metadata"].items() if key not in kept}
    status = claim.get("status") or {}
    left = {key: item for key, item in status.items() if key not in OF_STATUS}
    return {**claim, "metadata": meta, "status": left}


def _lease(node: str, attributes: Attributes) -> None:
    if attributes.target.namespace != LEASES:
        raise attributes.refusal(f'can only access leases in the "{LEASES}" system namespace')
    if attributes.name != node:
        raise attributes.refusal(
            "can only access node lease with the same name as the requesting node"
        )


def _csi_node(node: str, attributes: Attributes) -> None:
    if attributes.name != node:
        raise attributes.refusal(
            "can only access CSINode with the same name as the requesting node"
        )


def _slice(node: str, attributes: Attributes) -> None:
    verbs = {"CREATE": (attributes.new, "create"), "DELETE": (attributes.old or {}, "delete")}
    found, verb = verbs.get(attributes.operation, ({}, ""))
    if verb and found["spec"].get("nodeName") != node:
        raise attributes.refusal(
            f"can only {verb} ResourceSlice with the same NodeName as the requesting node"
        )


def _request(node: str, attributes: Attributes) -> None:
    if attributes.operation != "CREATE" or attributes.new["spec"].get("signerName") not in SIGNERS:
        return
    try:
        name = subject_of(attributes.new["spec"].get("request") or "").name
    except ValueError as error:
        raise attributes.refusal(f"unable to parse csr: {error}") from None
    if name != f"{PREFIX}{node}":
        raise attributes.refusal(f"can only create a node CSR with CN={PREFIX}{node}")


def _token(node: str, attributes: Attributes) -> None:
    if attributes.operation == "CREATE" and attributes.target.subresource == "token":
        token_audience(node, attributes)


def _before(attributes: Attributes) -> Json:
    return attributes.old or {"metadata": {}, "spec": {}}


def _node_of(attributes: Attributes, name: str) -> str:
    record = attributes.look(POD.key(attributes.target.namespace, name))
    if record is None:
        raise not_found("pods", name)
    return str(msgspec.json.decode(record.value)["spec"].get("nodeName") or "")


RESTRICTIONS: Mapping[str, Restriction] = {
    "pods": _pod,
    "nodes": _node,
    "persistentvolumeclaims": _claim,
    "serviceaccounts": _token,
    "leases.coordination.k8s.io": _lease,
    "csinodes.storage.k8s.io": _csi_node,
    "resourceslices.resource.k8s.io": _slice,
    "certificatesigningrequests.certificates.k8s.io": _request,
}
