"""What a node may do for pods: tell of those that it runs by itself, and ask for their tokens."""

import msgspec

from argosy.api.resources.core import NODE, POD
from argosy.api.resources.storage import CSI_DRIVER
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.admission.service_account import MIRROR, secrets_of
from argosy.apiserver.authorization import attributes as access
from argosy.base.errors import not_found

REFERENCES = (
    ("configMap", "configmaps (via configmap volumes)"),
    ("secret", "secrets (via secret volumes)"),
    ("csi", "csidrivers (via CSI volumes)"),
    ("glusterfs", "endpoints (via glusterFS volumes)"),
    ("persistentVolumeClaim", "persistentvolumeclaims"),
    ("ephemeral", "persistentvolumeclaims (via ephemeral volumes)"),
    ("azureFile", "secrets (via azureFile volumes)"),
)
PROJECTED = (
    ("configMap", "configmaps (via projected volumes)"),
    ("secret", "secrets (via projected volumes)"),
    ("serviceAccountToken", "serviceaccounts (via projected volumes)"),
    ("clusterTrustBundle", "clustertrustbundles"),
    ("podCertificate", "podcertificates"),
)
"""(a field of a volume, or of a part of one; what of the API it reaches)"""
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def created(node: str, attributes: Attributes) -> None:
    """Refuse a pod that is not the copy of one that the node runs by itself."""
    pod = attributes.new
    if MIRROR not in (pod["metadata"].get("annotations") or {}):
        raise attributes.refusal(
            f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
        )
    if pod["spec"].get("nodeName") != node:
        raise attributes.refusal(
            f'node "{node}" can only create pods with spec.nodeName set to itself'
        )
    if fault := _owner_fault(pod["metadata"].get("ownerReferences") or [], node):
        raise attributes.refusal(fault)
    record = attributes.look(NODE.key(name=node))
    if record is None:
        raise not_found("nodes", node)
    uid, owner = msgspec.json.decode(record.value)["metadata"]["uid"], _owner(pod)
    if owner["uid"] != uid:
        text = f"node {node} UID mismatch: expected {owner['uid']} got {uid}"
        raise attributes.refusal(text)
    if reached := _reached(pod["spec"]):
        raise attributes.refusal(f'node "{node}" can not create pods that reference {reached}')


def _owner(pod: Json) -> Json:
    owner: Json = pod["metadata"]["ownerReferences"][0]
    return owner


def _owner_fault(owners: list[Json], node: str) -> str:
    says = f'node "{node}" can only create pods with'
    if len(owners) > 1:
        return f"{says} a single owner reference set to itself"
    identity = ("v1", "Node", node)
    if not owners or tuple(owners[0].get(k) for k in ("apiVersion", "kind", "name")) != identity:
        return f"{says} an owner reference set to itself"
    if not owners[0].get("controller"):
        return f"{says} a controller owner reference set to itself"
    if owners[0].get("blockOwnerDeletion"):
        return f'node "{node}" must not set blockOwnerDeletion on an owner reference'
    return ""


def _reached(spec: Json) -> str:
    """What of the API the pod needs, which a node could so get hold of."""
    if spec.get("serviceAccountName"):
        return "serviceaccounts"
    if any(secrets_of({**spec, "volumes": []})):
        return "secrets"
    if any(_reads_config(one) for group in CONTAINERS for one in spec.get(group) or ()):
        return "configmaps"
    if spec.get("resourceClaims"):
        return "resourceclaims"
    for volume in spec.get("volumes") or ():
        sources = (volume.get("projected") or {}).get("sources") or ()
        parts = ((REFERENCES, volume), *((PROJECTED, source) for source in sources))
        for table, part in parts:
            if found := next((shown for name, shown in table if part.get(name) is not None), ""):
                return found
    return ""


def _reads_config(container: Json) -> bool:
    env = (one.get("valueFrom") or {} for one in container.get("env") or ())
    sources = container.get("envFrom") or ()
    return any(one.get("configMapKeyRef") is not None for one in env) or any(
        one.get("configMapRef") is not None for one in sources
    )


def token_audience(node: str, attributes: Attributes) -> None:
    """Refuse a token that no pod of the node has use for."""
    spec, namespace = attributes.new.get("spec") or {}, attributes.target.namespace
    bound = spec.get("boundObjectRef") or {}
    if (bound.get("apiVersion"), bound.get("kind")) != ("v1", "Pod") or not bound.get("name"):
        raise attributes.refusal("node requested token not bound to a pod")
    if not bound.get("uid"):
        raise attributes.refusal("node requested token with a pod binding without a uid")
    record = attributes.look(POD.key(namespace, bound["name"]))
    if record is None:
        raise not_found("pods", bound["name"])
    pod = msgspec.json.decode(record.value)
    if pod["metadata"]["uid"] != bound["uid"]:
        raise attributes.refusal(
            f"the UID in the bound object reference ({bound['uid']}) does not match the UID in "
            "record. The object might have been deleted and then recreated"
        )
    if pod["spec"].get("nodeName") != node:
        raise attributes.refusal(
            "node requested token bound to a pod scheduled on a different node"
        )
    audiences = spec.get("audiences") or [""]
    if len(audiences) > 1:
        raise attributes.refusal("node may only request 0 or 1 audiences")
    if not _wants(attributes, pod["spec"], audiences[0]):
        raise attributes.refusal(
            f'audience "{audiences[0]}" not found in pod spec volume, {attributes.user.name} is '
            "not authorized to request tokens for this audience"
        )


def _wants(attributes: Attributes, spec: Json, audience: str) -> bool:
    """Whether the pod has a volume for such a token, or the node may ask for any of that kind."""
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            token = source.get("serviceAccountToken")
            if token is not None and (token.get("audience") or "") == audience:
                return True
        if audience in _of_driver(attributes, (volume.get("csi") or {}).get("driver") or ""):
            return True
    asked = access.Attributes(
        user=attributes.user,
        verb="request-serviceaccounts-token-audience",
        version="v1",
        resource=audience,
        namespace=attributes.target.namespace,
        name=attributes.target.name,
    )
    return attributes.authorize(asked).allowed


def _of_driver(attributes: Attributes, name: str) -> list[str]:
    """The audiences for which a storage driver wants tokens."""
    record = attributes.look(CSI_DRIVER.key(name=name)) if name else None
    if record is None:
        return []
    wanted = msgspec.json.decode(record.value)["spec"].get("tokenRequests") or ()
    return [one.get("audience") or "" for one in wanted]
